"""Writing a file whole or not at all: a reader has the old one or the new one, never half of either."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_FOR_EVERYBODY: Final = 0o666
"""Less what the umask of the user takes away, as for any file that a program makes."""


@contextmanager
def replacing(path: Path, mode: int = _FOR_EVERYBODY) -> Iterator[Path]:
    """A new empty file beside `path` to write to; it takes the place of `path` once the block ends without an error.

    Raises OSError where the folder cannot be written to; after any error `path` is what it was before.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        # Made by us and not there before: in a folder for everybody it could be a link to another file.
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode))
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write(path: Path, text: str) -> None:
    """Write a text (UTF-8) whole or not at all; its folder is made where it is missing. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
