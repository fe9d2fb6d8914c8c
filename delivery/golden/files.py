"""Reading and writing the files of a dataset: no links, no other encodings, whole or not at all."""

import os
import unicodedata
from pathlib import Path
from typing import Final

from delivery.golden.errors import GoldenError

_LARGEST: Final = 256 * 1024 * 1024


def text_of(path: Path, fix: str) -> str:
    """The text of a file, in NFC, without a byte order mark, with line feeds alone. Raises GoldenError."""
    refuse_link(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise GoldenError(f"{path}: larger than {_LARGEST >> 20} MiB; fix: split the dataset")
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise GoldenError(f"{path}: there is no such file; fix: {fix}") from None
    except UnicodeDecodeError as error:
        raise GoldenError(f"{path}: no UTF-8 at byte {error.start}; fix: save it as UTF-8") from None
    except OSError as error:
        raise GoldenError(f"{path}: cannot be read: {error.strerror}; fix: {fix}") from None
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def refuse_link(path: Path) -> None:
    """A link leads to what the dataset does not hold: what is reviewed would not be what is read."""
    for place in (path, path.parent):
        if place.is_symlink():
            raise GoldenError(f"{place}: is a link; fix: put the file itself there")


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made where it is missing. Raises GoldenError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise GoldenError(f"{path}: cannot be written: {error.strerror}; fix: another folder") from None
