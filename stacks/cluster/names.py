"""Names and labels of everything in a cluster. Fixed names, so that addresses are text and need no Pulumi."""

from typing import Final

from stacks.ports import CLUSTER_PORTS
from stacks.versions import IMAGES

PROJECT: Final = "agentobs"
SENDS_LABEL: Final = f"{PROJECT}.io/sends-telemetry"
"""A namespace with this label set to `true` may send telemetry, whatever its name."""
SECRETS_DIGEST: Final = f"{PROJECT}.io/secrets"
"""Annotation of a pod: its secrets that count only at a start. In a manifest their names; in the cluster a digest of
the values, so that a new value means new pods."""
_LONGEST: Final = 15
NAME_LABEL: Final = "app.kubernetes.io/name"
_INSTANCE: Final = "app.kubernetes.io/instance"


def selector(workload: str) -> dict[str, str]:
    """Labels that find the pods of a workload; they never change, for a selector cannot."""
    return {NAME_LABEL: workload, _INSTANCE: PROJECT}


def labels(workload: str, image: str = "") -> dict[str, str]:
    """All labels of a workload's objects."""
    version = {"app.kubernetes.io/version": IMAGES[image].tag} if image else {}
    return {
        **selector(workload),
        "app.kubernetes.io/part-of": PROJECT,
        "app.kubernetes.io/managed-by": "pulumi",
        **version,
    }


def members(workload: str) -> str:
    """Name of the headless service that names a StatefulSet's pods one by one."""
    return f"{workload}-members"


def owner(port: str) -> str:
    """The workload behind a named port: the longest name of a workload that it begins with."""
    fitting = (prefix for prefix in _OWNERS if port == prefix or port.startswith(f"{prefix}-"))
    return _OWNERS[max(fitting, key=len)]


_OWNERS: Final = {
    "otlp": "collector",
    "collector": "collector",
    "sampler": "collector-sampler",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "release-controller": "release-controller",
    "loki": "loki",
    "tempo": "tempo",
    "victorialogs": "victorialogs",
    "jaeger": "jaeger",
    "grafana": "grafana",
    "kube-state-metrics": "kube-state-metrics",
    "langfuse-web": "langfuse-web",
    "langfuse-worker": "langfuse-worker",
    "postgres": "postgres",
    "clickhouse": "clickhouse",
    "valkey": "valkey",
    "objects": "objects",
}


def port_name(port: str) -> str:
    """A port's name in objects, where fifteen characters are the most."""
    if len(port) <= _LONGEST:
        return port
    rest = port.removeprefix(f"{owner(port)}-")
    return "http" if rest == port else rest


def number(port: str) -> int:
    """The number of a named port, the same in and outside of a pod."""
    return CLUSTER_PORTS[port]
