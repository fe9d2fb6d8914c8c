"""How people's browsers come in: an Ingress or a route of a Gateway for Grafana and Langfuse, each a host of its own.

Without a domain there is no way in but `kubectl port-forward`. Telemetry comes from inside the cluster.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from stacks.cluster import names
from stacks.workload import Workload

HOSTS: Final = {"grafana": "grafana", "langfuse-web": "langfuse"}
"""Port that people open -> name below the domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressSettings:
    """The domain, and what serves it: the class of an ingress, or a gateway as `namespace/name`.

    `issuer` is a ClusterIssuer of cert-manager that makes the certificates; without one they are expected as secrets
    `grafana-tls` and `langfuse-tls`. The listener of a gateway holds its own.
    """

    domain: str | None = None
    ingress_class: str | None = None
    gateway: str | None = None
    issuer: str | None = None


def objects(workloads: Iterable[Workload], namespace: str, settings: IngressSettings) -> Iterator[dict[str, Any]]:
    """An object per host."""
    if settings.domain is None:
        return
    for workload in workloads:
        for port, name in HOSTS.items():
            if port not in workload.ports:
                continue
            host = f"{name}.{settings.domain}"
            metadata = {"name": name, "namespace": namespace, "labels": names.labels(workload.name)}
            if settings.gateway:
                yield _route(metadata, host, workload.name, names.number(port), settings.gateway)
            elif settings.ingress_class:
                yield _ingress(metadata, host, workload.name, names.port_name(port), settings)


def _ingress(metadata: dict[str, Any], host: str, service: str, port: str, settings: IngressSettings) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"name": port}}}
    if settings.issuer:
        metadata = {**metadata, "annotations": {"cert-manager.io/cluster-issuer": settings.issuer}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {
            "ingressClassName": settings.ingress_class,
            "tls": [{"hosts": [host], "secretName": f"{metadata['name']}-tls"}],
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
        },
    }


def _route(metadata: dict[str, Any], host: str, service: str, port: int, gateway: str) -> dict[str, Any]:
    space, _, name = gateway.partition("/")
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {
            "parentRefs": [{"name": name, "namespace": space}],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": service, "port": port}]}],
        },
    }
