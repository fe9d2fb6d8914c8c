"""Looks at the pods of a running environment: whether each is ready, runs the planned images, and how full its disk is.

Where a pod has a shell its disk is asked by testinfra over `kubectl://`; where it has none nothing is said about it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import testinfra
from kubernetes import client

from runbooks.checklist.platform import Headroom, LiveCheck
from stacks import live
from stacks.cluster.names import NAME_LABEL
from stacks.cluster.placement import DATA
from stacks.cluster.plan import Plan
from stacks.policy.rules import containers

_PART: Final = "app.kubernetes.io/part-of=agentobs"
_WITH_SHELL: Final = frozenset({"prometheus", "alertmanager", "grafana"})


def found(api: Any, namespace: str) -> list[Any]:  # noqa: ANN401 untyped library
    """The pods of the platform."""
    listed: Any = client.CoreV1Api(api).list_namespaced_pod(namespace, label_selector=_PART)
    return list(listed.items)


def checks(pods: Iterable[Any], made: Plan) -> Iterator[LiveCheck]:
    """Readiness and images of pods, and workloads that have none."""
    every = list(pods)
    wanted = {manifest["metadata"]["name"]: _images(manifest) for manifest in made.manifests if containers(manifest)}
    missing = set(wanted) - {_workload(pod) for pod in every}
    for name in sorted(missing):
        yield LiveCheck(
            subject="processes", what=name, good=False, message="has no pod", fix="its runbook is BackendDown"
        )
    for pod in every:
        yield _ready(pod)
        yield _pinned(pod, wanted.get(_workload(pod), frozenset()))


def _workload(pod: Any) -> str:  # noqa: ANN401 untyped library
    return str((pod.metadata.labels or {}).get(NAME_LABEL, ""))


def _images(manifest: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(container["image"] for container in containers(manifest))


def _ready(pod: Any) -> LiveCheck:  # noqa: ANN401 untyped library
    statuses = pod.status.container_statuses or []
    waiting = [s.state.waiting.reason for s in statuses if s.state and s.state.waiting]
    good = bool(statuses) and all(status.ready for status in statuses)
    restarts = sum(status.restart_count for status in statuses)
    said = f"ready, {restarts} restarts" if good else f"not ready: {', '.join(waiting) or pod.status.phase}"
    return LiveCheck(
        subject="processes",
        what=pod.metadata.name,
        good=good,
        message=said,
        fix="" if good else f"kubectl -n {pod.metadata.namespace} describe pod {pod.metadata.name}",
    )


def _pinned(pod: Any, wanted: frozenset[str]) -> LiveCheck:  # noqa: ANN401 untyped library
    images = sorted({container.image for container in pod.spec.containers})
    foreign = [image for image in images if image not in wanted]
    return LiveCheck(
        subject="versions",
        what=pod.metadata.name,
        good=not foreign,
        message=f"runs {', '.join(foreign)}, which is not planned" if foreign else ", ".join(images),
        fix="pulumi up" if foreign else "",
    )


def room(pods: Iterable[Any], made: Plan, context: str) -> Iterator[Headroom]:
    """Disks of the pods that have a shell."""
    folders = {
        each.name: each.data_path or f"{DATA}/{each.name}" for each in made.workloads if each.name in _WITH_SHELL
    }
    for pod in pods:
        folder = folders.get(_workload(pod))
        if folder is None:
            continue
        where = f"kubectl://{pod.metadata.name}?namespace={pod.metadata.namespace}&container={_workload(pod)}"
        host = testinfra.get_host(where, context=context)
        yield from live.disk(host, folder, f"disk of {pod.metadata.name}")
