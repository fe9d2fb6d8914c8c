"""What got worse though no version is to blame: a scan for the moment at which a KPI of an agent or tool broke.

Each KPI is read in equal buckets over the active part of the window; every bucket border is a candidate moment and
the one with the largest change for the worse wins. A scan tries many borders, hence the higher bar `SCAN_Z`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from alerts import promql
from alerts.catalogue import AGENT_FAMILY, CATALOGUE, SCAN_Z, TOOL_FAMILY, Kpi, Selector
from collector import signals
from collector.signals import ABSENT, Label
from runbooks import changes
from runbooks.comparison import Comparison, Reading, compare
from runbooks.source import MetricsSource

_BUCKETS: Final = 24
_Counts = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One KPI of one agent or tool (`subject`, empty for the whole system) that is worse since `since`."""

    subject: Mapping[Label, str]
    comparison: Comparison
    since: float


def find(source: MetricsSource, where: Mapping[Label, str], start: float, end: float) -> list[Symptom]:
    """Return the symptoms between `start` and `end` (unix seconds), strongest first."""
    first = _first_activity(source, where, start, end)
    if first is None:
        return []
    found = [symptom for kpi in CATALOGUE for symptom in _scan(source, kpi, where, first, end)]
    return sorted(found, key=lambda symptom: -symptom.comparison.z)


def _first_activity(source: MetricsSource, where: Mapping[Label, str], start: float, end: float) -> float | None:
    """When tasks began to end; a quiet time before that would hide a change in the first bucket."""
    step = max(1.0, (end - start) / 300)
    tasks = Selector(series=signals.TASK_CALLS.series, labels=signals.TASK_CALLS.labels)
    timeline = source.range(promql.total(tasks, (), where), start, end, step)
    moments = [at for series in timeline for at in changes.uses(series.points, start, step)]
    return max(start, min(moments) - step) if moments else None


def _subject(kpi: Kpi) -> tuple[Label, ...]:
    """The finest thing the KPI speaks of: a tool, an agent, or the whole system."""
    if kpi in TOOL_FAMILY:
        return (Label.TOOL,)
    return (Label.AGENT,) if kpi in AGENT_FAMILY else ()


def _scan(source: MetricsSource, kpi: Kpi, where: Mapping[Label, str], start: float, end: float) -> Iterator[Symptom]:
    by, width = _subject(kpi), (end - start) / _BUCKETS

    def counts(selector: Selector) -> _Counts:
        query = promql.increase(selector, by, where, width)
        found: _Counts = {}
        for series in source.range(query, start + width, end, width):
            row = found.setdefault(next(iter(series.labels.values()), ""), [0.0] * _BUCKETS)
            for at, value in series.points:
                row[min(_BUCKETS - 1, round((at - start) / width) - 1)] = value
        return found

    numerators, denominators = counts(kpi.numerator), counts(kpi.denominator)
    for name, below in denominators.items():
        worst = _worst(kpi, numerators.get(name, [0.0] * _BUCKETS), below)
        if worst is not None and name != ABSENT:
            border, comparison = worst
            subject = dict.fromkeys(by, name)
            yield Symptom(subject=subject, comparison=comparison, since=start + border * width)


def _worst(kpi: Kpi, above: Sequence[float], below: Sequence[float]) -> tuple[int, Comparison] | None:
    """The border between two buckets that separates better from worse most clearly, if any does."""
    sums_above, sums_below = list(accumulate(above)), list(accumulate(below))
    best: tuple[int, Comparison] | None = None
    for border in range(1, _BUCKETS):
        before = Reading(sums_above[border - 1], sums_below[border - 1])
        after = Reading(sums_above[-1] - before.numerator, sums_below[-1] - before.denominator)
        comparison = compare(kpi, before, after)
        if comparison is None or not comparison.is_regression or comparison.z < SCAN_Z:
            continue
        if best is None or comparison.z > best[1].z:
            best = (border, comparison)
    return best
