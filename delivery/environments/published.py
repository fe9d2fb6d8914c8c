"""The newest snapshot of an environment as a file, for agents on this computer that read no controller."""

import os
from pathlib import Path
from typing import Final

from filelock import FileLock

from agentobs.canonical import canonical
from delivery.environments.snapshot import snapshot
from delivery.store import Store, StoreError

_FOLDER: Final = 0o700
_FILE: Final = 0o600


def publish(store: Store, environment: str, file: Path) -> Path | None:
    """Write the newest snapshot; None where nothing was promoted yet. Raises StoreError.

    Under a lock, and from the newest revision that the store has by then: an older one never replaces a newer.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):
            head = store.head(environment)
            if head is None or head.stable is None:
                return None
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _FILE), "wb") as text:
                text.write(canonical(snapshot(head, store)) + b"\n")
            part.replace(file)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written: {error.strerror}; agents that read it go on as they are; fix: give it space and"
            " this user's rights"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return file
