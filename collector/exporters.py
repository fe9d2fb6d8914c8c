"""The ways out: an exporter with its queue for each store, ours or one of somebody else."""

from typing import Any, Final

from agentobs.contract import Attr
from collector import delivery, elsewhere
from collector.profile import Profile, Tier
from collector.stores import LogKind

TO_PROMETHEUS: Final = "otlp_http/prometheus"
STREAMS_HEADER: Final = {"VL-Stream-Fields": f"{Attr.SERVICE_NAME},{Attr.SERVICE_NAMESPACE},{Attr.ENVIRONMENT}"}
"""What VictoriaLogs tells streams apart by, as Loki is told in its own configuration."""


def prometheus(profile: Profile, name: str = TO_PROMETHEUS, most_points: int | None = None) -> dict[str, Any]:
    """One exporter per replica, each with a queue of its own: while one is away, the others go on."""
    queue = delivery.ordered_queue(5000, durable=profile.tier is not Tier.EDGE, most_items=most_points)
    away = profile.backends.elsewhere.get("prometheus")
    if away:
        return {name: {**elsewhere.exporter("prometheus", away), **queue}}
    urls = (profile.backends.prometheus_url, *profile.backends.more_prometheus)
    return {
        name + (f"-{number}" if number else ""): {"endpoint": f"{url}/api/v1/otlp", **queue}
        for number, url in enumerate(urls)
    }


def logs(profile: Profile) -> dict[str, dict[str, Any]]:
    """To the store of logs."""
    store, url = profile.backends.stores.logs, profile.backends.logs_url
    away = profile.backends.elsewhere.get(store)
    ours = {"endpoint": f"{url}/{'otlp' if store is LogKind.LOKI else 'insert/opentelemetry'}"}
    streams = {"headers": STREAMS_HEADER} if store is LogKind.VICTORIALOGS else {}
    queue = delivery.bytes_queue(profile.disk.logs_mib)
    return {f"otlp_http/{store}": {**(elsewhere.exporter(store, away) if away else ours), **streams, **queue}}


def traces(profile: Profile) -> dict[str, dict[str, Any]]:
    """To the store of traces: ours over gRPC, one of somebody else over HTTP, which every proxy lets through."""
    queue, store = delivery.bytes_queue(profile.disk.traces_mib), profile.backends.stores.traces
    away = profile.backends.elsewhere.get(store)
    if away:
        return {f"otlp_http/{store}": {**elsewhere.exporter(store, away), **queue}}
    ours = {"endpoint": profile.backends.traces_grpc, "tls": {"insecure": True}, "compression": "none"}
    return {f"otlp_grpc/{store}": {**ours, **queue}}


def destinations(profile: Profile) -> dict[str, elsewhere.Destination]:
    """The stores of somebody else that this tier sends to: an edge brings only metrics of applications."""
    every = profile.backends.elsewhere
    return {name: each for name, each in every.items() if profile.tier is not Tier.EDGE or name == "prometheus"}
