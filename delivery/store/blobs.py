"""The one primitive of the store: create what is not there yet. Nothing is changed or removed, ever.

Two programs keep blobs: files here (`files`), immutable ConfigMaps in a cluster (`stacks.cluster`).
"""

import re
from typing import Final, Protocol

from delivery.errors import DeliveryError

_PART: Final = r"[a-z0-9]([a-z0-9-]{0,78}[a-z0-9])?"
_KEY: Final = re.compile(rf"\A{_PART}(/{_PART}){{1,3}}\Z")


class StoreError(DeliveryError):
    """The store cannot be reached, read or written; nothing was half written."""


class Taken(Exception):  # noqa: N818 no failure: somebody was first, and the caller goes on from there
    """The key is there already."""


class Blobs(Protocol):
    """Bytes by key, such as `environments/prod/00000042`."""

    def create(self, key: str, data: bytes) -> None:
        """Keep `data` for good. Raises Taken where the key is there, whatever its bytes, and StoreError."""

    def read(self, key: str) -> bytes | None:
        """The bytes of a key, None where it is not there. Raises StoreError."""

    def keys(self, folder: str) -> list[str]:
        """The keys directly below `folder`, sorted. Raises StoreError."""


def checked(key: str) -> str:
    """The key, which is a path below the store and nothing else. Raises StoreError."""
    if not _KEY.match(key):
        raise StoreError(f"{key!r} is no key of a store; expected names of small letters, digits and dashes")
    return key
