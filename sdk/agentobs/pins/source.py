"""Where snapshots come from: a file that is looked at again and again, or the release controller by long poll.

Both answer what they have at once the first time, and later wait until there is something newer.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

import requests

from agentobs.pins.snapshot import SnapshotError

_LOOK_S: Final = 0.25
_LONG_S: Final = 25.0
_CONNECT_S: Final = 5.0
_GOODBYE_S: Final = 1.0
_LARGEST: Final = 16 * 1024 * 1024


class SourceError(SnapshotError):
    """The source does not answer; what was held stays in use and it is asked again."""


class Source(Protocol):
    """Snapshots of one environment, and the texts that they pin."""

    def next(self, after: int, wait_s: float) -> bytes | None:
        """A snapshot other than revision `after` (0: any); None after `wait_s` without one. Raises SourceError."""

    def text(self, sha256: str) -> bytes:
        """A pinned text. Raises SourceError."""

    def leave(self) -> None:
        """Say that this process ends, to whom it matters. Raises SourceError."""


class FileSource:
    """A snapshot file, beside a folder `content` of texts, as `agentobs release` keeps them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def next(self, after: int, wait_s: float) -> bytes | None:  # noqa: ARG002 the file says itself what it is
        """The file once its time, inode or size is another: a file moved back in place is seen too."""
        until = time.monotonic() + wait_s
        while True:
            try:
                found = self._path.stat()
                seen = (found.st_mtime_ns, found.st_ino, found.st_size)
                if seen != self._seen:
                    data = self._path.read_bytes()
                    self._seen = seen
                    return data
            except OSError as error:
                raise SourceError(f"{self._path} cannot be read: {error.strerror}") from None
            if (left := until - time.monotonic()) <= 0:
                return None
            time.sleep(min(_LOOK_S, left))

    def text(self, sha256: str) -> bytes:
        """A file of the folder `content`."""
        path = self._path.parent.parent / "content" / sha256
        try:
            return path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None

    def leave(self) -> None:
        """A file does not mind."""


class HttpSource:
    """The release controller. `headers` carry the login; each agent process has an `instance` of its own."""

    def __init__(self, url: str, environment: str, instance: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._path = f"/v1/environments/{quote(environment, safe='')}/snapshot"
        self._instance = instance
        self._headers = dict(headers or {})
        self._session = requests.Session()
        self._session.max_redirects = 0

    def next(self, after: int, wait_s: float) -> bytes | None:
        """Ask and wait; `after` also tells the controller what this process runs."""
        wait = min(wait_s, _LONG_S)
        query = {"after": str(after), "instance": self._instance, "wait": f"{wait:g}"}
        answer = self._get(self._path, query, wait + 2 * _CONNECT_S)
        return None if answer.status_code == requests.codes.no_content else answer.content

    def text(self, sha256: str) -> bytes:
        """A text by its digest."""
        return self._get(f"/v1/content/{sha256}", {}, 2 * _CONNECT_S).content

    def leave(self) -> None:
        """Tell the controller, for which a process that is silent is deaf."""
        query = {"instance": self._instance, "leaving": "1"}
        try:
            requests.get(f"{self._url}{self._path}", params=query, headers=self._headers, timeout=_GOODBYE_S)
        except requests.RequestException as error:
            raise SourceError(f"the release controller {self._url} does not answer: {type(error).__name__}") from None

    def _get(self, path: str, query: Mapping[str, str], read_s: float) -> requests.Response:
        try:
            answer = self._session.get(
                f"{self._url}{path}", params=query, headers=self._headers, timeout=(_CONNECT_S, read_s)
            )
        except requests.RequestException as error:
            raise SourceError(f"the release controller {self._url} does not answer: {type(error).__name__}") from None
        if answer.status_code not in {requests.codes.ok, requests.codes.no_content}:
            raise SourceError(f"the release controller {self._url} answered {answer.status_code}")
        if len(answer.content) > _LARGEST:
            raise SourceError(f"the release controller {self._url} answered {len(answer.content)} bytes")
        return answer
