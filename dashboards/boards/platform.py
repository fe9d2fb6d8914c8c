"""Platform health: do telemetry, stores and alerts work, so that the other boards can be believed?"""

from typing import Any, Final

from agentobs.contract import ABSENT, SPAN_CALLS, Family, Label
from alerts.catalogue import counts as c
from alerts.catalogue.model import MINUTE
from alerts.promql import sum_by
from alerts.release_metrics import LABELS, ReleaseMetric
from collector.self_metrics import SelfMetric
from collector.stores import LogKind, TraceKind
from dashboards.lib import variables
from dashboards.lib.model import Board, Colour, Format, Prom, Section, StateTimeline, TimeSeries
from dashboards.lib.panels import Reader, legend

_READ: Final = Reader((Label.ENVIRONMENT, Label.SERVICE))
_UP: Final = "up"
_ALIVE: Final = 'max(up{job="collector"})'
_NEVER: Final = "Prometheus does not scrape the collector, so nothing can be said."


def _calls(*more: str) -> str:
    """Model and tool calls of each service; `more` are further conditions on labels."""
    chosen = variables.chosen(_READ.labels).strip("{}")
    where = ",".join((f'{Label.FAMILY}=~"{Family.LLM}|{Family.TOOL}"', *more, *filter(None, [chosen])))
    return sum_by(c.SERVICE_CALLS.by, f"rate({SPAN_CALLS.series}{{{where}}}[$__rate_interval])")


_OF_NOBODY: Final = _calls(f'{Label.AGENT}="{ABSENT}"')
_UNNAMED: Final = f"({_OF_NOBODY} or {_calls()} * 0) / ({_calls()} > 0)"


def _bad(title: str, description: str, *alerts: str, **rest: Any) -> TimeSeries:  # noqa: ANN401 fields of Panel
    """What should stay at nothing; counters without a first increment have no series, so 0 is drawn for them."""
    return _READ.watching(*alerts, title=title, description=description, no_data=_NEVER, zero=_ALIVE, **rest)


def _flow(title: str, description: str, **metrics: str) -> TimeSeries:
    """Rates under the words that name them."""
    queries = (
        Prom(expr=sum_by((), f"rate({metric}[$__rate_interval])"), legend=word) for word, metric in metrics.items()
    )
    return TimeSeries(
        title=title,
        description=description,
        no_data="Nothing came in this time range, or Prometheus does not scrape the collector.",
        queries=tuple(queries),
        format=Format.PER_SECOND,
    )


