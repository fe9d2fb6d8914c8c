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


def _reloaded_name(workload: Workload, file: str) -> str:
    stem = file.rpartition("/")[2].rpartition(".")[0]
    return f"{workload.name}-{stem}"


def objects(workload: Workload, namespace: str) -> Iterator[dict[str, Any]]:
    """All ConfigMaps of a workload: one for what is fixed, one for each file that is read again (1 MiB is the most)."""
    base = {"apiVersion": "v1", "kind": "ConfigMap"}
    labels = names.labels(workload.name)
    if _fixed(workload):
        data = {_key(file): text for file, text in _fixed(workload).items()}
        metadata = {"name": _fixed_name(workload), "namespace": namespace, "labels": labels}
        yield {**base, "metadata": metadata, "data": data, "immutable": True}
    for file in sorted(workload.reloaded):
        metadata = {"name": _reloaded_name(workload, file), "namespace": namespace, "labels": labels}
        yield {**base, "metadata": metadata, "data": {_key(file): _text(workload, file)}}


def volumes(workload: Workload) -> Iterator[dict[str, Any]]:
    """One volume that shows all files in one folder."""
    sources = [
        {"configMap": {"name": _reloaded_name(workload, file), "items": [{"key": _key(file), "path": file}]}}
        for file in sorted(workload.reloaded)
    ]
    if _fixed(workload):
        items = [{"key": _key(file), "path": file} for file in _fixed(workload)]
        sources.insert(0, {"configMap": {"name": _fixed_name(workload), "items": items}})
    if sources:
        yield {"name": "config", "projected": {"defaultMode": 0o444, "sources": sources}}


def mounts(workload: Workload) -> Iterator[dict[str, Any]]:
    """Where the container sees them."""
    if workload.files:
        yield {"name": "config", "mountPath": folder(workload.name), "readOnly": True}
