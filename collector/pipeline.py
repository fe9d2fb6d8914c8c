"""The collector's configuration as a whole: `assemble(profile)` returns it as a plain dict.

    OTLP in -> normalise -+-> KPI branch: pack -> queue on disk -> count -> labels -> cumulative -> Prometheus
                          +-> storage branch: sample -> redact -+-> the store of traces
                                                                +-> Langfuse
    logs and events the same way: KPI branch, and redact -> the store of logs. Metrics of applications
    pass to Prometheus.

The KPI branch leaves before any sampling, so the KPIs count every span. With several collectors the picture is cut
after `normalise`: the edge does what is left of it, the sampler the rest.
"""

from typing import Any, Final

from collector import (
    applications,
    cost,
    counting,
    delivery,
    depth,
    elsewhere,
    exporters,
    langfuse,
    log_limits,
    normalise,
    redaction,
    repair,
    sampling,
    tenant,
    tiers,
    trace_limits,
)
from collector.delivery import QUEUE
from collector.document import to_yaml
from collector.parts import Parts, joined, pipeline
from collector.prices import PriceTable
from collector.profile import Profile, Tier
from collector.stores import TraceKind

_STORE: Final = "forward/store"
_LOGS: Final = "forward/logs"
_LANGFUSE: Final = "forward/langfuse"


def _limiter(profile: Profile) -> dict[str, Any]:
    limit = (
        {"limit_percentage": 80, "spike_limit_percentage": 20}
        if profile.memory_limit_mib is None
        else {"limit_mib": profile.memory_limit_mib, "spike_limit_mib": profile.memory_limit_mib // 5}
    )
    return {"memory_limiter": {"check_interval": "1s", **limit}}


def _first(profile: Profile) -> dict[str, Any]:
    """The steps of the first tier for every signal: who sent it, and nothing that is nested without end."""
    kubernetes = tiers.kubernetes_attributes() if profile.kubernetes else {}
    whose = {"transform/tenant": tenant.processor(named=profile.ingress.token is not None)}
    return {**kubernetes, **whose, depth.PROCESSOR: depth.processor()}


def _doors(profile: Profile, prices: PriceTable) -> Parts:
    """The pipelines that begin at the door, and where they lead: to the branches, or to the samplers.

    A sampler's door has one step: an edge has done the others. Metrics of applications stay in the first tier, and
    their exporters are their own: what Prometheus refuses of them is no loss of KPIs.
    """
    edge = profile.tier is Tier.EDGE
    traces_to = [tiers.EXPORTER] if edge else [counting.SPANS, _STORE]
    logs_to = [tiers.EXPORTER] if edge else [counting.EVENTS, _LOGS]
    start = _limiter(profile)
    if profile.tier is Tier.SAMPLER:
        ways = {"traces/in": pipeline(["otlp"], start, traces_to), "logs/in": pipeline(["otlp"], start, logs_to)}
        return {"processors": start, "pipelines": ways}
    start |= _first(profile)
    read = {"transform/normalise": normalise.processor(cost.cost_groups(prices, profile.cost_authority))}
    named = {repair.IDS: repair.ids()}
    metrics = applications.parts(
        start,
        redaction.metric_processors(),
        exporters.prometheus(profile, applications.EXPORTER),
        exporters.prometheus(profile, applications.ALONE, most_points=1),
        profile.cut_off,
    )
    ways = {
        "traces/in": pipeline(["otlp"], [*start, *read, *named], traces_to),
        "logs/in": pipeline(["otlp"], [*start, *read], logs_to),
    }
    return joined([{"processors": {**start, **read, **named}, "pipelines": ways}, metrics])


def _storage(profile: Profile) -> Parts:
    """Sampling and redaction, then one branch per store. Redaction comes last because it costs most.

    Stores of one policy share one redaction; where Langfuse keeps what the other drops, each branch has its own.
    """
    sampler = sampling.processor(profile.sampling) if profile.sampling else None
    sampled = {"tail_sampling": sampler, "batch/kept": sampling.batch()} if sampler else {}
    langfuse_url, langfuse_keys = profile.backends.langfuse_url, profile.backends.langfuse_keys
    shared = langfuse_url is None or profile.content.langfuse is profile.content.traces
    of_traces, of_logs = redaction.chain(profile.content.traces), redaction.chain(profile.content.logs, lines=True)
    stores, to_traces, to_logs = profile.backends.stores, exporters.traces(profile), exporters.logs(profile)
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
    parts: Parts = {
        "processors": {
            **sampled,
            repair.TRACES: repair.traces(),
            repair.LOGS: repair.logs(),
            **of_traces,
            **kept_logs,
            **limited,
        },
        "connectors": {_STORE: {}, to_store: {}, _LOGS: {}},
        "exporters": {**to_traces, **to_logs},
        "pipelines": {
            "traces/store": pipeline([_STORE], [*sampled, repair.TRACES, *in_store], [to_store]),
            f"traces/{stores.traces}": pipeline([to_store], [*in_branch, *limited], [*to_traces]),
            "logs/store": pipeline([_LOGS], [repair.LOGS, *kept_logs], [*to_logs]),
        },
    }
    if langfuse_url is not None and langfuse_keys is not None:
        own = {} if shared else redaction.chain(profile.content.langfuse)
        _add_langfuse(parts, profile, own, (langfuse_url, langfuse_keys))
    return parts


def _add_langfuse(parts: Parts, profile: Profile, redacting: dict[str, Any], at: tuple[str, tiers.Token]) -> None:
    url, keys = at
    processors = {**redacting, **langfuse.processors()}
    parts["processors"] |= processors
    parts["extensions"] = langfuse.keys(keys)
    parts["connectors"][_LANGFUSE] = {}
    parts["exporters"]["otlp_http/langfuse"] = langfuse.exporter(url) | delivery.bytes_queue(
        profile.disk.traces_mib, flush_s=2
    )
    parts["pipelines"]["traces/store"]["exporters"].append(_LANGFUSE)
    parts["pipelines"]["traces/langfuse"] = pipeline([_LANGFUSE], [*processors], ["otlp_http/langfuse"])


def assemble(profile: Profile, prices: PriceTable) -> dict[str, Any]:
    """Return the complete collector configuration for `profile`; `prices` are rendered into it."""
    edge = profile.tier is Tier.EDGE
    behind = [] if edge else [counting.parts(profile), _storage(profile)]
    of_others: Parts = {"extensions": elsewhere.extensions(exporters.destinations(profile))}
    parts = joined([of_others, tiers.ingress_parts(profile), _doors(profile, prices), *behind])
    queue = {} if edge else {QUEUE: delivery.storage(profile.disk)}
    extensions = {"health_check": {"endpoint": profile.listen.health}, **queue, **parts.pop("extensions")}
    reader = {"host": profile.listen.metrics_host, "port": profile.listen.metrics_port}
    service = {
        "extensions": [*extensions],
        "telemetry": {"metrics": {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": reader}}}]}},
        "pipelines": parts.pop("pipelines"),
    }
    return {"extensions": extensions, **parts, "service": service}


def render(profile: Profile, prices: PriceTable) -> str:
    """Return the configuration as YAML text, keys in reading order."""
    return to_yaml(assemble(profile, prices))
