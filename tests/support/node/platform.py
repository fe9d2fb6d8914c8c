"""An environment on the node, driven as a person drives it; its pods are reached through the API server alone."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from stacks.cluster import names
from stacks.cluster.plan import Plan
from stacks.environments import EnvName
from support.cluster_stack import ClusterStack
from support.clusters import planned
from support.node import settings
from support.node.machine import Node
from support.node.python_image import DEMO
from support.stores import LOGS, TRACES

NAMESPACE: Final = "agentobs"
AGENTS: Final = "my-agents"
"""The namespace of the demo; its label lets it send telemetry."""
SETTINGS: Final = {
    "agentobs:context": "test",
    "agentobs:pullPolicy": "IfNotPresent",
    "agentobs:langfuse": "off",
    "agentobs:grafana": "external",
    "agentobs:grafanaUrl": "https://grafana.example.com",
    "agentobs:rolloutTimeout": "4m",
    "agentobs:traces": TRACES,
    "agentobs:logs": LOGS,
}
"""Images are in the node already; Grafana and Langfuse have no native build."""
RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a pod's container uses: working set in MiB, processor in thousandths of a core."""

    memory_mib: float
    cpu: float


@dataclass(kw_only=True)
class Platform(ClusterStack):
    """An environment whose pods run."""

    plane: Node

    @property
    def node(self) -> Node:
        """Where they run."""
        return self.plane

    def pods(self, workload: str = "") -> list[dict[str, Any]]:
        """Pods of the platform, or of one workload of it."""
        found = self.objects("v1/pods")
        return [pod for pod in found if not workload or pod["metadata"]["labels"].get(names.NAME_LABEL) == workload]

    def by_workload(self) -> dict[str, dict[str, Any]]:
        """Workload -> its pod, where each has one."""
        return {pod["metadata"]["labels"][names.NAME_LABEL]: pod for pod in self.pods()}

    def answer(self, port: str, path: str, **params: str) -> requests.Response:
        """What a service of the platform answers on a named port."""
        service = f"{names.owner(port)}:{names.number(port)}"
        return self.raw(f"/api/v1/namespaces/{self.namespace}/services/{service}/proxy{path}", **params)

    def raw(self, path: str, **params: str) -> requests.Response:
        """What the API server answers, whatever it is."""
        return requests.get(
            self.node.url + path,
            params=params,
            headers={"Authorization": f"Bearer {self.node.token}"},
            verify=str(self.node.authority),
            timeout=30,
        )

    def query(self, promql: str) -> list[dict[str, Any]]:
        """What Prometheus has for a query now."""
        answer = self.answer("prometheus", "/api/v1/query", query=promql)
        return list(answer.json()["data"]["result"]) if answer.ok else []

    def value(self, promql: str) -> float:
        """A query with one result; 0 where there is none."""
        result = self.query(promql)
        return float(result[0]["value"][1]) if result else 0.0

    def counted(self, series: str, environment: str) -> float:
        """All that a counter counted of an environment, over every restart of who writes it."""
        return self.value(f'sum(increase({series}{{environment="{environment}"}}[1h] anchored))')

    def trace(self, trace_id: str) -> str:
        """A trace as its store answers it, both under the same path; empty where it is not there."""
        answer = self.answer(TRACES, f"/api/traces/{trace_id}")
        return answer.text if answer.ok else ""

    def look(self, *words: str) -> dict[str, Any]:
        """What `agentobs traces` or `agentobs logs` finds from outside the cluster."""
        said = self.agentobs(*words, "--json", "--since", "1h")
        assert said.returncode == 0, said.stderr
        return dict(json.loads(said.stdout))

    def unready(self) -> list[str]:
        """Names of workloads that are not completely there, in their newest revision."""
        found = [*self.objects("apps/v1/statefulsets"), *self.objects("apps/v1/deployments")]
        return [each["metadata"]["name"] for each in found if not _rolled_out(each)]

    def restart(self, *workloads: str, timeout_s: float = 120) -> None:
        """What `kubectl rollout restart` does, and wait until the new pods are ready."""
        stamp = {"annotations": {"kubectl.kubernetes.io/restartedAt": str(time.time())}}
        for workload in workloads:
            body = {"spec": {"template": {"metadata": stamp}}}
            self.node.api("PATCH", f"/apis/apps/v1/namespaces/{self.namespace}/statefulsets/{workload}", body)
        late = eventually(self.unready, lambda names: not names, timeout_s)
        assert not late, f"not ready: {late}\n{self.node.logs()}"

    def kill(self, pod: str) -> None:
        """End a pod at once, as when its machine is gone."""
        self.node.api("DELETE", f"/api/v1/namespaces/{self.namespace}/pods/{pod}?gracePeriodSeconds=0")

    def usage(self) -> dict[str, Usage]:
        """Workload -> what its pod uses, as the kubelet measured it last."""
        found = {}
        for pod in self._summary()["pods"]:
            if pod["podRef"]["namespace"] == self.namespace:
                (container,) = pod["containers"]
                memory = container["memory"].get("workingSetBytes", 0) / 2**20
                found[container["name"]] = Usage(memory, container["cpu"].get("usageNanoCores", 0) / 1e6)
        return found

    def free_mib(self) -> float:
        """Memory that pods may still use together."""
        (pods,) = [each for each in self._summary()["node"]["systemContainers"] if each["name"] == "pods"]
        return float(pods["memory"]["availableBytes"]) / 2**20

    def _summary(self) -> dict[str, Any]:
        """What the kubelet measured last."""
        found: dict[str, Any] = self.node.api("GET", f"/api/v1/nodes/{settings.NODE}/proxy/stats/summary")
        return found

    def allow_agents(self) -> None:
        """Make the namespace of the demo, which may send telemetry."""
        labels = {names.SENDS_LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"}
        self.node.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": AGENTS, "labels": labels}})

    def start_demo(self, name: str, **options: str | float) -> None:
        """Start the sample agents, with their tool servers, in a pod that sends through the collector's service."""
        given = {"endpoint": f"http://collector.{NAMESPACE}:4318", "environment": name, **options}
        words = [word for key, value in given.items() for word in (f"--{key}", str(value))]
        self.node.make(demo_pod(name, ["-m", "demo", "run", "--json", *words]))

    def demo(self, name: str, **options: str | float) -> dict[str, Any]:
        """Run the sample agents to their end; returns the truth about what they did."""
        self.start_demo(name, **options)
        return self.truth(name)

    def truth(self, name: str, timeout_s: float = 120) -> dict[str, Any]:
        """Wait for a demo to end; returns what it did."""
        path = f"/api/v1/namespaces/{AGENTS}/pods/{name}"
        ended = ("Succeeded", "Failed")
        pod = eventually(lambda: self.node.api("GET", path), lambda pod: pod["status"]["phase"] in ended, timeout_s)
        said = self.raw(f"{path}/log").text
        assert pod["status"]["phase"] == "Succeeded", f"{pod['status']}\n{said[-3000:]}"
        return dict(json.loads(said.splitlines()[-1]))


def _rolled_out(workload: dict[str, Any]) -> bool:
    status, wanted = workload["status"], workload["spec"]["replicas"]
    counts = [status.get(key, 0) for key in ("replicas", "readyReplicas", "updatedReplicas")]
    return status.get("observedGeneration") == workload["metadata"]["generation"] and counts == [wanted] * 3


def planned_dev() -> Plan:
    """What is on the node."""
    return planned(EnvName.DEV, **{key.removeprefix("agentobs:"): value for key, value in SETTINGS.items()})


def demo_pod(name: str, arguments: list[str], **fields: Any) -> dict[str, Any]:
    """A pod of the demo image that passes `restricted`."""
    container = {
        "name": "demo",
        "image": DEMO,
        "args": arguments,
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 of the pod
    }
    spec: Mapping[str, Any] = {
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        **fields,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": AGENTS}, "spec": spec}


def eventually(probe: Callable[[], Any], accept: Callable[[Any], bool], timeout_s: float = 45) -> Any:
    """Ask until the answer is accepted; return the last answer in any case, for the assertion to show."""
    deadline = time.monotonic() + timeout_s
    while not accept(answer := probe()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return answer
