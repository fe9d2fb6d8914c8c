"""What is known of series without looking at a rule: who gives them, their labels, their values, their type.

The allow-lists stand here too, each entry with its reason.
"""

from typing import Final

from agentobs.contract import (
    ABSENT,
    METRICS,
    SPAN_CALLS,
    ErrorClass,
    EvaluationSource,
    Family,
    Label,
    Metric,
    MetricKind,
    Outcome,
    PolicyAction,
    Track,
)
from alerts.catalogue import DIMENSIONS
from alerts.catalogue.model import Group, Owner, Severity
from alerts.promql.shapes import Shape, Values, one, variant
from alerts.recording import programs, rule, versions
from alerts.recording.comparison import COMPARED
from alerts.release_metrics import COUNTERS, LABELS, ReleaseMetric
from collector.self_metrics import SelfMetric

SCRAPE_S: Final = 15
"""How often production scrapes."""

REQUIRED_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "severity": tuple(Severity),
    "owner": tuple(Owner),
    "family": tuple(Group),
}
REQUIRED_ANNOTATIONS: Final = ("summary", "description", "command", "runbook_url", "dashboard_url")

# Alerts that need no comparison or no `for`, and why.
ALWAYS: Final = {"Watchdog": "it proves that alerts arrive by always firing"}
AT_ONCE: Final = {
    "Watchdog": "it always fires; waiting would only delay the first sign",
    "ProcessCrashLoop": "several starts within ten minutes are already a while",
    "ToolSchemaChanged": "a change is an event: it is true at once and stays so for an hour",
    "SeriesDropped": "each dropped point is lost; keep_firing_for bridges the gaps",
    "KpiPointsLost": "each lost point is lost; keep_firing_for bridges the gaps",
    "ApplicationMetricsRefused": "each refused point is lost; keep_firing_for bridges the gaps",
    "CollectorLosesData": "what is lost once is lost; the window of ten minutes holds the alert",
    "StoreRefusesData": "what is refused for good is lost; the window holds the alert",
    "CollectorRestarting": "three starts within half an hour are already a while",
    "TracesDecidedTooEarly": "a trace decided too early stays so; the window holds the alert",
    "PrometheusStorageFailing": "happens once in two hours at most; waiting would outlast the failure",
    "SamplesTooOld": "a refused sample is lost; the window holds the alert",
    "LokiDiskFull": "from the first failed write on, log lines live in memory only",
    "LokiPanics": "a panic is an event; the window holds the alert",
    "TempoFlushesFailing": "a flush is tried rarely; the window holds the alert",
    "TempoDiscardsSpans": "a discarded span is lost; the window holds the alert",
    "TempoCompactionFailing": "a compaction is rare; the window holds the alert",
    "JaegerRestarting": "three starts within half an hour are already a while",
    "CanaryUnanswered": "what it reads has counted five minutes by itself",
    "VictoriaLogsDropsLines": "a dropped line is lost; the window holds the alert",
    "VictoriaLogsRestarting": "three starts within half an hour are already a while",
}

# Rules that read every series, and why.
EVERY_SERIES: Final = {
    programs.OF_ONE: "it counts series, whatever programs call them",
    programs.OF_ALL: "it counts series, whatever programs call them",
}

# Series that are recorded only where somebody has set the number, with their labels.
OPTIONAL: Final[dict[str, Shape]] = {
    rule.BASELINE: tuple(
        variant({"kpi": frozenset((kpi.key,)), **dict.fromkeys(map(str, kpi.by))}) for kpi in COMPARED
    ),
    rule.DAILY_BUDGET: one(),
}
# Labels that follow from the others of a series: `topk` keeps one version per owner.
IMPLIED: Final[dict[str, frozenset[str]]] = {
    versions.CURRENT: frozenset(("version",)),
    versions.PREVIOUS: frozenset(("version",)),
    "version:new_value1h": frozenset(("version",)),
    versions.NEW_EVENTS: frozenset(("version",)),
    "version:new_share1h": frozenset(("version",)),
    versions.BAD: frozenset(("version",)),
    "version:old_value1h": frozenset(("previous",)),
    versions.OLD_EVENTS: frozenset(("previous",)),
    "version:old_share1h": frozenset(("previous",)),
    versions.ABOVE: frozenset(("version",)),
    "version:old_above1h": frozenset(("previous",)),
    "version:bound1h": frozenset(("previous", "le")),
}

