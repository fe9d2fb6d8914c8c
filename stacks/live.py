"""Looks at a running stack on its machine with testinfra: processes, ports, files, versions, disk, memory.

Every function takes a testinfra host, so that the same questions can be asked over `local://`, `ssh://`, or
`kubectl://` where a pod has a shell. Nothing is changed. Not here: what is good enough (`runbooks.checklist`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Protocol

from runbooks.checklist.platform import Headroom, LiveCheck

_OTHERS_READ: Final = 0o044
_OTHERS: Final = 0o077
_OTHERS_ENTER: Final = 0o011
_VERSION: Final = re.compile(r"(?<![\w.])v?(\d+\.\d+\.\d+)")
_KIB: Final = 1024
_GIB: Final = 2**30


class Host(Protocol):
    """The part of a testinfra host that is used here; testinfra itself has no types."""

    @property
    def socket(self) -> Any:  # noqa: ANN401 testinfra has no types
        """Sockets."""

    def file(self, path: str) -> Any:  # noqa: ANN401 testinfra has no types
        """A file."""

    def run(self, command: str, *arguments: str) -> Any:  # noqa: ANN401 testinfra has no types
        """Run a command; `%s` in it stands for a quoted argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a stack should look like on its machine: pid and binary of every process (None: it does not run)."""

    processes: Mapping[str, int | None]
    binaries: Mapping[str, str]
    version_arguments: Mapping[str, Sequence[str]]
    versions: Mapping[str, str]
    ports: Mapping[str, int]
    secrets: Sequence[str]
    private: Sequence[str]


def examine(host: Host, expected: Expected) -> list[LiveCheck]:
    """Everything but room."""
    return [
        *processes(host, expected.processes),
        *ports(host, expected.ports),
        *secrets(host, expected.secrets, expected.private),
        *versions(host, expected),
    ]


def processes(host: Host, pids: Mapping[str, int | None]) -> Iterator[LiveCheck]:
    """Whether every process runs; a zombie does not."""
    for name, pid in pids.items():
        said = host.run("ps -o stat= -o etime= -p %s", str(pid)) if pid else None
        words = said.stdout.split() if said is not None and said.rc == 0 else []
        runs = bool(words) and not words[0].startswith("Z")
        yield LiveCheck(
            subject="processes",
            what=name,
            good=runs,
            message=f"runs since {words[1]} as {pid}" if runs else "does not run",
            fix="" if runs else "agentobs up",
        )


def ports(host: Host, wanted: Mapping[str, int]) -> Iterator[LiveCheck]:
    """Whether every port listens, and on loopback only."""
    listening: dict[int, set[str]] = {}
    for each in host.socket.get_listening_sockets():
        protocol, _, address = each.partition("://")
        if protocol == "tcp":
            at, _, number = address.rpartition(":")
            listening.setdefault(int(number), set()).add(at.strip("[]"))
    for name, number in wanted.items():
        found = listening.get(number, set())
        open_ = sorted(at for at in found if not (at.startswith("127.") or at == "::1"))
        said = f"open to the network at {', '.join(open_)}" if open_ else "loopback only" if found else "nobody listens"
        yield LiveCheck(
            subject="ports",
            what=f"{name} {number}",
            good=bool(found) and not open_,
            message=said,
            fix="" if found and not open_ else f"agentobs up; end what else holds port {number}",
        )


def secrets(host: Host, owned: Iterable[str], private: Iterable[str]) -> Iterator[LiveCheck]:
    """Files that are a secret (`owned`) have no rights for others; what holds some (`private`) cannot be reached."""
    for path in owned:
        yield _secret(host, path, forbidden=_OTHERS)
    for path in private:
        yield _secret(host, path, forbidden=_OTHERS_READ, shielded=_is_shielded(host, path))


def _secret(host: Host, path: str, forbidden: int, *, shielded: bool = False) -> LiveCheck:
    name = PurePosixPath(path).name
    file = host.file(path)
    if not file.exists:
        return LiveCheck(subject="secrets", what=name, good=False, message=f"{path} is missing", fix="agentobs up")
    good = shielded or not file.mode & forbidden
    said = f"mode {file.mode:04o}" + (" in a folder that others cannot enter" if shielded else "")
    return LiveCheck(
        subject="secrets", what=name, good=good, message=said, fix="" if good else f"chmod go= {PurePosixPath(path)}"
    )


def _is_shielded(host: Host, path: str) -> bool:
    """Whether a folder above keeps everybody else out."""
    return any(not host.file(str(folder)).mode & _OTHERS_ENTER for folder in PurePosixPath(path).parents)


def versions(host: Host, expected: Expected) -> Iterator[LiveCheck]:
    """Whether the binaries of running processes are of the pinned versions."""
    for name, binary in expected.binaries.items():
        arguments = expected.version_arguments.get(name, ("--version",))
        said = host.run(" ".join(["%s"] * (1 + len(arguments))), binary, *arguments)
        found = _VERSION.search(said.stdout or said.stderr)
        version = found[1] if found else "unknown"
        wanted = expected.versions[name]
        yield LiveCheck(
            subject="versions",
            what=name,
            good=version == wanted,
            message=f"{version}, pinned is {wanted}" if version != wanted else version,
            fix="" if version == wanted else "python -m toolchain build local; agentobs up",
        )


def disk(host: Host, folder: str, what: str = "disk") -> Iterator[Headroom]:
    """The disk of a folder; nothing where `df` does not answer."""
    lines = host.run("df -Pk %s", folder).stdout.splitlines()
    if len(lines) > 1:
        # The device may have spaces in its name: numbers are read from the right.
        _, used, free, *_ = lines[1].rsplit(None, 5)[1:]
        share = int(free) / max(1, int(used) + int(free))
        yield Headroom(what=what, free=share, message=f"{int(free) * _KIB / _GIB:.1f} GiB free for {folder}")


def memory(host: Host) -> Iterator[Headroom]:
    """The memory of a machine that tells it as Linux does."""
    told = host.file("/proc/meminfo")
    if told.exists:
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in told.content_string.splitlines() if line}
        free, every = sizes["MemAvailable"], sizes["MemTotal"]
        yield Headroom(what="memory", free=free / every, message=f"{free * _KIB / _GIB:.1f} GiB available")
