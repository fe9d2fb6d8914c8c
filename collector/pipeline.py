"""The collector's configuration as a whole: `assemble(profile)` returns it as a plain dict.

    OTLP in -> normalise -+-> KPI branch: pack -> queue on disk -> count -> labels -> cumulative -> Prometheus
                          +-> storage branch: sample -> redact -+-> the store of traces
                                                                +-> Langfuse
    logs and events the same way: KPI branch, and redact -> the store of logs. Metrics of applications
    pass to Prometheus.

The KPI branch leaves before any sampling, so the KPIs count every span. With several collectors the picture is cut
after `normalise`: the edge does what is left of it, the sampler the rest.
"""

from collections.abc import Iterable
from typing import Any, Final

from agentobs.contract import Attr
from collector import (
    applications,
    connectors,
    cost,
    delivery,
    elsewhere,
    langfuse,
    log_limits,
    normalise,
    redaction,
    repair,
    sampling,
    series_key,
    tenant,
    tiers,
    trace_limits,
)
from collector.delivery import QUEUE
from collector.document import to_yaml
from collector.prices import PriceTable
from collector.profile import Profile, Tier
from collector.stores import LogKind, TraceKind

_KPI_DOOR: Final = "otlp/kpi"
_KPI_QUEUE: Final = "otlp_grpc/kpi"
_TO_PROMETHEUS: Final = "otlp_http/prometheus"
STREAMS_HEADER: Final = {"VL-Stream-Fields": f"{Attr.SERVICE_NAME},{Attr.SERVICE_NAMESPACE},{Attr.ENVIRONMENT}"}
"""What VictoriaLogs tells streams apart by, as Loki is told in its own configuration."""
# d2c forgets a series after this, far inside the five minutes that Prometheus looks back: the first point after a
# pause then starts from zero again, with a zero point in front, and a window that covers only the new burst reads it.
_FORGET_IDLE: Final = "2m"
_MS_IN_NS: Final = 1_000_000


def _upsert(key: str, value: str) -> dict[str, str]:
    return {"key": key, "action": "upsert", "value": value}


def _delete(key: str) -> dict[str, str]:
    return {"key": key, "action": "delete"}


def _pipeline(receivers: list[str], processors: list[str], exporters: list[str]) -> dict[str, list[str]]:
    return {"receivers": receivers, "processors": processors, "exporters": exporters}