_FLAG: Final = ("true", "false", ABSENT)
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    Label.OUTCOME: (*Outcome, ABSENT),
    Label.ERROR_CLASS: (*ErrorClass, ABSENT),
    Label.TRACK: (*Track, ABSENT),
    Label.IS_RETRY: _FLAG,
    Label.IS_FALLBACK: _FLAG,
    Label.TOKEN_TYPE: ("input", "output", "cache_read", "reasoning"),
    Label.STATE: ("planned", "completed"),
    Label.EVALUATION_SOURCE: (*EvaluationSource, ABSENT),
    Label.EVALUATION_LABEL: ("pass", "fail", ABSENT),
    Label.POLICY_ACTION: (*PolicyAction, ABSENT),
    Label.FAMILY: tuple(Family),
}
# Programs beside ours whose metrics rules may read. Their labels are not known here; rule tests cover them.
_OTHERS: Final = (
    "alertmanager_", "clickhouse_", "go_", "grafana_", "jaeger_", "kube_", "langfuse_", "loki_", "minio_", "net_",
    "node_", "pg_", "probe_", "process_", "prometheus_", "promhttp_", "redis_", "scrape_", "tempo_", "tempodb_", "vl_",
    "vm_",
)  # fmt: skip
# Jaeger is built of parts of the collector; unlike ours, it gives their metrics with unit and suffix.
_OF_JAEGER: Final = frozenset(f"otelcol_{name}" for name in (
    "exporter_send_failed_spans_total", "exporter_sent_spans_total", "process_memory_rss_bytes",
    "process_uptime_seconds_total", "receiver_accepted_spans_total", "receiver_refused_spans_total",
))  # fmt: skip
_OF_PROMETHEUS: Final = frozenset(("up", "ALERTS", "ALERTS_FOR_STATE"))
_COUNTER_ENDS: Final = ("_total", "_count", "_sum", "_bucket")
_GAUGE_ENDS: Final = ("_bytes", "_ratio", "_timestamp", "_timestamp_seconds", "_info", "_limit", "_capacity", "_length")
_GAUGES: Final = frozenset((
    SelfMetric.QUEUE_SIZE, SelfMetric.QUEUE_CAPACITY, SelfMetric.SERIES_TRACKED, SelfMetric.SERIES_LIMIT,
    SelfMetric.TRACES_HELD, SelfMetric.MEMORY_RSS, SelfMetric.UPTIME, "up", *(frozenset(ReleaseMetric) - COUNTERS),
))  # fmt: skip


def _values(label: str) -> Values:
    return frozenset(map(str, _VALUES[label])) if label in _VALUES else None


def _of(metric: Metric, *more: str) -> Shape:
    return (variant({str(label): _values(label) for label in (*metric.labels, *more)}),)


def _table() -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for metric in METRICS:
        if metric.kind is MetricKind.COUNTER:
            found[metric.series] = _of(metric)
            continue
        found |= {metric.sum: _of(metric), metric.count: _of(metric), metric.bucket: _of(metric, "le")}
    found |= {metric: one(*labels, "job", "instance") for metric, labels in LABELS.items()}
    # As in `version:current`, each dimension has its own labels.
    found[ReleaseMetric.PIN_INFO] = tuple(
        variant(
            {
                **dict.fromkeys((*map(str, each.entity), "version", "job", "instance")),
                "dimension": frozenset((each.key,)),
            }
        )
        for each in DIMENSIONS
    )
    # One name for all families, each with its own labels.
    found[SPAN_CALLS.series] = tuple(
        variant({**{str(label): _values(label) for label in family.labels}, Label.FAMILY: frozenset((family.value,))})
        for family in Family
    )
    return found


_GIVEN: Final = _table()
KPI_LABELS: Final = frozenset(str(label) for label in Label)


def series(name: str) -> Shape:
    """Labels of a series that no rule records."""
    return OPTIONAL[name] if name in OPTIONAL else _GIVEN.get(name)


def is_given(name: str) -> bool:
    """Whether a program gives the series, or an operator can."""
    if name in OPTIONAL or name in _GIVEN:
        return True
    if name.startswith("otelcol_"):
        return name in set(SelfMetric) or name in _OF_JAEGER
    return name in _OF_PROMETHEUS or name.startswith(_OTHERS)


def is_counter(name: str) -> bool:
    """Whether the value of a series only grows."""
    if ":" in name or name in _GAUGES:
        return False
    return name.endswith(_COUNTER_ENDS) or name in set(SelfMetric)


def is_gauge(name: str) -> bool:
    """Whether the value of a series goes up and down for certain."""
    return ":" in name or name in _GAUGES or (not is_counter(name) and name.endswith(_GAUGE_ENDS))
