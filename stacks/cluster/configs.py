"""Configuration of a workload as ConfigMaps, in one folder of its pod.

What is read at the start is immutable and named by its content: a change rolls the pods, and a rollback finds the old
text. What is read again while running has a fixed name: a change reaches the pods without a restart.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from stacks.cluster import names
from stacks.workload import CONFIG_DIR, Workload

_DIGITS: Final = 10


def folder(workload: str) -> str:
    """Where the files are in a pod."""
    return f"/etc/agentobs/{workload}"


def _text(workload: Workload, name: str) -> str:
    return workload.files[name].replace(CONFIG_DIR, folder(workload.name))


def _fixed(workload: Workload) -> dict[str, str]:
    return {name: _text(workload, name) for name in sorted(workload.files) if name not in workload.reloaded}


def _key(file: str) -> str:
    """A key holds no slash; the volume puts the file where it belongs."""
    return file.replace("/", "_")


def _fixed_name(workload: Workload) -> str:
    digest = hashlib.sha256(json.dumps(_fixed(workload), sort_keys=True).encode()).hexdigest()
    return f"{workload.name}-{digest[:_DIGITS]}"


def _reloaded(workload: Workload) -> dict[str, list[str]]:
    """Name of a ConfigMap -> files in it: each its own, but many small ones of one folder together."""
    found: dict[str, list[str]] = {}
    for file in sorted(workload.reloaded):
        found.setdefault(f"{workload.name}-{_stem(file)}", []).append(file)
    return found


def _stem(file: str) -> str:
    """The name of the file, or of its folder and the one above where it lies that deep."""
    *folders, name = file.split("/")
    return "-".join(folders[-2:]) if len(folders) > 1 else name.rpartition(".")[0]


def objects(workload: Workload, namespace: str) -> Iterator[dict[str, Any]]:
    """All ConfigMaps of a workload: one for what is fixed, others for files that are read again (1 MiB is the most)."""
    base = {"apiVersion": "v1", "kind": "ConfigMap"}
    labels = names.labels(workload.name)
    if _fixed(workload):
        data = {_key(file): text for file, text in _fixed(workload).items()}
        metadata = {"name": _fixed_name(workload), "namespace": namespace, "labels": labels}
        yield {**base, "metadata": metadata, "data": data, "immutable": True}
    for name, files in _reloaded(workload).items():
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        yield {**base, "metadata": metadata, "data": {_key(file): _text(workload, file) for file in files}}


def volumes(workload: Workload) -> Iterator[dict[str, Any]]:
    """One volume that shows all files in one folder."""
    named = {**({_fixed_name(workload): [*_fixed(workload)]} if _fixed(workload) else {}), **_reloaded(workload)}
    sources = [
        {"configMap": {"name": name, "items": [{"key": _key(file), "path": file} for file in files]}}
        for name, files in named.items()
    ]
    if sources:
        yield {"name": "config", "projected": {"defaultMode": 0o444, "sources": sources}}


def mounts(workload: Workload) -> Iterator[dict[str, Any]]:
    """Where the container sees them."""
    if workload.files:
        yield {"name": "config", "mountPath": folder(workload.name), "readOnly": True}
