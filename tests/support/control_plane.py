"""A real Kubernetes control plane on loopback: etcd, API server, controller manager, scheduler; kwok as kubelets.

Pods are scheduled, volumes bound, rollouts awaited and admission enforced as in any cluster; only containers do not
run. A pod whose image is on the host `broken.example` never becomes ready, as if it could not be pulled.
"""

import json
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests

import toolchain
from collector.document import to_yaml
from support.ports import free_ports

BROKEN: Final = "broken.example"
_STARTS_S: Final = 60
_ZONES: Final = ("a", "b", "c")
_NAMES: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
_FORWARDED: Final = (3000, 3100, 3200, 9090)
_NEVER: Final = f'.spec.containers.[].image | startswith("{BROKEN}")'


@dataclass
class ControlPlane:
    """Processes and files of one control plane below `folder`."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: free_ports(6))
    forwards: dict[int, int] = field(default_factory=lambda: dict(zip(_FORWARDED, free_ports(4), strict=True)))
    """Port of any pod -> port on loopback, where a test may listen in its place."""
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.ports[2]}"

    @property
    def authority(self) -> Path:
        """The certificate that the API server makes for itself."""
        return self.folder / "certificates" / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def kubeconfig_document(self) -> dict[str, Any]:
        return self.kubeconfig_to(self.url)

    def kubeconfig_to(self, server: str) -> dict[str, Any]:
        """A kubeconfig with one context, `test`, for those who reach the API server at this address."""
        cluster = {"server": server, "certificate-authority": str(self.authority)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }

    def start(self) -> None:
        """Start everything, in the order in which one needs the other."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = toolchain.require(_NAMES)
        self.binaries = {name: str(found[name]) for name in _NAMES}
        self.write_credentials()
        documents = [*_stages(), _port_forward(self.forwards)]
        (self.folder / "kwok.yaml").write_text("---\n".join(to_yaml(each) for each in documents))
        self._etcd()
        self._api_server()
        self._await_ready()
        self._controllers()
        self._kwok()
        for number, zone in enumerate(_ZONES):
            self.api("POST", "/api/v1/nodes", _node(number, zone, kubelet=self.ports[5]))
        self.api("POST", "/apis/storage.k8s.io/v1/storageclasses", storage_class())
        threading.Thread(target=self.provide_volumes, daemon=True).start()

    def stop(self) -> None:
        """End every process, the last started first."""
        self.ending.set()
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(3)  # nothing here is worth a graceful end
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API server; raises AssertionError with what it said when it refuses."""
        answer = requests.request(
            method,
            self.url + path,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": _content_type(method)},
            data=json.dumps(body) if body is not None else None,
            verify=str(self.authority),
            timeout=30,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def listed(self, path: str) -> list[dict[str, Any]]:
        """Items of a list."""
        items: list[dict[str, Any]] = self.api("GET", path)["items"]
        return items

    def make_namespace(self, name: str) -> None:
        """A namespace in which pods may be made: it has its account."""
        self.api("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self.await_true(lambda: bool(self.listed(f"/api/v1/namespaces/{name}/serviceaccounts")))

    def await_true(self, probe: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until it is."""
        deadline = time.monotonic() + seconds
        while not probe():
            assert time.monotonic() < deadline, f"not so within {seconds} s"
            time.sleep(0.1)

    def await_gone(self, namespace: str, seconds: float = 60) -> None:
        """Wait until a deleted namespace is gone."""
        deadline = time.monotonic() + seconds
        while namespace in {each["metadata"]["name"] for each in self.listed("/api/v1/namespaces")}:
            assert time.monotonic() < deadline, f"the namespace {namespace} is still there"
            time.sleep(0.2)

    def write_credentials(self) -> None:
        """The key of service accounts, the token of the one user, and the kubeconfig that holds it."""
        key = self.folder / "service-account.key"
        command = ["openssl", "genrsa", "-out", str(key), "2048"]
        subprocess.run(command, check=True, capture_output=True)
        (self.folder / "tokens.csv").write_text(f'{self.token},admin,admin,"system:masters"\n')
        self.kubeconfig.write_text(to_yaml(self.kubeconfig_document))

    def _run(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            # Also an interrupted test run leaves nothing behind.
            command = ["setpriv", "--pdeathsig", "KILL", self.binaries[name], *arguments]
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder))

    def _etcd(self) -> None:
        self._run("etcd", *etcd_arguments(self.folder, *self.ports[:2]))

    def _api_server(self) -> None:
        self._run(
            "kube-apiserver",
            *api_server_arguments(self.folder, self.ports[0], self.ports[2], "10.96.0.0/16"),
            "--bind-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
        )

    def _controllers(self) -> None:
        config, key = f"--kubeconfig={self.kubeconfig}", self.folder / "service-account.key"
        self._run(
            "kube-controller-manager",
            config,
            "--leader-elect=false",
            f"--secure-port={self.ports[3]}",
            "--bind-address=127.0.0.1",
            f"--service-account-private-key-file={key}",
            f"--root-ca-file={self.authority}",
            "--use-service-account-credentials=true",
        )
        self._run(
            "kube-scheduler",
            config,
            "--leader-elect=false",
            f"--secure-port={self.ports[4]}",
            "--bind-address=127.0.0.1",
        )

    def _kwok(self) -> None:
        self._run(
            "kwok",
            f"--kubeconfig={self.kubeconfig}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            "--cidr=10.0.0.0/16",
            "--node-ip=127.0.0.1",
            f"--server-address=127.0.0.1:{self.ports[5]}",
            f"--config={self.folder}/kwok.yaml",
        )

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _STARTS_S
        while True:
            try:
                if requests.get(f"{self.url}/readyz", verify=str(self.authority), timeout=2).ok:
                    return
            except (requests.RequestException, OSError):  # not listening yet, or its certificate not written yet
                pass
            for process in self.processes:
                assert process.poll() is None, f"{process.args} ended: {self.logs()}"
            assert time.monotonic() < deadline, f"the API server did not become ready: {self.logs()}"
            time.sleep(0.2)

    def logs(self) -> str:
        """The last lines of every process."""
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in self.folder.glob("*.log"))

    def provide_volumes(self) -> None:
        """What a storage provisioner does: a volume for every claim; those of deleted claims go."""
        while not self.ending.wait(0.3):
            try:
                claims = self.listed("/api/v1/persistentvolumeclaims")
                volumes = {each["metadata"]["name"]: each for each in self.listed("/api/v1/persistentvolumes")}
                for claim in claims:
                    name = f"pv-{claim['metadata']['uid']}"
                    if claim["status"].get("phase") == "Pending" and name not in volumes:
                        self.api("POST", "/api/v1/persistentvolumes", self.volume(name, claim))
                for name, volume in volumes.items():
                    if volume["status"].get("phase") in {"Released", "Failed"}:
                        self.drop_volume(name)
            except (AssertionError, requests.RequestException):
                continue  # the server is busy or ending

    def volume(self, name: str, claim: dict[str, Any]) -> dict[str, Any]:
        """The volume for a claim; here nothing is behind it."""
        made = volume_for(name, claim)
        made["spec"]["nfs"] = {"server": "127.0.0.1", "path": f"/{name}"}
        return made

    def drop_volume(self, name: str) -> None:
        """Take away the volume of a deleted claim."""
        self.api("DELETE", f"/api/v1/persistentvolumes/{name}")


