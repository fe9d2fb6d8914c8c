"""Recording rules of the catalogue: values, quantiles, events and objectives of every KPI, and the plain counts."""

from collections.abc import Iterator
from typing import Final

from alerts import promql
from alerts.catalogue import CATALOGUE, Group, Kpi
from alerts.catalogue.counts import COUNTS, Count
from alerts.catalogue.model import HOUR, MINUTE
from alerts.recording import rule
from alerts.recording.rule import Record, RecordGroup
from alerts.timing import Timing

# A window moves on in steps of a twentieth or less, and no rule runs more often than data arrives.
_INTERVALS_S: Final = ((30 * MINUTE, 15), (2 * HOUR, MINUTE))
_LONGEST_S: Final = 2 * MINUTE  # well inside the five minutes that Prometheus looks back


def interval_s(window_s: float) -> float:
    """How often a window is evaluated, in seconds of production time."""
    return next((interval for longest, interval in _INTERVALS_S if window_s <= longest), _LONGEST_S)


def groups(timing: Timing) -> Iterator[RecordGroup]:
    """One group per family and interval, and one of constants."""
    for family in Group:
        timed = [*_rules(family, timing)]
        for every in sorted({seconds for seconds, _ in timed}):
            rules = tuple(record for seconds, record in timed if seconds == every)
            yield RecordGroup(name=f"kpi-{family}-every-{promql.duration(every)}", interval_s=every, rules=rules)
    yield RecordGroup(name="kpi-objectives", interval_s=MINUTE, rules=tuple(_constants()))


def _rules(family: Group, timing: Timing) -> Iterator[tuple[float, Record]]:
    for kpi in CATALOGUE:
        if kpi.group is family:
            for window_s in kpi.windows_s:
                yield from ((interval_s(window_s), record) for record in _kpi(kpi, window_s, timing))
    for count in COUNTS:
        if count.group is family:
            yield from ((interval_s(window_s), _count(count, window_s, timing)) for window_s in count.windows_s)


def _kpi(kpi: Kpi, window_s: int, timing: Timing) -> Iterator[Record]:
    window, events = timing.seconds(window_s), rule.events(kpi, window_s)
    yield Record(name=events, expr=f"{promql.increase(kpi.denominator, kpi.by, {}, window)} > 0")
    numerator = promql.increase(kpi.numerator, kpi.by, {}, window)
    if kpi.histogram is None:
        # What never happened has no series; without the second term a KPI at 0 % would be absent, and silent.
        numerator = f"({numerator} or 0 * {events})"
    yield Record(name=rule.value(kpi, window_s), expr=f"{numerator} / {events}")
    if kpi.histogram is None:
        return
    for q in kpi.quantiles:
        buckets = promql.buckets(kpi.histogram.bucket, kpi.by, kpi.denominator.where, window)
        yield Record(name=rule.quantile(kpi, q, window_s), expr=f"histogram_quantile({q:g}, {buckets})")


def _count(count: Count, window_s: int, timing: Timing) -> Record:
    expr = promql.increase(count.of, count.by, {}, timing.seconds(window_s))
    return Record(name=rule.increase(count, window_s), expr=expr)


def _constants() -> Iterator[Record]:
    for kpi in CATALOGUE:
        yield Record(name=rule.TOLERANCE, expr=f"vector({kpi.tolerance:g})", labels={"kpi": kpi.key})
        for objective in kpi.objectives:
            yield Record(
                name=rule.objective(kpi),
                expr=f"vector({objective.target:g})",
                labels={"alertname": objective.alert, "severity": objective.severity},
            )
        if kpi.slo is not None:
            yield Record(name=rule.objective(kpi), expr=f"vector({kpi.slo.target:g})", labels={"alertname": "slo"})
