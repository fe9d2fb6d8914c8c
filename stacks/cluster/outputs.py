"""What `pulumi stack output` tells: where everything is, how to reach it, and what to do next. No secrets."""

from collections.abc import Iterator
from typing import Any, Final

from collector.stores import LogKind, TraceKind
from dashboards.boards import BOARDS
from stacks.cluster import names
from stacks.cluster.external import external
from stacks.cluster.plan import Plan
from stacks.cluster.settings import ClusterSettings
from stacks.environments import Environment

_PORTS: Final = {
    "otlp_http": "otlp-http",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    **{kind: kind for kind in (*LogKind, *TraceKind)},
    "grafana": "grafana",
    "langfuse": "langfuse-web",
}
"""Name in the outputs -> port of what runs here."""


def outputs(environment: Environment, made: Plan, settings: ClusterSettings) -> dict[str, Any]:
    """Addresses inside the cluster, ways from outside, external services, the boards, and what to do next."""
    here = {workload.name for workload in made.workloads}
    ports = {key: port for key, port in _PORTS.items() if names.owner(port) in here}
    away = {each.name: {"url": each.url, "auth": str(each.auth)} for each in external(settings)}
    kubectl = f"kubectl --context {settings.context} -n {made.namespace}"
    return {
        "cluster": {
            "context": settings.context,
            "namespace": made.namespace,
            "snapshotClass": settings.snapshot_class,
        },
        "endpoints": {
            **{name: each["url"] for name, each in away.items()},
            **{key: f"http://{_service(port)}.{made.namespace}:{names.number(port)}" for key, port in ports.items()},
            "otlp_grpc": f"{_service('otlp-grpc')}.{made.namespace}:{names.number('otlp-grpc')}",
        },
        "external": away,
        "reach": {key: f"{kubectl} port-forward service/{_service(port)} {_both(port)}" for key, port in ports.items()},
        "web": _web(settings),
        "boards": [board.uid for board in BOARDS],
        "senders": f"kubectl --context {settings.context} label namespace NAME {names.SENDS_LABEL}=true",
        "next": [*_next(environment, settings, kubectl)],
    }


def _service(port: str) -> str:
    return names.owner(port)


def _both(port: str) -> str:
    return f"{names.number(port)}:{names.number(port)}"


def _web(settings: ClusterSettings) -> dict[str, str]:
    """Pages for people, where a domain or an external service serves them."""
    hosts = {name: f"https://{name}.{settings.domain}" for name in ("grafana", "langfuse") if settings.domain}
    ours = {name: url for name, url in hosts.items() if getattr(settings, name) == "managed"}
    return ours | {each.name: each.url for each in external(settings) if each.name in {"grafana", "langfuse"}}


def _next(environment: Environment, settings: ClusterSettings, kubectl: str) -> Iterator[str]:
    stack = environment.name
    yield f"{kubectl} get pods"
    if settings.langfuse != "off":
        yield f"agentobs langfuse configure -s {stack}"
    if settings.prometheus == "external":
        yield f"agentobs render rules -s {stack} --out DIR, then load the files into the external Prometheus"
    if settings.grafana == "external":
        yield f"GRAFANA_TOKEN=... agentobs dashboards push --url {settings.grafana_url}"
    yield f"agentobs status -s {stack}"
    yield f"agentobs why -s {stack}"
