"""What got worse though no version is to blame: a scan for the moment at which a KPI of an agent or tool broke.

Each KPI is read in equal buckets over the active part of the window; every bucket border is a candidate moment and
the one with the largest change for the worse wins. A scan tries many borders, hence the higher bar `SCAN_Z`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from alerts import promql
from alerts.catalogue import AGENT_FAMILY, DIAGNOSED, SCAN_Z, TASK_SUCCESS, TOOL_FAMILY, Kpi, Selector
from alerts.source import EXPORT_DELAY_S, MetricsSource
from collector.signals import ABSENT, Label
from runbooks import changes
from runbooks.comparison import Comparison, Reading, compare

_BUCKETS: Final = 24
_TIMELINE_STEPS: Final = 300
_Counts = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One KPI that is worse since `since`, in one environment: of an agent, a tool, or (`subject` says) all of it."""

    subject: Mapping[Label, str]
    comparison: Comparison
    since: float


def find(source: MetricsSource, where: Mapping[Label, str], start: float, end: float) -> list[Symptom]:
    """Return the symptoms of each environment between `start` and `end` (unix seconds), strongest first.

    One per KPI and environment, of the agent or tool that shows it most: a fault slows everything down a little.
    """
    found: list[Symptom] = []
    for environment, (first, last) in _environments(source, where, start, end).items():
        here = {**where, Label.ENVIRONMENT: environment}
        scans = [list(_scan(source, kpi, here, first, last)) for kpi in DIAGNOSED]
        found += [max(scan, key=lambda symptom: symptom.comparison.z) for scan in scans if scan]
    return sorted(found, key=lambda symptom: -symptom.comparison.z)


def _environments(
    source: MetricsSource, where: Mapping[Label, str], start: float, end: float
) -> dict[str, tuple[float, float]]:
    """Active environments, from their first to their last ended task: buckets without traffic find nothing."""
    step = max(1.0, (end - start) / _TIMELINE_STEPS)
    tasks = TASK_SUCCESS.denominator
    active = {}
    for series in source.range(promql.total(tasks, (Label.ENVIRONMENT,), where), start, end, step):
        moments = changes.uses(series.points, start, step)
        if moments:
            name = series.labels.get(Label.ENVIRONMENT, ABSENT)
            active[name] = (max(start, moments[0] - step), min(end, moments[-1] + step + EXPORT_DELAY_S))
    return active


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
            subject = {Label.ENVIRONMENT: where[Label.ENVIRONMENT], **dict.fromkeys(by, name)}
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
