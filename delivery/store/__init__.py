"""Where releases and revisions are kept: created once, never changed."""

from delivery.store.blobs import Blobs, StoreError, Taken
from delivery.store.files import FileBlobs
from delivery.store.store import Store

__all__ = ["Blobs", "FileBlobs", "Store", "StoreError", "Taken"]
