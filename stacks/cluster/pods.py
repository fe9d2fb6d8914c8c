"""A workload as Kubernetes objects: what runs it, its services, configuration, budget and autoscaler. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from stacks.cluster import configs, hardening, names, rbac
from stacks.cluster.placement import DATA, POD_IP
from stacks.cluster.secrets import secret_of
from stacks.components.prometheus import METRICS_ANNOTATION
from stacks.environments import Cluster, OnDestroy
from stacks.sizes import Size
from stacks.versions import IMAGES
from stacks.workload import CONFIG_DIR, Api, Probe, SecretUse, Workload

_PROBE_S: Final = 10
_OWN_UIDS: Final = 10_000
"""Users below may be those of a node. An image that must run as one says so to the scanner."""
_STARTS_S: Final = 300
"""A start may take so long before a pod is ended: replaying a log after a crash, migrating a database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployTarget:
    """Where pods are put. `registry` replaces the host of every image, for clusters that pull from a mirror."""

    namespace: str
    cluster: Cluster
    storage_class: str | None = None
    registry: str | None = None
    pull_secret: str | None = None
    pull_policy: str = "Always"
    user_namespaces: bool = False
    annotations: Mapping[str, Mapping[str, str]] | None = None
    """Workload -> annotations of its service account: the identity it has at the cloud."""


Manifest = dict[str, Any]


def objects(workload: Workload, target: DeployTarget) -> list[Manifest]:
    """Every object of one workload, in the order in which they are made."""
    workload = replace(workload, command=_filled(workload), image=workload.image or workload.name)
    size = target.cluster.sizes[workload.name]
    stateful = size.disk_mib > 0
    return [
        _account(workload, target),
        *rbac.objects(workload.name, workload.api, target.namespace),
        *configs.objects(workload, target.namespace),
        *_services(workload, target, members=stateful),
        _controller(workload, size, target, stateful=stateful),
        *_budget(workload, size, target),
        *_autoscaler(workload, size, target),
    ]


def meta(workload: Workload, namespace: str, name: str = "") -> dict[str, Any]:
    """Metadata of one of a workload's objects."""
    return {
        "name": name or workload.name,
        "namespace": namespace,
        "labels": names.labels(workload.name, workload.image),
    }


def _filled(workload: Workload) -> tuple[str, ...]:
    folder = configs.folder(workload.name)
    return tuple(word.replace(CONFIG_DIR, folder).replace(POD_IP, "$(POD_IP)") for word in workload.command)


def _account(workload: Workload, target: DeployTarget) -> Manifest:
    metadata = meta(workload, target.namespace)
    annotations = (target.annotations or {}).get(workload.name)
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False,
    }  # fmt: skip


def _services(workload: Workload, target: DeployTarget, *, members: bool) -> Iterator[Manifest]:
    ports = [
        {"name": names.port_name(port), "port": names.number(port), "targetPort": names.port_name(port)}
        for port in workload.ports
    ]
    spec = {"selector": names.selector(workload.name), "ports": ports}
    base = {"apiVersion": "v1", "kind": "Service"}
    for name, kind in _service_kinds(workload, members=members):
        yield {**base, "metadata": meta(workload, target.namespace, name), "spec": {**kind, **spec}}


