"""Folders and files that nobody else may read: this user's, and checked to be, also among those of others."""

import os
import stat
from pathlib import Path
from typing import Final

from agentobs.errors import AgentobsError
from stacks import atomic

FOLDER: Final = 0o700
FILE: Final = 0o600
_OTHERS: Final = 0o077


class PrivateError(AgentobsError):
    """A folder that is not ours alone, or a file that cannot be written; the message names it and the fix."""


def folder(path: Path) -> Path:
    """The folder, made where it is missing, in which nobody else may look. Raises PrivateError where it is not ours.

    One that was made with more rights loses them. In a folder for everybody, such as that for temporary files, somebody
    else may have been first, with a folder or with a link.
    """
    try:
        path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        _check(path)
        if path.stat().st_mode & _OTHERS:
            path.chmod(FOLDER)
    except OSError as error:
        raise PrivateError(
            f"the folder {path} cannot be used: {error.strerror}; fix: make it yours, or move it"
        ) from None
    return path


def _check(path: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) and found.st_uid != os.geteuid():
        raise PrivateError(f"{path} is a link of somebody else; fix: remove it, or set TMPDIR to a folder of yours")
    if path.stat().st_uid != os.geteuid():
        raise PrivateError(f"the folder {path} belongs to somebody else; fix: remove it, or use another one")


def write(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all. Raises PrivateError."""
    try:
        with atomic.replacing(path, FILE) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PrivateError(f"{path} cannot be written: {error.strerror}") from None
