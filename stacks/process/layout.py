"""Folders and files of a local stack. Everything it writes lies below one state folder; pure path arithmetic.

`run/` goes with `pulumi destroy`; `data/` stays until someone deletes it on purpose.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# sun_path holds 108 bytes on Linux and 104 on macOS; supervisord adds a suffix of its own while it binds.
_MAX_SOCKET_PATH: Final = 90


@dataclass(frozen=True, slots=True)
class StackDir:
    """Paths of one local stack below its state folder `root`."""

    root: Path

    @property
    def run(self) -> Path:
        """What belongs to running processes: rendered configuration, logs, supervisord's own files."""
        return self.root / "run"

    @property
    def data(self) -> Path:
        """What the backends store."""
        return self.root / "data"

    @property
    def programs(self) -> Path:
        """One supervisord program file per process."""
        return self.run / "programs"

    @property
    def checked(self) -> Path:
        """Digests of configurations that their binaries have accepted."""
        return self.run / "checked"

    @property
    def supervisord_conf(self) -> Path:
        """Supervisord's main configuration."""
        return self.run / "supervisord.conf"

    @property
    def lock(self) -> Path:
        """Serialises changes to the set of programs. Outside `run/`, which a destroy removes."""
        return self.root / ".lock"

    @property
    def socket(self) -> Path:
        """Supervisord's control socket: in the run folder, or, where that path is too long, in the temp folder."""
        path = self.run / "supervisor.sock"
        if len(str(path)) <= _MAX_SOCKET_PATH:
            return path
        digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"agentobs-{digest}" / "supervisor.sock"

    def program(self, name: str) -> Path:
        """The program file of one process."""
        return self.programs / f"{name}.conf"

    def log(self, name: str) -> Path:
        """Standard output and error of one process."""
        return self.run / "logs" / f"{name}.log"

    def workload(self, name: str) -> Path:
        """Folder of all configurations of one process."""
        return self.run / "config" / name

    def config(self, name: str, digest: str) -> Path:
        """Folder of one configuration: named by its content, so that old and new exist side by side."""
        return self.workload(name) / digest
