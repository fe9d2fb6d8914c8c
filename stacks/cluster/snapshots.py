"""Backups of a stack in a cluster: a VolumeSnapshot of every claim, and the way back.

One mechanism for every backend, whatever it stores, in every cluster whose storage driver takes snapshots. A snapshot
is what a crash at that moment would have left: all of ours recover from that, each from its own log. Volumes are
taken one after the other, within seconds. Not here: the state of Pulumi, which holds the secrets (`stacks.cli.backup`).
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from agentobs.errors import AgentobsError
from stacks.cluster import names
from stacks.cluster.rollout import connect

GROUP: Final = "snapshot.storage.k8s.io"
_VERSION: Final = "v1"
_PLURAL: Final = "volumesnapshots"
_LABEL: Final = f"{names.PROJECT}.io/backup"
_CLAIM: Final = f"{names.PROJECT}.io/claim"
_REPLICAS: Final = f"{names.PROJECT}.io/replicas-before-restore"
_OURS: Final = f"app.kubernetes.io/instance={names.PROJECT}"
_POLL_S: Final = 0.5
_NOT_FOUND: Final = 404
Tell = Callable[[str], None]


class SnapshotError(AgentobsError):
    """A backup that cannot be made or put back; the message names the reason and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Snapshots that were made together: how many there are, and how many of them are whole."""

    name: str
    made: str
    volumes: int
    ready: int


class Snapshots:
    """Backups of the stack in one namespace. `timeout_s` is how long each step may take."""

    def __init__(self, context: str, namespace: str, timeout_s: float, tell: Tell) -> None:
        api = connect(context)
        # What the library returns may be None everywhere by its types.
        self._core: Any = client.CoreV1Api(api)
        self._apps: Any = client.AppsV1Api(api)
        self._custom: Any = client.CustomObjectsApi(api)
        self._context, self._namespace, self._timeout_s, self._tell = context, namespace, timeout_s, tell

    def create(self, name: str, snapshot_class: str | None) -> Backup:
        """Snapshot every claim and wait until all are whole. Raises SnapshotError."""
        claims = self._core.list_namespaced_persistent_volume_claim(self._namespace, label_selector=_OURS).items
        if not claims:
            raise SnapshotError(f"namespace {self._namespace} of {self._context} has no volumes of ours")
        for claim in claims:
            self._ask(self._custom.create_namespaced_custom_object, _snapshot(name, claim, snapshot_class))
        self._tell(f"{len(claims)} volumes: {', '.join(claim.metadata.name for claim in claims)}")
        self._await(f"snapshots of {name} that are not whole", lambda: self._late(name))
        return next(each for each in self.backups() if each.name == name)

    def backups(self) -> list[Backup]:
        """All backups, the newest first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for each in self._snapshots(_LABEL):
            found.setdefault(each["metadata"]["labels"][_LABEL], []).append(each)
        backups = [
            Backup(
                name=name,
                made=min(each["metadata"]["creationTimestamp"] for each in members),
                volumes=len(members),
                ready=sum(map(_ready, members)),
            )
            for name, members in found.items()
        ]
        return sorted(backups, key=lambda each: each.made, reverse=True)

    def restore(self, name: str) -> None:
        """Stop what has volumes, put each volume back, start again. May be run again after it broke off.

        Raises SnapshotError. What the volumes held before is gone: make a backup of it first.
        """
        snapshots = self._snapshots(f"{_LABEL}={name}")
        late = [each["metadata"]["name"] for each in snapshots if not _ready(each)]
        if not snapshots or late:
            known = ", ".join(each.name for each in self.backups()) or "none"
            why = (
                f"has volumes that are not whole: {', '.join(late)}" if late else f"does not exist; there are: {known}"
            )
            raise SnapshotError(f"the backup {name} {why}")
        stopped = self._stop({each["metadata"]["labels"]["app.kubernetes.io/name"] for each in snapshots})
        for each in snapshots:
            self._put_back(each)
        self._start(stopped)

    def _late(self, name: str) -> list[str]:
        snapshots = self._snapshots(f"{_LABEL}={name}")
        failed = [f"{each['metadata']['name']}: {said}" for each in snapshots if (said := _error(each))]
        if failed:
            raise SnapshotError(f"the storage driver refused: {'; '.join(failed)}")
        return [each["metadata"]["name"] for each in snapshots if not _ready(each)]

    def _snapshots(self, selector: str) -> list[dict[str, Any]]:
        listed = self._ask(self._custom.list_namespaced_custom_object, label_selector=selector)
        return list(listed["items"])

    def _ask(self, call: Callable[..., Any], *body: Any, **options: Any) -> Any:  # noqa: ANN401 untyped library
        try:
            return call(GROUP, _VERSION, self._namespace, _PLURAL, *body, **options)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                raise SnapshotError(
                    f"the cluster {self._context} knows no VolumeSnapshot. Fix: install the snapshot controller and a"
                    " storage driver that takes snapshots; else see stacks/docs/backup.md"
                ) from None
            raise SnapshotError(f"the cluster {self._context} refused: {error.status} {_said(error)}") from None

    def _stop(self, workloads: set[str]) -> dict[str, int]:
        """Scale to nothing; how many ran is kept at the object, so that a second try knows it."""
        stopped = {}
        for each in self._apps.list_namespaced_stateful_set(self._namespace, label_selector=_OURS).items:
            if each.metadata.name in workloads:
                kept = (each.metadata.annotations or {}).get(_REPLICAS)
                stopped[each.metadata.name] = int(kept) if kept is not None else each.spec.replicas
        for name, replicas in stopped.items():
            self._scale(name, 0, str(replicas))
        self._tell(f"stopping {', '.join(stopped)}")
        self._await("pods that still run", lambda: self._pods(stopped))
        return stopped

    def _start(self, stopped: Mapping[str, int]) -> None:
        for name, replicas in stopped.items():
            self._scale(name, replicas, None)
        self._tell(f"starting {', '.join(stopped)}")

    def _scale(self, name: str, replicas: int, kept: str | None) -> None:
        change = {"metadata": {"annotations": {_REPLICAS: kept}}, "spec": {"replicas": replicas}}
        self._apps.patch_namespaced_stateful_set(name, self._namespace, change)

    def _pods(self, workloads: Mapping[str, int]) -> list[str]:
        pods = self._core.list_namespaced_pod(self._namespace, label_selector=_OURS).items
        return [pod.metadata.name for pod in pods if pod.metadata.labels["app.kubernetes.io/name"] in workloads]

    def _put_back(self, snapshot: Mapping[str, Any]) -> None:
        claim = json.loads(snapshot["metadata"]["annotations"][_CLAIM])
        name = claim["metadata"]["name"]
        self._tell(f"putting back {name}")
        try:
            self._core.delete_namespaced_persistent_volume_claim(name, self._namespace)
        except ApiException as error:
            if error.status != _NOT_FOUND:
                raise SnapshotError(f"the volume {name} cannot be replaced: {_said(error)}") from None
        self._await("volumes that are not gone", lambda: self._claims(name))
        source = {"apiGroup": GROUP, "kind": "VolumeSnapshot", "name": snapshot["metadata"]["name"]}
        made = {**claim, "spec": {**claim["spec"], "dataSource": source}}
        self._core.create_namespaced_persistent_volume_claim(self._namespace, made)

    def _claims(self, name: str) -> list[str]:
        listed = self._core.list_namespaced_persistent_volume_claim(
            self._namespace, field_selector=f"metadata.name={name}"
        )
        return [each.metadata.name for each in listed.items]

    def _await(self, what: str, left: Callable[[], list[str]]) -> None:
        deadline = time.monotonic() + self._timeout_s
        while remaining := left():
            if time.monotonic() > deadline:
                raise SnapshotError(
                    f"after {self._timeout_s:.0f} s there are {what}: {', '.join(remaining)}."
                    f" Look: kubectl --context {self._context} -n {self._namespace} describe volumesnapshots,pvc,pods"
                )
            time.sleep(_POLL_S)


