"""What the controller itself keeps, beside releases and revisions: alerts that came, looks at canaries, effects done.

As blobs of the same store: created once, so two controllers never do the same thing twice without noticing.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agentobs.canonical import canonical
from delivery.store import Blobs, StoreError, Taken


class Journal:
    """Small documents by key. Every method raises StoreError where the store cannot be used."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def add(self, key: str, document: Mapping[str, Any]) -> bool:
        """Keep a document; False where there is one already, whatever it says."""
        try:
            self._blobs.create(key, canonical(dict(document)) + b"\n")
        except Taken:
            return False
        return True

    def get(self, key: str) -> dict[str, Any] | None:
        """A document, None where there is none."""
        data = self._blobs.read(key)
        if data is None:
            return None
        try:
            found = json.loads(data)
        except ValueError:
            raise StoreError(f"{key} in the store is no JSON; fix: restore it from a backup") from None
        if not isinstance(found, dict):
            raise StoreError(f"{key} in the store is no document; fix: restore it from a backup")
        return found

    def names(self, folder: str) -> list[str]:
        """The last part of every key below a folder, sorted."""
        return [key.rpartition("/")[2] for key in self._blobs.keys(folder)]

    def newest(self, folder: str, most: int) -> Iterator[dict[str, Any]]:
        """The documents of a folder by descending name, at most so many."""
        for name in reversed(self.names(folder)[-most:]):
            found = self.get(f"{folder}/{name}")
            if found is not None:
                yield found
