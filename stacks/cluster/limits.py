"""What a namespace may use at all: a quota over everything, and bounds for each container and volume.

A pod that loops, or is not ours, cannot take the nodes from others. Every number follows from `stacks.sizes`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from stacks.cluster import names
from stacks.sizes import Size

_DEFAULT: Final = Size(cpu=10, memory_mib=64)
"""A container that says nothing: one of a certificate's solver, or of a person who looks around."""
_SPARE: Final = 4
_RELEASES: Final = 2
"""During a rollout pods of the old release still end, and count; and those of an earlier release may be larger."""
_GROWTH: Final = 2
"""Volumes grow without a change here."""
_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")


def objects(sizes: Mapping[str, Size], workloads: Iterable[str], namespace: str) -> list[dict[str, Any]]:
    """`ResourceQuota` and `LimitRange` for the named workloads."""
    used = [sizes[name] for name in workloads]
    return [
        _object("ResourceQuota", namespace, {"hard": _quota(used)}),
        _object("LimitRange", namespace, {"limits": [*_bounds(used)]}),
    ]


def _object(kind: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": names.PROJECT, "app.kubernetes.io/managed-by": "pulumi"}
    metadata = {"name": names.PROJECT, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}


def _most(size: Size) -> int:
    """How many pods there may be at once."""
    return _RELEASES * max(size.replicas, size.most_replicas)


def _quota(used: Iterable[Size]) -> dict[str, str]:
    counted = [*((size, _most(size)) for size in used), (_DEFAULT, _SPARE)]
    hard = {"pods": str(sum(count for _, count in counted))}
    for resource in _RESOURCES:
        hard[f"requests.{resource}"] = _sum(((size.requests()[resource], count) for size, count in counted))
        hard[f"limits.{resource}"] = _sum(((size.limits()[resource], count) for size, count in counted))
    kept = [size for size, _ in counted if size.disk_mib]
    disks = _GROWTH * sum(size.disk_mib * size.replicas for size in kept)
    hard |= {"requests.storage": f"{disks}Mi", "persistentvolumeclaims": str(sum(size.replicas for size in kept))}
    return hard | {"services.loadbalancers": "0", "services.nodeports": "0"}


def _bounds(used: list[Size]) -> Iterable[dict[str, Any]]:
    most = {resource: _largest(size.limits()[resource] for size in (*used, _DEFAULT)) for resource in _RESOURCES}
    yield {"type": "Container", "defaultRequest": _DEFAULT.requests(), "default": _DEFAULT.limits(), "max": most}
    if disks := [size.disk_mib for size in used if size.disk_mib]:
        yield {"type": "PersistentVolumeClaim", "max": {"storage": f"{_GROWTH * max(disks)}Mi"}}


def _sum(quantities: Iterable[tuple[str, int]]) -> str:
    """All of one resource, which `sizes` writes in one unit."""
    parts = [(*_split(quantity), count) for quantity, count in quantities]
    return f"{sum(number * count for number, _, count in parts)}{parts[0][1]}"


def _largest(quantities: Iterable[str]) -> str:
    number, unit = max(map(_split, quantities))
    return f"{number}{unit}"


def _split(quantity: str) -> tuple[int, str]:
    unit = quantity.lstrip("0123456789")
    return int(quantity.removesuffix(unit)), unit