def _snapshot(backup: str, claim: Any, snapshot_class: str | None) -> dict[str, Any]:  # noqa: ANN401 untyped library
    """The claim's own description goes along: a restore needs it where the namespace is lost."""
    spec: dict[str, Any] = {
        "accessModes": claim.spec.access_modes,
        "resources": {"requests": claim.spec.resources.requests},
    }
    if claim.spec.storage_class_name:
        spec["storageClassName"] = claim.spec.storage_class_name
    described = {"metadata": {"name": claim.metadata.name, "labels": claim.metadata.labels}, "spec": spec}
    named = {"volumeSnapshotClassName": snapshot_class} if snapshot_class else {}
    return {
        "apiVersion": f"{GROUP}/{_VERSION}",
        "kind": "VolumeSnapshot",
        "metadata": {
            "name": f"{backup}-{claim.metadata.name}",
            "labels": {**claim.metadata.labels, _LABEL: backup},
            "annotations": {_CLAIM: json.dumps(described)},
        },
        "spec": {**named, "source": {"persistentVolumeClaimName": claim.metadata.name}},
    }


def _ready(snapshot: Mapping[str, Any]) -> bool:
    return bool(snapshot.get("status", {}).get("readyToUse"))


def _error(snapshot: Mapping[str, Any]) -> str:
    return str(snapshot.get("status", {}).get("error", {}).get("message", ""))


def _said(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
