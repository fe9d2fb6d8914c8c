"""The first process of the node's namespaces: starts everything, passes connections on, ends with all of it.

`python -m support.node.inside FOLDER CGROUP LISTENER`, where LISTENER is the descriptor of a listening socket that was
made outside. It goes on accepting there, while what this process connects to is inside: the only way in.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import psutil
import requests

import toolchain
from collector.document import to_yaml
from support import stores
from support.control_plane import api_server_arguments, etcd_arguments
from support.node import images, settings
from support.node.machine import Volumes
from support.node.python_image import python_image

BINARIES: Final = ("node", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
BACKENDS: Final = (
    "alertmanager",
    "prometheus",
    "otelcol",
    stores.BINARIES[stores.TRACES],
    stores.BINARIES[stores.LOGS],
)
_BOUND: Final = ("run", "var/lib", "var/log")
"""Folders of the machine that have a private stand-in here, so that nothing is written to the real ones."""
_STARTS_S: Final = 180


class Machine:
    """Everything on the node. A process that ends ends the node, as nothing would work without it."""

    def __init__(self, folder: Path, cgroup: str) -> None:
        self.folder, self.cgroup = folder, cgroup
        self.names: dict[int, str] = {}
        self.binaries = {name: str(path) for name, path in toolchain.require([*BINARIES, *BACKENDS]).items()}

    def start(self) -> None:
        """Bring everything up; the API server answers when this returns, the rest follows."""
        self._files()
        for command in settings.network_commands():
            subprocess.run(command, check=True)
        self._daemon("containerd", "/usr/bin/containerd", f"--config={self.folder}/containerd.toml")
        loading = threading.Thread(target=self._load_images)
        loading.start()
        self._daemon("etcd", self.binaries["etcd"], *etcd_arguments(self.folder, 2379, 2380))
        self._daemon("kube-apiserver", self.binaries["kube-apiserver"], *self._api_server())
        self._await_api()
        self._controllers()
        self._daemon(
            "kube-network-policies",
            self.binaries["kube-network-policies"],
            f"--kubeconfig={self._kubeconfig}",
            f"--node={settings.NODE}",
        )
        config = f"--config={self.folder}/kube-proxy.yaml"
        self._daemon("kube-proxy", self.binaries["kube-proxy"], config)
        loading.join()
        self._kubelet()

    @property
    def _kubeconfig(self) -> str:
        return str(self.folder / "kubeconfig-inside")

    def _files(self) -> None:
        cni = self.folder / "cni"
        for folder in (cni, self.folder / "volumes"):
            folder.mkdir()
        (cni / "pods.conflist").write_text(json.dumps(settings.pod_network()))
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (self.folder / "containerd.toml").write_text(settings.containerd(str(cni)))
        kubelet = settings.kubelet(self.cgroup, f"{self.folder}/resolv.conf", psutil.virtual_memory().total // 2**20)
        (self.folder / "kubelet.yaml").write_text(to_yaml(kubelet))
        (self.folder / "kube-proxy.yaml").write_text(to_yaml(settings.proxy(self._kubeconfig)))

    def _daemon(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self.names[process.pid] = name

    def _load_images(self) -> None:
        deadline = time.monotonic() + _STARTS_S
        while not Path(settings.RUNTIME).exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        paths = {name: Path(path) for name, path in self.binaries.items()}
        command = ["ctr", "--address", settings.RUNTIME, "-n", "k8s.io", "images", "import", "--no-unpack", "-"]
        with (self.folder / "images.log").open("ab") as log:
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log) as loader:
                assert loader.stdin
                images.write([*images.all_images(paths), python_image()], loader.stdin)
            assert loader.returncode == 0, f"images were not loaded; see {log.name}"

    def _api_server(self) -> list[str]:
        return [
            *api_server_arguments(self.folder, 2379, settings.API_PORT, settings.SERVICES),
            "--bind-address=0.0.0.0",
            f"--advertise-address={settings.ADDRESS}",
            "--kubelet-preferred-address-types=InternalIP",
        ]

    def _await_api(self) -> None:
        deadline = time.monotonic() + _STARTS_S
        authority = self.folder / "certificates" / "apiserver.crt"
        while True:
            with contextlib.suppress(requests.RequestException, OSError):
                if requests.get(f"https://localhost:{settings.API_PORT}/readyz", verify=str(authority), timeout=2).ok:
                    return
            assert time.monotonic() < deadline, "the API server did not become ready; see kube-apiserver.log"
            time.sleep(0.2)

    def _controllers(self) -> None:
        kubeconfig = f"--kubeconfig={self._kubeconfig}"
        self._daemon(
            "kube-controller-manager",
            self.binaries["kube-controller-manager"],
            kubeconfig,
            "--leader-elect=false",
            f"--service-account-private-key-file={self.folder}/service-account.key",
            f"--root-ca-file={self.folder}/certificates/apiserver.crt",
            "--use-service-account-credentials=true",
        )
        self._daemon("kube-scheduler", self.binaries["kube-scheduler"], kubeconfig, "--leader-elect=false")

    def _kubelet(self) -> None:
        self._daemon(
            "kubelet",
            self.binaries["kubelet"],
            f"--config={self.folder}/kubelet.yaml",
            f"--kubeconfig={self._kubeconfig}",
            f"--node-ip={settings.ADDRESS}",
            f"--hostname-override={settings.NODE}",
            f"--cert-dir={self.folder}/kubelet-certificates",
            "--node-labels=topology.kubernetes.io/zone=a",
        )

    def watch(self) -> None:
        """Collect every process that ends; returns a sentence when it is one of the node's."""
        while True:
            pid, status = os.wait()
            if pid in self.names:
                code = os.waitstatus_to_exitcode(status)
                sys.exit(f"{self.names[pid]} ended with {code}; see {self.folder}/{self.names[pid]}.log")


def _own_view(folder: Path) -> None:
    """Nothing of the machine is written to: neither its folders nor the kernel's settings."""
    for name in _BOUND:
        own = folder / "bound" / name
        own.mkdir(parents=True)
        subprocess.run(["mount", "--bind", str(own), f"/{name}"], check=True)
    for name, value in settings.KERNEL.items():
        shown = folder / "kernel" / name
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(f"{value}\n")
        subprocess.run(["mount", "--bind", str(shown), f"/proc/sys/{name}"], check=True)


def _pass_on(listener: socket.socket) -> None:
    """Every connection from outside goes to the API server."""
    while True:
        outer, _ = listener.accept()
        try:
            inner = socket.create_connection(("127.0.0.1", settings.API_PORT))
        except OSError:
            outer.close()  # not up yet
            continue
        for source, target in ((outer, inner), (inner, outer)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def main() -> None:
    """Start the node and stay until it ends."""
    folder, cgroup, descriptor = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _own_view(folder)
    listener = socket.socket(fileno=descriptor)
    threading.Thread(target=_pass_on, args=(listener,), daemon=True).start()
    machine = Machine(folder, cgroup)
    machine.start()
    volumes = Volumes(folder, port=settings.API_PORT, token=os.environ["AGENTOBS_NODE_TOKEN"])
    threading.Thread(target=volumes.provide_volumes, daemon=True).start()
    machine.watch()


if __name__ == "__main__":
    main()
