"""Releases, the texts that they pin, and the revisions of each environment, over blobs.

What is read is checked: a release by its id, a text by its digest, a revision by its number and its environment.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from delivery.environments import state
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.releases import Release, document
from delivery.store.blobs import Blobs, StoreError, Taken

_DIGITS: Final = 8
# A folder that is read while others write may show a new file and not the one before it.
_LOOKS: Final = 5


class Store:
    """What is kept for good. Every method raises StoreError where the store cannot be reached or was tampered with."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._known: dict[str, Release] = {}

    def add_release(self, release: Release, texts: dict[str, str]) -> str:
        """Keep a release and the texts that it pins, by digest; doing it again changes nothing. Returns its id."""
        for text in texts.values():
            self._once(f"content/{hashlib.sha256(text.encode()).hexdigest()}", text.encode())
        self._once(f"releases/{release.id}", release.spelled)
        return release.id

    def release(self, id_: str) -> Release:
        """A release by id. Raises DeliveryError where there is none, StoreError where it is not what its id says."""
        if id_ in self._known:
            return self._known[id_]
        data = self._blobs.read(f"releases/{id_}")
        if data is None:
            raise DeliveryError(f"there is no release {id_}; fix: `agentobs release list` shows those that there are")
        found = document.parse(data, f"release {id_}")
        if found.id != id_ or found.spelled != data:
            raise StoreError(f"release {id_} was changed after it was kept; do not use it; fix: build it again")
        self._known[id_] = found
        return found

    def releases(self) -> list[str]:
        """The ids of all releases."""
        return [key.rpartition("/")[2] for key in self._blobs.keys("releases")]

    def text(self, sha256: str) -> str:
        """A text by its digest. Raises StoreError where it is missing or was changed."""
        data = self._blobs.read(f"content/{sha256}")
        if data is None:
            raise StoreError(f"the text {sha256[:12]} is not in the store; fix: build or pull its release again")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"the text {sha256[:12]} was changed after it was kept; do not use it")
        return data.decode()

    def sign(self, id_: str, signature: bytes) -> None:
        """Keep a signature of a release; several may sign it. A second one of the same bytes changes nothing."""
        self._once(f"signatures/{id_}/{hashlib.sha256(signature).hexdigest()[:12]}", signature)

    def signatures(self, id_: str) -> list[bytes]:
        """The signatures of a release."""
        found = (self._blobs.read(key) for key in self._blobs.keys(f"signatures/{id_}"))
        return [data for data in found if data is not None]

    def environments(self) -> list[str]:
        """The environments that have a revision."""
        return [key.rpartition("/")[2] for key in self._blobs.keys("environments")]

    def numbers(self, environment: str) -> list[int]:
        """The numbers of an environment's revisions, from 1. Raises StoreError where one is missing in between."""
        for _ in range(_LOOKS):
            found = self._listed(environment)
            if found == list(range(1, len(found) + 1)):
                return found
        missing = sorted(set(range(1, found[-1] + 1)) - set(found))
        raise StoreError(
            f"environment {environment}: revision {missing[0]} is missing from the store; fix: restore it from a backup"
        )

    def head(self, environment: str) -> Revision | None:
        """The newest revision, None where there is none yet."""
        numbers = self.numbers(environment)
        return self.revision(environment, numbers[-1]) if numbers else None

    def newer(self, environment: str, than: int) -> Revision | None:
        """The newest revision where it is newer than `than`: one read while there is none. Raises StoreError."""
        if than and self._blobs.read(_key(environment, than + 1)) is None:
            return None
        head = self.head(environment)
        return head if head is not None and head.revision > than else None

    def revision(self, environment: str, number: int) -> Revision:
        """One revision. Raises StoreError where it is missing or says another number or environment."""
        data = self._blobs.read(_key(environment, number))
        if data is None:
            raise StoreError(f"environment {environment} has no revision {number}")
        found = state.parse(data, f"revision {number} of {environment}")
        if (found.environment, found.revision) != (environment, number) or found.spelled != data:
            raise StoreError(f"revision {number} of {environment} was changed after it was kept; do not use it")
        return found

    def append(self, revision: Revision) -> None:
        """Keep the next revision. Raises Taken where somebody was first."""
        self._blobs.create(_key(revision.environment, revision.revision), revision.spelled)

    def history(self, environment: str) -> Iterator[Revision]:
        """All revisions, newest first. Raises StoreError where the chain of digests is broken."""
        after: Revision | None = None
        for number in reversed(self.numbers(environment)):
            found = self.revision(environment, number)
            if after is not None and after.previous != found.digest:
                raise StoreError(
                    f"revision {number} of {environment} is not the one that revision {after.revision} came after;"
                    " somebody changed the history; fix: restore the store from a backup"
                )
            yield found
            after = found

    def _listed(self, environment: str) -> list[int]:
        keys = self._blobs.keys(f"environments/{environment}")
        try:
            return [int(key.rpartition("/")[2]) for key in keys]
        except ValueError:
            raise StoreError(f"environment {environment}: something in the store is no revision: {keys}") from None

    def _once(self, key: str, data: bytes) -> None:
        try:
            self._blobs.create(key, data)
        except Taken:
            if self._blobs.read(key) != data:
                raise StoreError(f"{key} is in the store with other bytes; do not use it") from None


def _key(environment: str, number: int) -> str:
    return f"environments/{environment}/{number:0{_DIGITS}d}"
