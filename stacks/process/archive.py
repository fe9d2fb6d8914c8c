"""What a stack on this computer has stored, as one file, and back. The stack is down while either happens.

A copy of files that are being written is torn; stopped, each backend finds what it left. Not here: clusters
(`stacks.cluster.snapshots`).
"""

import gzip
import json
import shutil
import tarfile
import time
from pathlib import Path
from typing import Final

from agentobs.errors import AgentobsError
from stacks import atomic
from stacks.process import private
from stacks.process.layout import StackDir
from stacks.process.supervisor import members

_ABOUT: Final = "agentobs-backup.json"
_DATA: Final = "data"
_CHUNK: Final = 2**20


class ArchiveError(AgentobsError):
    """A backup that cannot be made or put back; the message names the reason and the fix."""


def create(layout: StackDir, stack: str, file: Path) -> None:
    """Write everything stored to `file` (tar, gzip), whole or not at all. Raises ArchiveError."""
    _require_down(layout, stack)
    if not layout.data.exists():
        raise ArchiveError(f"the stack {stack} has stored nothing yet; fix: agentobs up")
    about = layout.root / _ABOUT
    about.write_text(json.dumps({"stack": stack, "made": time.time()}), encoding="utf-8")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # What was sent may hold what people wrote: for the owner's eyes only.
        with atomic.replacing(file, private.FILE) as part, tarfile.open(part, "w:gz", compresslevel=1) as archive:
            archive.add(about, _ABOUT)
            archive.add(layout.data, _DATA)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror}; fix: --out") from None
    finally:
        about.unlink()


def restore(layout: StackDir, stack: str, file: Path) -> None:
    """Put back what `file` holds, where nothing is stored; whole or not at all. Raises ArchiveError."""
    _require_down(layout, stack)
    if layout.data.exists():
        raise ArchiveError(
            f"the stack {stack} has data in {layout.data}, which would be lost."
            f" Fix: agentobs backup create --out FOLDER, then agentobs down --delete-data"
        )
    unpacked = layout.root / ".restoring"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    try:
        with gzip.open(file) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                archive.extractall(unpacked, filter="data")
            while stream.read(_CHUNK):  # the checksum is at the end
                pass
        about = json.loads((unpacked / _ABOUT).read_text(encoding="utf-8"))
        (unpacked / _DATA).replace(layout.data)
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        raise ArchiveError(f"{file} is no whole backup of ours: {error}") from None
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    if about["stack"] != stack:  # pragma: no cover - there is one local stack
        raise ArchiveError(f"{file} is a backup of {about['stack']}")


def _require_down(layout: StackDir, stack: str) -> None:
    if members(layout):
        raise ArchiveError(
            f"the stack {stack} is running, and a copy of files in use is torn. Fix: agentobs down (stored data stays)"
        )
