"""What a backend needs to run, said once: a `Workload` is realised as local processes or as Kubernetes objects.

Pure data. `Placement` carries what differs between the two realisers (addresses, data folder), so that the same
rendered configuration runs in both.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

CONFIG_DIR: Final = "{config_dir}"
"""Stands in `command` and `check` for the folder that holds `Workload.files`; the realiser fills it in."""


class Placement(Protocol):
    """Where workloads live: the realiser's answers to `who listens where` and `where does data go`."""

    def listen(self, port: str) -> str:
        """`host:port` that the owner of the named port binds."""

    def address(self, port: str) -> str:
        """`host:port` under which others reach the named port."""

    def members(self, port: str) -> tuple[str, ...]:
        """`host:port` of every replica of the port's owner; `address` alone where there is one."""

    def own_host(self) -> str:
        """Host under which a workload's other replicas reach it, as its configuration says it."""

    def data_dir(self, workload: str) -> str:
        """Absolute folder for the workload's persistent data."""


class Api(StrEnum):
    """What a workload asks of the Kubernetes API; it gets a token only for that."""

    NONE = "none"
    OWN_PODS = "own-pods"
    """Finding the pods of its own namespace."""
    SENDERS = "senders"
    """Knowing the pods that send telemetry, in all namespaces."""
    STATES = "states"
    """Watching the states of pods and of what runs them, in all namespaces."""


class Outside(StrEnum):
    """What a workload reaches beyond its namespace."""

    API = "api"
    HTTPS = "https"
    POSTGRES = "postgres"
    """A database whose address is a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """One value of a secret, by its name in `stacks.cluster.secrets`, as a variable or as a file.

    With `secret` it is a key of a `Secret` that somebody else keeps, such as a certificate that is renewed. `reread`:
    the program notices a new value by itself; for any other a new value means new pods.
    """

    value: str
    variable: str = ""
    file: str = ""
    secret: str = ""
    reread: bool = False

    def __post_init__(self) -> None:
        if bool(self.variable) == bool(self.file):
            raise ValueError(f"SecretUse {self.value}: give either variable or file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """An HTTP path on a named port, or an open port where `path` is empty, or a command."""

    port: str = ""
    path: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One backend.

    `command[0]` and the first word of every check name a binary of the toolchain. `files` maps a relative name to
    text. `ports` are names of `stacks.ports.PORTS`. Checks run before a start and fail on a configuration that the
    binary would refuse. `stop_s` is how long a graceful stop may take.

    The rest counts in a cluster only. `image` is a row of `stacks.versions`; `calls` are ports of others that it
    reaches, `outside` what it reaches beyond, `reaches` addresses of external services; `reloaded` are
    those of `files` that are read again while it runs; `scratch` are folders that it writes and need not keep; `alive`
    tells a hanging process from a busy one;
    `data_path` is where its image wants the volume; `metrics_port` is scraped; empty, the image gives no metrics that
    Prometheus could read;
    `ready` replaces `ready_port` and `ready_path` where no HTTP path tells.
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
    image: str = ""
    calls: tuple[str, ...] = ()
    outside: tuple[Outside, ...] = ()
    reaches: tuple[str, ...] = ()
    api: Api = Api.NONE
    secrets: tuple[SecretUse, ...] = ()
    reloaded: frozenset[str] = frozenset()
    scratch: tuple[str, ...] = ()
    writes_data: bool = True
    data_path: str = ""
    metrics_port: str = ""
    ready: Probe | None = None
    alive: Probe | None = None
    uid: int = 10_001

    @property
    def binaries(self) -> frozenset[str]:
        """Names of all binaries this workload runs."""
        return frozenset({self.command[0], *(check[0] for check in self.checks)})
