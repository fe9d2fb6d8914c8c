"""Whether a record on disk is what was recorded, and whose signature it bears."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from runbooks import checklist
from runbooks.checklist import ChecklistError, Record
from runbooks.signature import Namespace
from stacks import signing

_CLIENT: Final = "-client.html"
_PAGES: Final[Mapping[str, Callable[[Record], str]]] = {".md": checklist.markdown, ".html": checklist.html}


def verify(file: Path, signers: Path | None) -> str:
    """One sentence about a record (.json, .md or .html) that holds. Raises ChecklistError for one that does not.

    `signers` is a file of allowed signers of ssh-keygen; with it an unsigned record does not hold.
    """
    client = file.name.endswith(_CLIENT)
    source = file.with_name(file.name.removesuffix(_CLIENT) + ".json") if client else file.with_suffix(".json")
    record = checklist.parse(_read(source), str(source))
    checklist.check(record, str(source))
    page = functools.partial(checklist.html, client=True) if client else _PAGES.get(file.suffix)
    if page is not None and _read(file) != page(record):
        raise ChecklistError(f"{file} is not what {source} renders to: one of them was changed, or versions differ")
    signed = "not signed"
    if record.signature is not None:
        signed = signing.verify(record.digest, record.signature, signers, Namespace.CHECKLIST)
    if signers is not None and record.signature is None:
        raise ChecklistError(f"{file} is not signed, so nobody in {signers} vouches for it")
    return f"{file} is unchanged: {record.phase} {record.release} on {record.stack}, {record.verdict}; {signed}"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ChecklistError(f"the record {path} cannot be read: {error}") from None