def _common_processors(profile: Profile, prices: PriceTable) -> dict[str, Any]:
    limit = (
        {"limit_percentage": 80, "spike_limit_percentage": 20}
        if profile.memory_limit_mib is None
        else {"limit_mib": profile.memory_limit_mib, "spike_limit_mib": profile.memory_limit_mib // 5}
    )
    kubernetes = tiers.kubernetes_attributes() if profile.kubernetes else {}
    return {
        "memory_limiter": {"check_interval": "1s", **limit},
        **kubernetes,
        "transform/tenant": tenant.processor(named=profile.ingress.token is not None),
        "transform/normalise": normalise.processor(cost.cost_groups(prices, profile.cost_authority)),
        repair.IDS: repair.ids(),
    }


def _kpi_processors(profile: Profile) -> dict[str, Any]:
    start = "datapoint.start_time_unix_nano"
    return {
        "filter/kpi": series_key.not_counted(),
        "transform/kpi": series_key.packer(connectors.SPAN_NUMBERS, connectors.EVENT_NUMBERS),
        "filter/keyed": series_key.unkeyed(),
        "filter/exemplars": series_key.no_exemplar(),
        "transform/labels": series_key.unpacker(),
        "transform/exemplars": series_key.exemplar_unpacker(),
        # job="agentic-kpi", instance=<collector>: one writer per series. Two writers give no error, they give zig-zag.
        "resource/kpi": {
            "attributes": [
                _upsert(Attr.SERVICE_NAME, series_key.KPI_JOB),
                _upsert(Attr.SERVICE_INSTANCE_ID, profile.instance),
                _delete("signal_to_metrics.service.instance.id"),
                _delete("signal_to_metrics.service.name"),
                _delete("signal_to_metrics.service.namespace"),
            ]
        },
        # A start right before the first point makes Prometheus put a zero there: the first increment counts, and a
        # restart is seen as one even when the new value is above the old.
        "transform/start": {
            "error_mode": "ignore",
            "metric_statements": [f"set({start}, datapoint.time_unix_nano - {_MS_IN_NS}) where {start} == 0"],
        },
        "delta_to_cumulative": {"max_stale": _FORGET_IDLE, "max_streams": profile.max_series},
    }


def _kpi_parts(profile: Profile) -> dict[str, dict[str, Any]]:
    counters, to_prometheus = ["signal_to_metrics/kpi"], [*_prometheus(profile)]
    redacting = redaction.kpi_processors()
    to_series = ["transform/labels", "resource/kpi", "transform/start", "delta_to_cumulative"]
    return {
        "receivers": {
            _KPI_DOOR: {"protocols": {"grpc": {"endpoint": profile.listen.kpi, "max_recv_msg_size_mib": 64}}}
        },
        "processors": {**_kpi_processors(profile), **redacting},
        "connectors": {
            "forward/kpi": {},
            "forward/events": {},
            "signal_to_metrics/kpi": connectors.values(),
            "span_metrics/exemplars": connectors.exemplars(profile.exemplar_flush_s),
        },
        "exporters": {
            _KPI_QUEUE: {
                "endpoint": profile.listen.kpi,
                "tls": {"insecure": True},
                "compression": "none",
                **delivery.kpi_queue(profile.kpi_flush_s),
            },
        },
        "pipelines": {
            "traces/pack": _pipeline(
                ["forward/kpi"], ["filter/kpi", "transform/kpi", "filter/keyed", *redacting], [_KPI_QUEUE]
            ),
            "logs/pack": _pipeline(["forward/events"], ["filter/kpi", "transform/kpi", *redacting], [_KPI_QUEUE]),
            "traces/count": _pipeline([_KPI_DOOR], [], [*counters, "span_metrics/exemplars"]),
            "logs/count": _pipeline([_KPI_DOOR], [], counters),
            "metrics/kpi": _pipeline(counters, to_series, to_prometheus),
            "metrics/exemplars": _pipeline(
                ["span_metrics/exemplars"],
                ["filter/exemplars", "transform/exemplars", "resource/kpi"],
                to_prometheus,
            ),
        },
    }


def _prometheus(profile: Profile, name: str = _TO_PROMETHEUS, most_points: int | None = None) -> dict[str, Any]:
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


def _logs(profile: Profile) -> dict[str, dict[str, Any]]:
    store, url = profile.backends.stores.logs, profile.backends.logs_url
    away = profile.backends.elsewhere.get(store)
    ours = {"endpoint": f"{url}/{'otlp' if store is LogKind.LOKI else 'insert/opentelemetry'}"}
    streams = {"headers": STREAMS_HEADER} if store is LogKind.VICTORIALOGS else {}
    queue = delivery.bytes_queue(profile.disk.logs_mib)
    return {f"otlp_http/{store}": {**(elsewhere.exporter(store, away) if away else ours), **streams, **queue}}


def _traces(profile: Profile) -> dict[str, dict[str, Any]]:
    """Ours over gRPC, one of somebody else over HTTP, which every proxy lets through."""
    queue, store = delivery.bytes_queue(profile.disk.traces_mib), profile.backends.stores.traces
    away = profile.backends.elsewhere.get(store)
    if away:
        return {f"otlp_http/{store}": {**elsewhere.exporter(store, away), **queue}}
    ours = {"endpoint": profile.backends.traces_grpc, "tls": {"insecure": True}, "compression": "none"}
    return {f"otlp_grpc/{store}": {**ours, **queue}}


def _destinations(profile: Profile) -> dict[str, elsewhere.Destination]:
    """The stores of somebody else that this tier sends to: an edge brings only metrics of applications."""
    every = profile.backends.elsewhere
    return {name: each for name, each in every.items() if profile.tier is not Tier.EDGE or name == "prometheus"}


def _storage_parts(profile: Profile) -> dict[str, dict[str, Any]]:
    """Sampling and redaction, then one branch per store. Redaction comes last because it costs most.

    Stores of one policy share one redaction; where Langfuse keeps what the other drops, each branch has its own.
    """
    sampler = sampling.processor(profile.sampling) if profile.sampling else None
    langfuse_url, langfuse_keys = profile.backends.langfuse_url, profile.backends.langfuse_keys
    shared = langfuse_url is None or profile.content.langfuse is profile.content.traces
    of_traces, of_logs = redaction.chain(profile.content.traces), redaction.chain(profile.content.logs, lines=True)
    stores, to_traces, to_logs = profile.backends.stores, _traces(profile), _logs(profile)
    limited = (
        {f"transform/{stores.traces}_limits": trace_limits.processor()} if stores.traces is TraceKind.JAEGER else {}
    )
    kept_logs = {
        f"transform/{stores.logs}_cut": log_limits.processor(more=log_limits.MARGIN),
        **of_logs,
        f"transform/{stores.logs}_limits": log_limits.processor(),
    }
    to_store = f"forward/{stores.traces}"
    in_store, in_branch = ([*of_traces], []) if shared else ([], [*of_traces])
    parts: dict[str, dict[str, Any]] = {
        "processors": {
            **({"tail_sampling": sampler} if sampler else {}),
            repair.TRACES: repair.traces(),
            repair.LOGS: repair.logs(),
            **of_traces,
            **kept_logs,
            **limited,
        },
        "connectors": {"forward/store": {}, to_store: {}, "forward/logs": {}},
        "exporters": {**to_traces, **to_logs},
        "pipelines": {
            "traces/store": _pipeline(
                ["forward/store"], [*(["tail_sampling"] if sampler else []), repair.TRACES, *in_store], [to_store]
            ),
            f"traces/{stores.traces}": _pipeline([to_store], [*in_branch, *limited], [*to_traces]),
            "logs/store": _pipeline(["forward/logs"], [repair.LOGS, *kept_logs], [*to_logs]),
        },
    }
    if langfuse_url is not None and langfuse_keys is not None:
        own = {} if shared else redaction.chain(profile.content.langfuse)
        _add_langfuse(parts, profile, own, (langfuse_url, langfuse_keys))
    return parts


def _add_langfuse(
    parts: dict[str, dict[str, Any]], profile: Profile, redacting: dict[str, Any], at: tuple[str, tiers.Token]
) -> None:
    url, keys = at
    processors = {**redacting, **langfuse.processors()}
    parts["processors"] |= processors
    parts["extensions"] = langfuse.keys(keys)
    parts["connectors"]["forward/langfuse"] = {}
    parts["exporters"]["otlp_http/langfuse"] = langfuse.exporter(url) | delivery.bytes_queue(
        profile.disk.traces_mib, flush_s=2
    )
    parts["pipelines"]["traces/store"]["exporters"].append("forward/langfuse")
    parts["pipelines"]["traces/langfuse"] = _pipeline(["forward/langfuse"], [*processors], ["otlp_http/langfuse"])


def _ways_in(profile: Profile, start: list[str]) -> dict[str, Any]:
    """The pipelines that begin at the door, and where they lead: to the branches, or to the samplers."""
    edge = profile.tier is Tier.EDGE
    traces_to = [tiers.EXPORTER] if edge else ["forward/kpi", "forward/store"]
    logs_to = [tiers.EXPORTER] if edge else ["forward/events", "forward/logs"]
    of_traces = start if profile.tier is Tier.SAMPLER else [*start, repair.IDS]
    return {"traces/in": _pipeline(["otlp"], of_traces, traces_to), "logs/in": _pipeline(["otlp"], start, logs_to)}


def _application_parts(profile: Profile, common: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A sender's metrics have exporters of their own: what Prometheus refuses of them is no loss of KPIs."""
    return applications.parts(
        [each for each in common if each not in {"transform/normalise", repair.IDS}],
        redaction.metric_processors(),
        _prometheus(profile, applications.EXPORTER),
        _prometheus(profile, applications.ALONE, most_points=1),
    )


def assemble(profile: Profile, prices: PriceTable) -> dict[str, Any]:
    """Return the complete collector configuration for `profile`; `prices` are rendered into it."""
    common = _common_processors(profile, prices)
    if profile.tier is Tier.SAMPLER:
        common.pop("transform/normalise")  # the edge has done it
        common.pop(repair.IDS)
        common.pop("transform/tenant")
    parts: list[dict[str, dict[str, Any]]] = [
        {
            "extensions": elsewhere.extensions(_destinations(profile)),
            "processors": common,
            "exporters": {} if profile.tier is Tier.EDGE else _prometheus(profile),
            "pipelines": _ways_in(profile, [each for each in common if each != repair.IDS]),
        },
        tiers.ingress_parts(profile),
    ]
    if profile.tier is not Tier.SAMPLER:
        parts.append(_application_parts(profile, common))
    if profile.tier is not Tier.EDGE:
        parts += [_kpi_parts(profile), _storage_parts(profile)]
    merged: dict[str, dict[str, Any]] = {
        section: {key: value for part in parts for key, value in part.get(section, {}).items()}
        for section in ("extensions", "receivers", "processors", "connectors", "exporters", "pipelines")
    }
    queue = {} if profile.tier is Tier.EDGE else {QUEUE: delivery.storage(profile.disk)}
    extensions = {"health_check": {"endpoint": profile.listen.health}, **queue, **merged.pop("extensions")}
    reader = {"host": profile.listen.metrics_host, "port": profile.listen.metrics_port}
    return {
        "extensions": extensions,
        **{section: merged[section] for section in ("receivers", "processors", "connectors", "exporters")},
        "service": {
            "extensions": [*extensions],
            "telemetry": {"metrics": {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": reader}}}]}},
            "pipelines": merged["pipelines"],
        },
    }


def render(profile: Profile, prices: PriceTable) -> str:
    """Return the configuration as YAML text, keys in reading order."""
    return to_yaml(assemble(profile, prices))
