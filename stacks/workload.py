"""What a backend needs to run, said once: a `Workload` is realised as local processes or as Kubernetes objects.

Pure data. `Placement` carries what differs between the two realisers (addresses, data folder), so that the same
rendered configuration runs in both.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

CONFIG_DIR: Final = "{config_dir}"
"""Stands in `command` and `check` for the folder that holds `Workload.files`; the realiser fills it in."""


class Placement(Protocol):
    """Where workloads live: the realiser's answers to `who listens where` and `where does data go`."""

    def listen(self, port: str) -> str:
        """`host:port` that the owner of the named port binds."""

    def address(self, port: str) -> str:
        """`host:port` under which others reach the named port."""

    def data_dir(self, workload: str) -> str:
        """Absolute folder for the workload's persistent data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One backend.

    `command[0]` and the first word of every check name a binary of the toolchain. `files` maps a relative name to
    text. `ports` are names of `stacks.ports.PORTS`. Checks run before a start and fail on a configuration that the
    binary would refuse. `stop_s` is how long a graceful stop may take.
    """

    name: str
    command: tuple[str, ...]
    files: dict[str, str]
    checks: tuple[tuple[str, ...], ...]
    ports: tuple[str, ...]
    ready_port: str
    ready_path: str
    ready_timeout_s: int = 60
    stop_s: int = 20
    env: dict[str, str] = field(default_factory=dict)

    @property
    def binaries(self) -> frozenset[str]:
        """Names of all binaries this workload runs."""
        return frozenset({self.command[0], *(check[0] for check in self.checks)})