_TARGETS: Final = Section(
    title="Is everything there",
    panels=(
        StateTimeline(
            title="Backends",
            description="Whether each backend answered Prometheus. A gap means that Prometheus itself was away.",
            no_data="Prometheus does not answer.",
            queries=(Prom(expr=f"max by (job, instance) ({_UP})", legend="{{job}} {{instance}}"),),
            states={0: ("down", Colour.BAD), 1: ("up", Colour.GOOD)},
            width=14,
            alerts=("BackendDown", "CollectorMissing"),
        ),
        TimeSeries(
            title="Calls of each service",
            description="Spans that count, in the 15 minutes before. A line that ends: the service fell silent.",
            no_data="No service sent a span that counts in this time range.",
            queries=(Prom(expr=_READ.count(c.SERVICE_CALLS, 15 * MINUTE), legend=legend(c.SERVICE_CALLS.by)),),
            width=10,
            alerts=("TelemetryMissing",),
        ),
        _bad(
            "Spans that no KPI reads",
            "Of what a service does, the share that names a model or tool and is in no KPI, in 15 minutes.",
            "SpansUnread",
            format=Format.SHARE,
            maximum=1.0,
            width=12,
        ),
        _bad(
            "Token counts that cannot be",
            "Model calls in an hour: more cached than sent, more reasoning than output, or no numbers.",
            "TokensDoubtful",
            width=12,
        ),
        _bad(
            "Costs stated twice",
            "Model calls in an hour whose sender states another cost than the price table.",
            "CostsDiffer",
            width=12,
        ),
        TimeSeries(
            title="Calls without an agent",
            description="Of model and tool calls, the share that is in no KPI of an agent. Lines as high as 100 %:"
            " `agentobs telemetry check` names the framework and the line that mends it.",
            no_data="No service called a model or a tool in this time range.",
            queries=(Prom(expr=_UNNAMED, legend=legend(c.SERVICE_CALLS.by)),),
            format=Format.SHARE,
            maximum=1.0,
            width=12,
        ),
    ),
)
_COLLECTOR: Final = Section(
    title="Collector",
    panels=(
        _flow(
            "Spans in and out",
            "Accepted from programs, and sent to each store. Sampling makes the second smaller.",
            accepted=SelfMetric.ACCEPTED_SPANS,
            sent=SelfMetric.SENT_SPANS,
        ),
        _READ.watching(
            "CollectorQueueFilling",
            "CollectorQueueFull",
            title="Queues",
            description="How full the queue to each store is; full, new data for it is lost.",
            no_data=_NEVER,
            format=Format.SHARE,
            maximum=1.0,
        ),
        _bad("Lost: a queue was full", "Spans and records in ten minutes, lost for that store.", "CollectorLosesData"),
        _bad("Refused by stores", "Spans and records in ten minutes, refused for good.", "StoreRefusesData"),
        _bad(
            "Turned away for memory",
            "Spans in five minutes that programs have to send again.",
            "CollectorUnderPressure",
        ),
        _READ.watching(
            "CollectorRestarting",
            title="Restarts of the collector",
            description="Starts within half an hour.",
            no_data=_NEVER,
        ),
        _bad(
            "Traces decided too early",
            "Traces in ten minutes for which the sampler had no room.",
            "TracesDecidedTooEarly",
        ),
        _READ.watching(
            "SeriesNearLimit",
            title="KPI series",
            description="Series of KPIs that the collector holds, as a share of those it has room for.",
            no_data="No KPI series yet: nothing that counts has come since the collector started.",
            format=Format.SHARE,
            maximum=1.0,
        ),
        _bad(
            "KPI points lost",
            "Points in ten minutes that found no room, came out of order or were refused: counts are too low by them.",
            "SeriesDropped",
            "KpiPointsLost",
            by=("job", "instance"),
        ),
        _READ.watching(
            "ApplicationSeriesMany",
            title="Series that programs make",
            description="Series of metrics that programs send themselves, by service. KPIs are not among them.",
            no_data="No program sends metrics of its own.",
        ),
        _bad(
            "Metrics of programs refused",
            "Points in ten minutes that programs sent themselves and that were refused. KPIs are not concerned.",
            "ApplicationMetricsRefused",
            by=("job", "instance"),
        ),
    ),
)
_PROMETHEUS: Final = Section(
    title="Prometheus",
    panels=(
        _READ.watching(
            "RulesSlow",
            title="Time that rules take",
            description="The time of each group as a share of its interval; at the whole, evaluations are skipped.",
            no_data="Prometheus has evaluated no rule yet.",
            format=Format.SHARE,
        ),
        _bad("Rules that fail", "Evaluations in five minutes that failed.", "RulesFailing"),
        _bad("Rules that are late", "Evaluations in five minutes that were skipped.", "RulesLate"),
        _READ.watching(
            "PrometheusIngestsNothing",
            title="Samples taken in",
            description="Samples a second. At nothing every panel shows the past.",
            no_data="Prometheus does not scrape itself.",
            format=Format.PER_SECOND,
        ),
        _bad("Trouble with the disk", "Failed compactions and reloads in three hours.", "PrometheusStorageFailing"),
        _bad("Samples too old", "Samples in ten minutes that came later than is allowed.", "SamplesTooOld"),
        _READ.watching(
            "PrometheusConfigRejected",
            title="Configuration of Prometheus",
            description="1: the newest configuration is in use. 0: it was refused.",
            no_data="Prometheus does not scrape itself.",
            width=12,
        ),
        _READ.watching(
            "AlertmanagerConfigRejected",
            title="Configuration of Alertmanager",
            description="1: the newest configuration is in use. 0: it was refused.",
            no_data="Prometheus does not scrape Alertmanager.",
            width=12,
        ),
    ),
)
_ALERTING: Final = Section(
    title="The way of an alert",
    panels=(
        _READ.watching(
            "AlertmanagerUnknown",
            title="Alertmanagers known",
            description="Without one no alert reaches anybody.",
            no_data="Prometheus does not scrape itself.",
        ),
        _bad("Alerts not handed over", "Alerts in five minutes that Alertmanager did not take.", "AlertsNotSent"),
        _bad("Notifications that failed", "In five minutes, by kind of receiver.", "NotificationsFailing"),
    ),
)


def _release(metric: ReleaseMetric) -> str:
    """A metric of the release controller, for the environment that is chosen."""
    return _READ.narrowed(metric, LABELS[metric])


