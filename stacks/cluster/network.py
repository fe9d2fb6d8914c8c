"""Who may talk to whom: nobody, except the flows that the workloads name. The same data draws the picture and the test.

A flow is allowed at both ends. Not here: TLS and tokens, which the workloads' own configuration asks for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from collector.stores import LogKind, TraceKind
from stacks.cluster import addresses, ingress, names
from stacks.workload import Outside, Workload

_API_PORTS: Final = (443, 6443)
_OUTSIDE_PORTS: Final[Mapping[Outside, tuple[int, ...]]] = {
    Outside.API: _API_PORTS,
    Outside.HTTPS: (443,),
    Outside.POSTGRES: (5432,),
}
_DNS_PORT: Final = 53
OTLP: Final = ("otlp-grpc", "otlp-http")
PUBLIC: Final = tuple(ingress.HOSTS)
"""Ports that the ingress controller may reach: those that have a host."""
_LINK_LOCAL: Final = "169.254.0.0/16"
"""Where a cloud tells a machine who it is: no pod asks there."""

READ: Final = ("prometheus", *LogKind, *TraceKind)
"""Ports that an external Grafana may read."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Flow:
    """One allowed connection inside the namespace: workload to workload, on a named port of the second."""

    source: str
    target: str
    port: str

    @property
    def number(self) -> int:
        """The port's number."""
        return names.number(self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedPeers:
    """Who comes in from other namespaces: senders of telemetry by name or label, and the ingress controller.

    `scrapers` is the namespace of an external Prometheus, which reads the metrics of all and tells our Alertmanager;
    `readers` that of an external Grafana, which asks our stores. `pod_ports` says on which port the pods of a
    service of the cluster listen, `name.namespace:port` -> number, where that is another one.
    """

    senders: tuple[str, ...] = ()
    ingress: str | None = None
    scrapers: str | None = None
    readers: str | None = None
    pod_ports: Mapping[str, int] = field(default_factory=dict)


def flows(workloads: Iterable[Workload]) -> tuple[Flow, ...]:
    """All flows between workloads; what a workload calls outside is none of them."""
    known = {workload.name: workload for workload in workloads}
    found = {
        Flow(source=workload.name, target=names.owner(port), port=port)
        for workload in known.values()
        for port in workload.calls
        if names.owner(port) in known
    }
    # Whoever scrapes may reach every port for metrics.
    if "prometheus" in known:
        found |= {
            Flow(source="prometheus", target=name, port=workload.metrics_port)
            for name, workload in known.items()
            if workload.metrics_port
        }
    return tuple(sorted(found))


def policies(workloads: Iterable[Workload], namespace: str, peers: AllowedPeers) -> list[dict[str, Any]]:
    """Deny everything, then one policy per workload with its flows; and one for names, which all pods resolve."""
    known = tuple(workloads)
    return [
        _policy("default-deny", namespace, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
        _policy("allow-dns", namespace, {"podSelector": {}, "policyTypes": ["Egress"], "egress": [_dns()]}),
        *(_of(workload, flows(known), namespace, peers) for workload in known),
    ]


def _policy(name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": names.PROJECT, "app.kubernetes.io/managed-by": "pulumi"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": spec,
    }


def _dns() -> dict[str, Any]:
    to = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return {"to": [to], "ports": [{"protocol": protocol, "port": _DNS_PORT} for protocol in ("UDP", "TCP")]}


def _of(workload: Workload, every: Iterable[Flow], namespace: str, peers: AllowedPeers) -> dict[str, Any]:
    inward, outward = defaultdict(set), defaultdict(set)
    for flow in every:
        if flow.target == workload.name:
            inward[flow.source].add(flow.number)
        if flow.source == workload.name:
            outward[flow.target].add(flow.number)
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": names.selector(workload.name)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            *({"from": [_pods(peer)], "ports": _ports(numbers)} for peer, numbers in sorted(inward.items())),
            *_from_outside(workload, peers),
        ],
        "egress": [
            *({"to": [_pods(peer)], "ports": _ports(numbers)} for peer, numbers in sorted(outward.items())),
            *_to_outside(workload, peers),
        ],
    }
    return _policy(workload.name, namespace, spec)


def _pods(workload: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": names.selector(workload)}}


def _ports(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": number} for number in sorted(numbers)]


def _from_outside(workload: Workload, peers: AllowedPeers) -> Iterator[dict[str, Any]]:
    otlp = [names.number(port) for port in workload.ports if port in OTLP]
    if otlp:
        yield {"from": [*_senders(peers)], "ports": _ports(otlp)}
    public = [names.number(port) for port in workload.ports if port in PUBLIC]
    if public and peers.ingress:
        yield {"from": [_namespace(peers.ingress)], "ports": _ports(public)}
    if peers.scrapers:
        told = [names.number(port) for port in workload.ports if port == "alertmanager"]
        metrics = [names.number(workload.metrics_port)] if workload.metrics_port else []
        if metrics or told:
            yield {"from": [_namespace(peers.scrapers)], "ports": _ports({*metrics, *told})}
    read = [names.number(port) for port in workload.ports if port in READ]
    if read and peers.readers:
        yield {"from": [_namespace(peers.readers)], "ports": _ports(read)}


def _senders(peers: AllowedPeers) -> Iterator[dict[str, Any]]:
    yield {"namespaceSelector": {"matchLabels": {names.SENDS_LABEL: "true"}}}
    for name in peers.senders:
        yield _namespace(name)


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _to_outside(workload: Workload, peers: AllowedPeers) -> Iterator[dict[str, Any]]:
    """By port only: addresses of clouds change. The API server is reached at a node, on either of its ports."""
    if Outside.API in workload.outside:
        yield {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": _ports(_OUTSIDE_PORTS[Outside.API])}
    ports = {port for where in workload.outside if where is not Outside.API for port in _OUTSIDE_PORTS[where]}
    ports |= {addresses.port(url) for url in workload.reaches if not addresses.namespace(url)}
    if ports:
        yield {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [_LINK_LOCAL]}}], "ports": _ports(ports)}
    inside: defaultdict[str, set[int]] = defaultdict(set)
    for url in workload.reaches:
        if space := addresses.namespace(url):
            # A policy sees the port of the pod, which need not be that of its service.
            inside[space].add(peers.pod_ports.get(addresses.place(url), addresses.port(url)))
    for space, numbers in sorted(inside.items()):
        yield {"to": [_namespace(space)], "ports": _ports(numbers)}