def etcd_arguments(folder: Path, client_port: int, peer_port: int) -> list[str]:
    """One etcd on loopback, whose data need not survive the machine."""
    client, peer = (f"http://127.0.0.1:{port}" for port in (client_port, peer_port))
    return [
        f"--data-dir={folder}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


def api_server_arguments(folder: Path, etcd_port: int, port: int, services: str) -> list[str]:
    """The API server that lets in whoever shows the token; where it listens is added."""
    key = folder / "service-account.key"
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--secure-port={port}",
        f"--cert-dir={folder}/certificates",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=RBAC",
        f"--service-cluster-ip-range={services}",
    ]


def _content_type(method: str) -> str:
    return "application/merge-patch+json" if method == "PATCH" else "application/json"


def _port_forward(forwards: dict[int, int]) -> dict[str, Any]:
    """kwok's kubelet forwards to what listens on loopback."""
    each = [{"ports": [pod], "target": {"address": "127.0.0.1", "port": port}} for pod, port in forwards.items()]
    meta = {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterPortForward", "metadata": {"name": "all"}}
    return {**meta, "spec": {"forwards": each}}


def _node(number: int, zone: str, kubelet: int) -> dict[str, Any]:
    name = f"node-{number}"
    room = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, "kubernetes.io/os": "linux"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": room, "capacity": room, "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet}}},
    }


