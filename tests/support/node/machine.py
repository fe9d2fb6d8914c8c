"""The node seen from outside: start, wait, reach its API server, stop, and leave nothing behind."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from collector.document import to_yaml
from support.control_plane import ControlPlane, storage_class, volume_for
from support.node import objects, settings

_TESTS: Final = Path(__file__).resolve().parents[2]
_CGROUPS: Final = Path("/sys/fs/cgroup")
_READY_S: Final = 240
_ENDS_S: Final = 20
_PROGRAMS: Final = ("busybox", "containerd", "ctr", "ip", "iptables", "mkfs.ext4", "openssl", "runc", "setpriv")
_NAMESPACES: Final = ("--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL", "--mount-proc")


class NodeError(RuntimeError):
    """The node did not start, or not everything of it went away."""


@dataclass
class Node(ControlPlane):
    """One node below `folder`. Its API server answers at `port` of this computer's loopback."""

    port: int = 0
    took: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def cgroup(self) -> str:
        """Name of its group below every hierarchy; from the folder, so that another process finds it too."""
        return f"agentobs-{hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]}"

    def start(self, *, outlives: bool = False) -> None:
        """Start everything and wait until the node is ready and resolves names.

        `outlives`: it goes on when this process ends.
        """
        began = time.monotonic()
        missing = [program for program in _PROGRAMS if shutil.which(program) is None]
        if missing or os.geteuid() != 0:
            raise NodeError(f"a node needs root and, of tests/debian-packages.txt: {', '.join(missing) or 'all'}")
        self.folder.mkdir(parents=True, exist_ok=True)
        process = self._first_process(outlives=outlives)
        try:
            self._await_api(process)
            for each in (storage_class(), *objects.names()):
                self.make(each)
            self._await(process, began, self._node_ready)
            self._await(process, began, self._names_resolve)
        except (AssertionError, NodeError) as error:
            self.stop()
            raise NodeError(str(error)) from error
        self.took["node up"] = time.monotonic() - began

    def _first_process(self, *, outlives: bool) -> "subprocess.Popen[bytes]":
        for hierarchy in _hierarchies():
            (hierarchy / self.cgroup).mkdir(exist_ok=True)
        with socket.socket() as listener, (self.folder / "node.log").open("ab") as log:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            self.port = listener.getsockname()[1]
            self.write_credentials()
            inside = self.kubeconfig_to(f"https://localhost:{settings.API_PORT}")
            (self.folder / "kubeconfig-inside").write_text(to_yaml(inside))
            tied = [] if outlives else ["setpriv", "--pdeathsig", "KILL"]
            first = [sys.executable, "-m", "support.node.inside", str(self.folder), self.cgroup, str(listener.fileno())]
            process = subprocess.Popen(
                [*tied, "unshare", *_NAMESPACES, *first],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_TESTS.parent,
                env={**os.environ, "PYTHONPATH": f"{_TESTS}:{_TESTS.parent}", "AGENTOBS_NODE_TOKEN": self.token},
                pass_fds=[listener.fileno()],
                start_new_session=outlives,
            )
        (self.folder / "pid").write_text(str(process.pid))
        return process

    def make(self, manifest: dict[str, Any]) -> None:
        """Create an object."""
        self.api("POST", _listed_at(manifest), manifest)

    def drop(self, manifest: dict[str, Any]) -> None:
        """Delete an object."""
        self.api("DELETE", f"{_listed_at(manifest)}/{manifest['metadata']['name']}")

    def _await_api(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _READY_S
        while True:
            with contextlib.suppress(AssertionError, OSError):
                # The namespace is there when the controllers work.
                self.api("GET", "/api/v1/namespaces/kube-system/serviceaccounts/default")
                return
            self._check(process, deadline, "the API server does not answer")
            time.sleep(0.3)

    def _await(self, process: "subprocess.Popen[bytes]", began: float, probe: Callable[[], bool]) -> None:
        while True:
            with contextlib.suppress(OSError):  # when the node ended, `_check` says why
                if probe():
                    return
            self._check(process, began + _READY_S, "the node is not ready")
            time.sleep(0.3)

    def _check(self, process: "subprocess.Popen[bytes]", deadline: float, what: str) -> None:
        if process.poll() is not None:
            raise NodeError(f"the node ended: {(self.folder / 'node.log').read_text()[-1500:]}\n{self.logs()}")
        if time.monotonic() > deadline:
            raise NodeError(f"{what} after {_READY_S} s: {self.logs()}")

    def _node_ready(self) -> bool:
        conditions = [c for node in self.listed("/api/v1/nodes") for c in node["status"].get("conditions", [])]
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _names_resolve(self) -> bool:
        status = self.api("GET", "/apis/apps/v1/namespaces/kube-system/deployments/coredns")["status"]
        return bool(status.get("readyReplicas"))

    def seen(self, path: Path) -> Path:
        """A path inside, with what is mounted there, as it can be opened from outside."""
        holder = (self.folder / "pid").read_text()
        first = Path(f"/proc/{holder}/task/{holder}/children").read_text().split()[0]
        return Path(f"/proc/{first}/root") / path.relative_to("/")

    def stop(self) -> None:
        """End every process, whatever state it is in; mounts, links and rules end with the last one."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            _end(int((self.folder / "pid").read_text()))
        left = [hierarchy / self.cgroup for hierarchy in _hierarchies() if not _remove_group(hierarchy / self.cgroup)]
        if left:
            raise NodeError(f"groups with processes are left: {', '.join(map(str, left))}")

    def remove(self) -> None:
        """End it and delete its files; nothing to do where there is no node."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Volumes(Node):
    """The storage provisioner, which runs inside: a file system of the claimed size for every claim."""

    def volume(self, name: str, claim: dict[str, Any]) -> dict[str, Any]:
        made = volume_for(name, claim)
        path, image = self.folder / "volumes" / name, self.folder / "volumes" / f"{name}.img"
        if not path.exists():
            path.mkdir(parents=True)
            size = claim["spec"]["resources"]["requests"]["storage"].removesuffix("i")
            subprocess.run(["truncate", "-s", size, str(image)], check=True)
            subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", str(image)], check=True)
            subprocess.run(["mount", "-o", "loop", str(image), str(path)], check=True)
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [settings.NODE]}
        made["spec"]["local"] = {"path": str(path)}
        made["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
        return made

    def drop_volume(self, name: str) -> None:
        path = self.folder / "volumes" / name
        subprocess.run(["umount", str(path)], check=False)
        path.rmdir()
        path.with_suffix(".img").unlink()
        super().drop_volume(name)


def _listed_at(manifest: dict[str, Any]) -> str:
    """Path of the objects of its kind."""
    group, kind = manifest["apiVersion"], manifest["kind"].lower()
    plural = f"{kind}es" if kind.endswith("s") else f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    namespace = manifest["metadata"].get("namespace")
    where = f"/namespaces/{namespace}" if namespace else ""
    root = "/api/v1" if group == "v1" else f"/apis/{group}"
    return f"{root}{where}/{plural}"


def _hierarchies() -> list[Path]:
    """Where groups are made: the folders of cgroup v1, or the one of v2."""
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [each for each in _CGROUPS.iterdir() if each.is_dir() and not each.is_symlink()]


def _remove_group(group: Path) -> bool:
    """Remove a group with all below it; processes that are just ending are waited for."""
    deadline = time.monotonic() + _ENDS_S
    while group.exists():
        for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _end(pid: int) -> None:
    """End the process that holds the namespaces; the kernel ends the rest with the first process inside."""
    if "support.node.inside" not in _command(pid):
        return  # somebody else has that number now
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@contextmanager
def node(folder: Path) -> Iterator[Node]:
    """A started node, gone with its files afterwards."""
    made = Node(folder)
    try:
        made.start()
        yield made
    finally:
        made.remove()
