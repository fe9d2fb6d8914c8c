"""What counters tell about the telemetry itself: models without a price, events without a name, data that was lost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from agentobs.contract import ABSENT, Attr, Label, Place
from collector import applications
from collector.check.findings import COLLECTOR, Finding, Kind, Severity
from collector.check.fixes import fix
from collector.self_metrics import SelfMetric

_SEND_FAILED: Final = "otelcol_exporter_send_failed"
# Ways that no KPI goes.
_OF_APPLICATIONS: Final = (applications.EXPORTER, applications.ALONE)
_APPLICATIONS: Final = (
    "of applications refused by the store for good",
    "the collector's log says which and why (a histogram that contradicts itself?); mend the library that sends it",
)
# Counters of the collector itself that must not grow, as the beginnings of their names, with what to do.
_TOLD: Final[dict[str, tuple[str, str]]] = {
    "otelcol_receiver_refused": (
        "refused at the door; the sender tries again, then drops",
        "the collector is out of memory or a queue is full: look for a store that is down, then raise the memory limit",
    ),
    "otelcol_receiver_failed": ("failed inside the collector", "its log names the component"),
    "otelcol_processor_memory_limiter_refused": (
        "refused by the memory limiter",
        "raise the memory limit of the collector, or run more of them",
    ),
    "otelcol_exporter_enqueue_failed": (
        "dropped, because the queue of a store is full",
        "bring the store back, then plan a bigger queue for outages like this one",
    ),
    _SEND_FAILED: (
        "dropped, because a store refused them for good",
        "its log says why the store answered 400; labels or values are too long or too many",
    ),
    "otelcol_deltatocumulative_datapoints": (
        "metric points dropped: they came late, twice, or of too many series",
        "find the label that explodes; else two collectors have the same instance name",
    ),
    SelfMetric.FILTERED_POINTS: (
        "of applications refused: a name or job of the platform, no temporality, or too many labels",
        "rename the metric or the service; the contract lists under Metrics of your own what is refused",
    ),
    "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early": (
        "traces given up before the decision about them",
        "give the sampler more memory for undecided traces",
    ),
}
LOSS_COUNTERS: Final = tuple(_TOLD)
# These count other things too; what has this label, with this value where one is given, was dropped.
_DROPPED_IF: Final = {
    "otelcol_deltatocumulative_datapoints": ("error", ""),
    SelfMetric.FILTERED_POINTS: ("filter", applications.REFUSED),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter: its name, its labels, and how much it grew."""

    name: str
    labels: Mapping[str, str]
    value: float


def unpriced(calls: Iterable[Counted]) -> list[Finding]:
    """Models that cost nothing because nobody knows their price; labels: service, agent, model, provider."""
    return [
        Finding(
            severity=Severity.PROBLEM,
            kind=Kind.UNPRICED,
            service=row.labels.get(Label.SERVICE, ""),
            agent=row.labels.get(Label.AGENT, "").replace(ABSENT, ""),
            subject=row.labels.get(Label.MODEL, ""),
            what=f"no price for model {row.labels.get(Label.MODEL, '')} of {row.labels.get(Label.PROVIDER, ABSENT)}",
            count=round(row.value),
            fix=f"put it into a file (pulumi config set agentobs:pricesFile FILE), or set {Attr.COST} on the span",
        )
        for row in calls
        if row.value > 0
    ]


# Labels of events that have a meaning only with a value, and what they are made of.
EVENT_LABELS: Final[Mapping[Label, tuple[Attr, Place]]] = {
    Label.EVALUATION: (Attr.EVALUATION_NAME, Place.EVALUATION),
    Label.EVALUATION_LABEL: (Attr.EVALUATION_LABEL, Place.EVALUATION),
    Label.EVALUATION_SOURCE: (Attr.EVALUATION_SOURCE, Place.EVALUATION),
    Label.POLICY: (Attr.POLICY_ID, Place.POLICY),
    Label.POLICY_ACTION: (Attr.POLICY_ACTION, Place.POLICY),
}


def unnamed_events(label: Label, events: Iterable[Counted]) -> list[Finding]:
    """Events that lack what `label` is made of; labels: service, agent and `label`."""
    attr, place = EVENT_LABELS[label]
    rows = list(events)
    totals: dict[tuple[str, str], float] = {}
    for row in rows:
        totals[_who(row)] = totals.get(_who(row), 0) + row.value
    return [
        Finding(
            severity=Severity.REQUIRED,
            kind=Kind.MISSING,
            service=_who(row)[0],
            agent=_who(row)[1],
            subject=attr,
            what=f"no {attr} on the {place}",
            count=round(row.value),
            of=round(totals[_who(row)]),
            fix=fix(attr, place),
        )
        for row in rows
        if row.value > 0 and row.labels.get(label) == ABSENT
    ]


def _who(row: Counted) -> tuple[str, str]:
    agent = row.labels.get(Label.AGENT, "")
    return row.labels.get(Label.SERVICE, ""), "" if agent == ABSENT else agent


def losses(grown: Iterable[Counted]) -> list[Finding]:
    """What the collector itself refused, dropped or failed to send."""
    found = []
    for row in grown:
        start = next((start for start in _TOLD if row.name.startswith(start)), "")
        if not start or row.value <= 0 or not _is_loss(row, start):
            continue
        where = next(
            (row.labels[key] for key in ("exporter", "receiver", "processor", "error") if row.labels.get(key)), ""
        )
        is_own = where in _OF_APPLICATIONS and start == _SEND_FAILED
        text, fix_text = _APPLICATIONS if is_own else _TOLD[start]
        found.append(
            Finding(
                severity=Severity.PROBLEM,
                kind=Kind.UNSTORED if is_own or start == SelfMetric.FILTERED_POINTS else Kind.LOST,
                service=COLLECTOR,
                subject=row.name,
                what=f"{_items(row.name)} {text}" + (f" ({where})" if where else ""),
                count=round(row.value),
                fix=fix_text,
            )
        )
    return found


def _is_loss(row: Counted, counter: str) -> bool:
    if counter not in _DROPPED_IF:
        return True
    label, value = _DROPPED_IF[counter]
    given = row.labels.get(label, "")
    return given == value if value else bool(given)


def _items(name: str) -> str:
    kinds = {
        "datapoints": "metric points",
        "spans": "spans",
        "log_records": "log records",
        "metric_points": "metric points",
    }
    return next((text for key, text in kinds.items() if key in name), "")