def _service_kinds(workload: Workload, *, members: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    yield workload.name, {"type": "ClusterIP"}
    if members:
        # Members find each other before they are ready.
        yield names.members(workload.name), {"clusterIP": "None", "publishNotReadyAddresses": True}


def _controller(workload: Workload, size: Size, target: DeployTarget, *, stateful: bool) -> Manifest:
    spec: dict[str, Any] = {
        "revisionHistoryLimit": 5,
        "selector": {"matchLabels": names.selector(workload.name)},
        "template": _template(workload, size, target),
    }
    if not size.scales:
        spec["replicas"] = size.replicas
    if stateful:
        retention = "Delete" if target.cluster.on_destroy is OnDestroy.DELETE else "Retain"
        spec |= {
            "serviceName": names.members(workload.name),
            "podManagementPolicy": "Parallel",
            "volumeClaimTemplates": [_claim(workload, size, target)],
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": retention, "whenScaled": "Retain"},
        }
    else:
        surge = {"maxSurge": 1, "maxUnavailable": 0}
        spec |= {"strategy": {"type": "RollingUpdate", "rollingUpdate": surge}, "progressDeadlineSeconds": 600}
    kind, metadata = "StatefulSet" if stateful else "Deployment", meta(workload, target.namespace)
    if workload.uid < _OWN_UIDS:
        metadata["annotations"] = {"kube-score/ignore": "container-security-context-user-group-id"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _template(workload: Workload, size: Size, target: DeployTarget) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "serviceAccountName": workload.name,
        **hardening.pod(workload, user_namespaces=target.user_namespaces),
        "terminationGracePeriodSeconds": workload.stop_s + 10,
        "containers": [_container(workload, size, target)],
        "volumes": _volumes(workload, size),
    }
    if target.pull_secret:
        spec["imagePullSecrets"] = [{"name": target.pull_secret}]
    if size.replicas > 1:
        spec |= _spread(workload, zones=target.cluster.zones)
    return {
        "metadata": {
            "labels": names.labels(workload.name, workload.image),
            "annotations": _annotations(workload),
        },
        "spec": spec,
    }


def _annotations(workload: Workload) -> dict[str, str]:
    fixed = sorted({use.value for use in workload.secrets if not use.secret and not use.reread})
    return {
        **({METRICS_ANNOTATION: str(names.number(workload.metrics_port))} if workload.metrics_port else {}),
        **({names.SECRETS_DIGEST: " ".join(fixed)} if fixed else {}),
    }


def _spread(workload: Workload, *, zones: bool) -> dict[str, Any]:
    """No two on one node if that can be had; over zones where an environment has some."""
    selector = {"matchLabels": names.selector(workload.name)}
    nodes = {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
    spread = {
        "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "labelSelector": selector,
        "whenUnsatisfiable": "DoNotSchedule" if zones else "ScheduleAnyway",
    }  # fmt: skip
    preferred = [{"weight": 100, "podAffinityTerm": nodes}]
    return {
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}},
        "topologySpreadConstraints": [spread],
    }


def _container(workload: Workload, size: Size, target: DeployTarget) -> dict[str, Any]:
    image = IMAGES[workload.image]
    made: dict[str, Any] = {
        "name": workload.name,
        "image": image.at(target.registry),
        **hardening.container(target.pull_policy),
        "env": _environment(workload),
        "ports": [{"name": names.port_name(port), "containerPort": names.number(port)} for port in workload.ports],
        "resources": {"requests": size.requests(), "limits": size.limits()},
        **_probes(workload),
        "volumeMounts": _mounts(workload, size),
    }
    if image.entrypoint:
        made["command"] = [image.entrypoint]
    if workload.command[1:]:
        made["args"] = list(workload.command[1:])
    return made


