"""Downloads official release archives and takes the binaries out of them.

A host that cannot be reached, or does not have the file, is no error: the caller goes on to the next source.
A complete file with another checksum is one, always.
"""

import fnmatch
import hashlib
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import requests

from toolchain.errors import ChecksumError, ToolchainError
from toolchain.recipes import Release

_CONNECT_S, _READ_S = 3.0, 30.0
_CHUNK = 1 << 18
_ATTEMPTS = 4
_PARTIAL, _RANGE_REFUSED = 206, 416


class UnavailableError(ToolchainError):
    """The archive cannot be had from here now; the text says why."""


class Downloads:
    """Fetches archives into `folder`; remembers for its lifetime which hosts cannot be reached."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unreachable: dict[str, str] = {}
        self._session = requests.Session()

    def get(self, release: Release, tick: Callable[[], None]) -> Path:
        """Return the verified archive, resuming an earlier download that was cut short.

        Raises:
            UnavailableError: the host cannot be reached or does not serve the file.
            ChecksumError: the complete file is not the pinned one.

        """
        host = urlsplit(release.url).netloc
        if host in self._unreachable:
            raise UnavailableError(self._unreachable[host])
        self._folder.mkdir(parents=True, exist_ok=True)
        archive = self._folder / f"{release.sha256}.part"
        resumed = archive.exists()
        self._complete(release.url, archive, tick)
        actual = _sha256(archive)
        if actual != release.sha256 and resumed:
            # The part on disk may have been the bad one: one clean download decides.
            archive.unlink()
            self._complete(release.url, archive, tick)
            actual = _sha256(archive)
        if actual != release.sha256:
            archive.unlink()
            raise ChecksumError(release.url, release.sha256, actual)
        return archive

    def _complete(self, url: str, archive: Path, tick: Callable[[], None]) -> None:
        """Download what is missing, a few times over when the connection breaks and each time brought something."""
        host = urlsplit(url).netloc
        for attempt in range(_ATTEMPTS):
            before = archive.stat().st_size if archive.exists() else 0
            try:
                self._append(url, archive, tick)
            except requests.HTTPError as error:
                raise UnavailableError(f"{url}: {error.response.status_code} {error.response.reason}") from error
            except requests.RequestException as error:
                after = archive.stat().st_size if archive.exists() else 0
                if after == before and attempt == 0:
                    self._unreachable[host] = f"{host} cannot be reached ({type(error).__name__})"
                    raise UnavailableError(self._unreachable[host]) from error
                if after == before or attempt == _ATTEMPTS - 1:
                    raise UnavailableError(f"{url}: broke off after {after} bytes ({type(error).__name__})") from error
            else:
                return

    def _append(self, url: str, archive: Path, tick: Callable[[], None]) -> None:
        """Ask for the rest of the file; a server without ranges sends it whole again."""
        have = archive.stat().st_size if archive.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._session.get(url, headers=headers, stream=True, timeout=(_CONNECT_S, _READ_S)) as answer:
            if answer.status_code == _RANGE_REFUSED:
                return  # nothing is missing; the checksum decides whether that is true
            answer.raise_for_status()
            with archive.open("ab" if answer.status_code == _PARTIAL else "wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
                    tick()


def extract(archive: Path, release: Release, into: Path) -> list[Path]:
    """Write the archive's members that `release` names into `into`, executable, and return them.

    Raises:
        ToolchainError: a named member is not in the archive.

    """
    written: list[Path] = []
    unseen = set(release.members)
    with _entries(archive, release.url) as entries:
        for name, open_entry in entries:
            pattern, target = _match(name, release.members)
            if pattern is None:
                continue
            unseen.discard(pattern)
            path = into / target
            with open_entry() as source, path.open("wb") as file:
                shutil.copyfileobj(source, file)
            path.chmod(0o755)
            written.append(path)
    if unseen:
        raise ToolchainError(f"{release.url} does not hold {', '.join(sorted(unseen))}: correct toolchain/releases.py")
    return written


_Entry = tuple[str, Callable[[], IO[bytes]]]


def _match(name: str, members: Mapping[str, str]) -> tuple[str | None, str]:
    for pattern, target in members.items():
        if fnmatch.fnmatchcase(name.removeprefix("./"), pattern):
            return pattern, target or os.path.basename(name)  # noqa: PTH119 - a name in an archive, not a path here
    return None, ""


@contextmanager
def _entries(archive: Path, url: str) -> Iterator[Iterator[_Entry]]:
    """Open an archive by what its address says it is; only regular files are seen."""
    if url.endswith(".zip"):
        with zipfile.ZipFile(archive) as zipped:
            yield ((name, partial(zipped.open, name)) for name in zipped.namelist() if not name.endswith("/"))
    else:
        with tarfile.open(archive, "r:gz") as tar:
            yield ((item.name, partial(_regular, tar, item)) for item in tar if item.isfile())


def _regular(tar: tarfile.TarFile, item: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(item)
    if file is None:
        raise ToolchainError(f"{item.name} is not a regular file")
    return file


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