def storage_class() -> dict[str, Any]:
    """The default class; `provide_volumes` is its provisioner."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "agentobs.test/volumes",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def volume_for(name: str, claim: dict[str, Any]) -> dict[str, Any]:
    """A volume that only this claim gets; what is behind it is added."""
    meta = claim["metadata"]
    reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}
    reference |= {key: meta[key] for key in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": claim["spec"]["resources"]["requests"],
            "accessModes": claim["spec"]["accessModes"],
            "storageClassName": claim["spec"].get("storageClassName", "standard"),
            "claimRef": reference,
            "persistentVolumeReclaimPolicy": "Retain",
        },
    }


def _stages() -> Iterator[dict[str, Any]]:
    """How kwok moves objects: nodes are ready, pods run at once, deleted pods go at once."""
    alive = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}
    no_address = {"key": ".status.podIP", "operator": "DoesNotExist"}
    yield _stage(
        "node-ready",
        "Node",
        [{"key": ".status.conditions", "operator": "DoesNotExist"}],
        """
{{ $now := Now }}
conditions:
- {type: Ready, status: "True", reason: KubeletReady, message: ready,
   lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
addresses:
- {type: InternalIP, address: 127.0.0.1}
""",
    )
    pulled = {"key": _NEVER, "operator": "NotIn", "values": ["true"]}
    yield _stage("pod-ready", "Pod", [alive, no_address, pulled], _POD_RUNS)
    broken = {"key": _NEVER, "operator": "In", "values": ["true"]}
    no_status = {"key": ".status.containerStatuses", "operator": "DoesNotExist"}
    yield _stage("pod-broken", "Pod", [alive, broken, no_status], _POD_WAITS)
    gone = _stage("pod-delete", "Pod", [{"key": ".metadata.deletionTimestamp", "operator": "Exists"}], "")
    gone["spec"]["next"] = {"finalizers": {"empty": True}, "delete": True}
    yield gone


def _stage(name: str, kind: str, when: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": when},
            "next": {"statusTemplate": status},
        },
    }


_POD_RUNS: Final = """
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
conditions:
{{ range $type := (list "Initialized" "Ready" "ContainersReady" "PodScheduled") }}
- {type: {{ $type }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- {image: {{ .image | Quote }}, imageID: "", name: {{ .name | Quote }}, ready: true, started: true, restartCount: 0,
   state: {running: {startedAt: {{ $now | Quote }}}}}
{{ end }}
"""
_POD_WAITS: Final = """
{{ $now := Now }}
phase: Pending
startTime: {{ $now | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: PodScheduled, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ range $type := (list "Ready" "ContainersReady") }}
- {type: {{ $type }}, status: "False", reason: ContainersNotReady, message: containers with unready status,
   lastTransitionTime: {{ $now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- {image: {{ .image | Quote }}, imageID: "", name: {{ .name | Quote }}, ready: false, started: false, restartCount: 0,
   state: {waiting: {reason: ImagePullBackOff, message: Back-off pulling image}}}
{{ end }}
"""


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """A started control plane, ended whatever happens."""
    made = ControlPlane(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