def _probes(workload: Workload) -> dict[str, Any]:
    """Three that differ: started at all, able to serve, still alive. Only the last one ends a pod.

    Whoever is alone is missed until it is seen to have started, so that is looked at often.
    """
    ready = _probe(workload.ready or Probe(port=workload.ready_port, path=workload.ready_path))
    alive = _probe(workload.alive) if workload.alive else ready
    starts = max(_STARTS_S, workload.ready_timeout_s)
    return {
        "startupProbe": {**ready, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": starts // 2},
        "readinessProbe": {**ready, "periodSeconds": _PROBE_S, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**alive, "periodSeconds": 2 * _PROBE_S, "timeoutSeconds": 10, "failureThreshold": 6},
    }


def _probe(probe: Probe) -> dict[str, Any]:
    if probe.command:
        return {"exec": {"command": list(probe.command)}}
    if probe.path:
        return {"httpGet": {"path": probe.path, "port": names.port_name(probe.port)}}
    return {"tcpSocket": {"port": names.port_name(probe.port)}}


def _environment(workload: Workload) -> list[dict[str, Any]]:
    fields = {"POD_IP": "status.podIP", "POD_NAME": "metadata.name"}
    own = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    plain = [
        {"name": name, "value": value.replace(CONFIG_DIR, configs.folder(workload.name))}
        for name, value in sorted(workload.env.items())
    ]
    return [*own, *plain, *(_secret_variable(workload, use) for use in workload.secrets if use.variable)]


def _secret_variable(workload: Workload, use: SecretUse) -> dict[str, Any]:
    reference = {"name": secret_of(workload.name), "key": use.value}
    return {"name": use.variable, "valueFrom": {"secretKeyRef": reference}}


def _volumes(workload: Workload, size: Size) -> list[dict[str, Any]]:
    made = [*configs.volumes(workload)]
    for (secret, _), uses in _secret_files(workload).items():
        items = [{"key": use.value, "path": _split(use.file)[1]} for use in uses]
        made.append({"name": secret, "secret": {"secretName": secret, "defaultMode": 0o440, "items": items}})
    if workload.api is not Api.NONE:
        made.append(rbac.token_volume())
    for number, _ in enumerate(_scratch(workload, size)):
        made.append({"name": f"scratch-{number}", "emptyDir": {"sizeLimit": "256Mi"}})
    return made


def _secret_files(workload: Workload) -> dict[tuple[str, str], list[SecretUse]]:
    """What is mounted as files: name of the `Secret` and folder -> its values."""
    found: dict[tuple[str, str], list[SecretUse]] = {}
    for use in workload.secrets:
        if use.file:
            found.setdefault((use.secret or secret_of(workload.name), _split(use.file)[0]), []).append(use)
    return found


def _split(file: str) -> tuple[str, str]:
    folder, _, name = file.rpartition("/")
    return folder, name


def _scratch(workload: Workload, size: Size) -> tuple[str, ...]:
    """Folders that are written and not kept; a workload without a volume has its data there."""
    return workload.scratch if size.disk_mib or not workload.writes_data else (*workload.scratch, DATA)


def _mounts(workload: Workload, size: Size) -> list[dict[str, Any]]:
    made = [*configs.mounts(workload)]
    made += [{"name": secret, "mountPath": folder, "readOnly": True} for secret, folder in _secret_files(workload)]
    if workload.api is not Api.NONE:
        made.append({"name": "api-token", "mountPath": rbac.TOKEN_DIR, "readOnly": True})
    if size.disk_mib:
        made.append({"name": "data", "mountPath": workload.data_path or f"{DATA}/{workload.name}"})
    for number, folder in enumerate(_scratch(workload, size)):
        made.append({"name": f"scratch-{number}", "mountPath": folder})
    return made


def _claim(workload: Workload, size: Size, target: DeployTarget) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{size.disk_mib}Mi"}},
    }
    if target.storage_class:
        spec["storageClassName"] = target.storage_class
    return {"metadata": {"name": "data", "labels": names.selector(workload.name)}, "spec": spec}


def _budget(workload: Workload, size: Size, target: DeployTarget) -> Iterator[Manifest]:
    if size.replicas > 1:
        spec = {
            "maxUnavailable": 1,
            "selector": {"matchLabels": names.selector(workload.name)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        }
        metadata = meta(workload, target.namespace)
        yield {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


def _autoscaler(workload: Workload, size: Size, target: DeployTarget) -> Iterator[Manifest]:
    if size.scales:
        scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name}
        cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
        spec = {
            "scaleTargetRef": scaled,
            "minReplicas": size.replicas,
            "maxReplicas": size.most_replicas,
            "metrics": [{"type": "Resource", "resource": cpu}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
        }
        metadata = meta(workload, target.namespace)
        yield {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}