_RELEASES: Final = Section(
    title="Releases",
    panels=(
        TimeSeries(
            title="Agents by revision",
            description="Agent processes by the revision that they hold. Two lines for long: some do not follow.",
            no_data="No agent has asked the release controller in this time range.",
            queries=(Prom(expr=sum_by(("revision",), _release(ReleaseMetric.AGENTS)), legend="revision {{revision}}"),),
            stacked=True,
            width=12,
        ),
        TimeSeries(
            title="Decisions about canaries",
            description="Looks a second, by what was decided. Only `hold` for long: data are missing.",
            no_data="No canary ran in this time range.",
            queries=(
                Prom(
                    expr=sum_by(("action",), f"rate({_release(ReleaseMetric.DECISIONS)}[$__rate_interval])"),
                    legend="{{action}}",
                ),
            ),
            format=Format.PER_SECOND,
            width=12,
        ),
        _READ.watching(
            "AgentsDeaf",
            title="Deaf agents",
            description="Agent processes that have not asked for two minutes.",
            no_data="Nothing was promoted in this environment, or Prometheus does not scrape the release controller.",
        ),
        _READ.watching(
            "CanaryUnanswered",
            title="Canary without an answer",
            description="Seconds for which the running canary could not be judged.",
            no_data="No canary ran in this time range.",
            format=Format.SECONDS,
        ),
        _READ.watching(
            "EffectsPending",
            title="Revisions not told",
            description="Labels of prompts, annotations and log lines about revisions that are not written yet.",
            no_data="Prometheus does not scrape the release controller.",
            zero=f"max({ReleaseMetric.STORE_READABLE})",
        ),
        _READ.watching(
            "ReleaseStoreUnreadable",
            title="Store of releases",
            description="1: it can be read. 0: it cannot, and nothing can be changed.",
            no_data="Prometheus does not scrape the release controller.",
            width=24,
        ),
    ),
)
_STORES: Final = Section(
    title="Stores of traces and logs",
    panels=(
        _bad(
            "Requests to Loki that fail",
            "Share of answers with a 5xx status.",
            "LokiFailing",
            format=Format.SHARE,
            store=LogKind.LOKI,
        ),
        _bad(
            "Requests to Tempo that fail",
            "Share of answers with a 5xx status.",
            "TempoFailing",
            format=Format.SHARE,
            store=TraceKind.TEMPO,
        ),
        _bad(
            "Loki in trouble", "Full disk and panics in ten minutes.", "LokiDiskFull", "LokiPanics", store=LogKind.LOKI
        ),
        _bad(
            "Tempo in trouble",
            "Failed flushes, discarded spans and failed compactions in ten minutes.",
            "TempoFlushesFailing",
            "TempoDiscardsSpans",
            "TempoCompactionFailing",
            store=TraceKind.TEMPO,
        ),
        _bad(
            "Requests to VictoriaLogs that fail",
            "Share of requests answered with an error, or given up because too many waited.",
            "VictoriaLogsFailing",
            format=Format.SHARE,
            store=LogKind.VICTORIALOGS,
        ),
        _bad(
            "Requests to Jaeger's store that fail",
            "Share of searches and writes that its store refused.",
            "JaegerFailing",
            format=Format.SHARE,
            store=TraceKind.JAEGER,
        ),
        _bad(
            "VictoriaLogs in trouble",
            "1 while it cannot write; lines dropped in ten minutes; starts in half an hour.",
            "VictoriaLogsDiskFull",
            "VictoriaLogsDropsLines",
            "VictoriaLogsRestarting",
            store=LogKind.VICTORIALOGS,
        ),
        _bad(
            "Jaeger in trouble",
            "Spans refused in five minutes, starts in half an hour.",
            "JaegerRefusesSpans",
            "JaegerRestarting",
            store=TraceKind.JAEGER,
        ),
        _bad(
            "Disk of Jaeger",
            "Share of its volume that its tables fill; joining them needs as much again for a moment.",
            "JaegerDiskFilling",
            format=Format.SHARE,
            store=TraceKind.JAEGER,
        ),
        TimeSeries(
            title="Memory",
            description="Resident memory of each backend.",
            no_data="No backend answered Prometheus in this time range.",
            queries=(
                Prom(expr="max by (job, instance) (process_resident_memory_bytes)", legend="{{job}}"),
                Prom(expr=f"max by (job, instance) ({SelfMetric.MEMORY_RSS})", legend="{{job}}"),
            ),
            format=Format.BYTES,
        ),
        TimeSeries(
            title="Processor time",
            description="Cores that each backend keeps busy.",
            no_data="No backend answered Prometheus in this time range.",
            queries=(
                Prom(
                    expr="max by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval]))",
                    legend="{{job}}",
                ),
                Prom(
                    expr=f"max by (job, instance) (rate({SelfMetric.CPU_SECONDS}[$__rate_interval]))", legend="{{job}}"
                ),
            ),
        ),
    ),
)

BOARD: Final = Board(
    slug="platform",
    title="Platform health",
    question="Can the other boards be believed?",
    variables=(variables.ENVIRONMENT, variables.SERVICE),
    sections=(_TARGETS, _COLLECTOR, _PROMETHEUS, _ALERTING, _RELEASES, _STORES),
    next=("fleet", "langfuse"),
)
