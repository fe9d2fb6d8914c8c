"""KPIs as tables of cells: a row per combination of versions, a column per stretch of time. All statistics read these.

One range query per side of a KPI brings everything that a diagnosis asks of it; the rest is arithmetic.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts import promql
from alerts.catalogue import AGENT_LATENCY, AGENT_SUCCESS, TASK_LATENCY, TASK_SUCCESS, Kpi, Selector
from alerts.source import EXPORT_DELAY_S, MetricsSource
from collector.signals import ABSENT, Label
from runbooks.comparison import Reading
from runbooks.places import Kind, Place, kind_of, labels_of

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

_COLUMNS: Final = 48
_NARROWEST_S: Final = 1.0
_TIMELINE_STEPS: Final = 300
_DURATIONS: Final = 2.0
_MOST_SETTLING: Final = 0.35  # of the time at work, all changes together; more would leave too little to compare
_OWN: Final = {Kind.TOOL: Label.TOOL, Kind.AGENT: Label.AGENT}


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a window in which an environment was at work, cut into `columns` of `width` seconds."""

    environment: str
    start: float
    width: float
    columns: int

    @property
    def end(self) -> float:
        """Unix seconds."""
        return self.start + self.width * self.columns

    @property
    def starts(self) -> Numbers:
        """Unix seconds at which each column begins."""
        return np.asarray(self.start + self.width * np.arange(self.columns), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Table:
    """One KPI of one place: increases of its two counters, `rows` x columns."""

    kpi: Kpi
    place: Place
    span: Span
    rows: tuple[Mapping[Label, str], ...]
    above: Numbers
    below: Numbers

    def reading(self, mask: Mask) -> Reading:
        """The KPI over the cells of a mask."""
        return Reading(float(self.above[mask].sum()), float(self.below[mask].sum()))

    def values(self, label: Label) -> list[str]:
        """What each row has for a label; `none` where the table is not read by it."""
        return [row.get(label, ABSENT) for row in self.rows]


def spans(source: MetricsSource, where: Mapping[Label, str], start: float, end: float) -> list[Span]:
    """Environments that were at work between `start` and `end`, each from its first to its last call.

    Columns without traffic would find nothing and cost precision.
    """
    step = max(_NARROWEST_S, (end - start) / _TIMELINE_STEPS)
    moments: dict[str, list[float]] = {}
    for activity in (TASK_SUCCESS.denominator, AGENT_SUCCESS.denominator):
        # Increases, as a sum of counters also moves when one of them is no longer reported.
        query = promql.increase(activity, (Label.ENVIRONMENT,), where, step)
        for series in source.range(query, start + step, end, step):
            used = [at for at, calls in series.points if calls > 0]
            moments.setdefault(series.labels.get(Label.ENVIRONMENT, ABSENT), []).extend(used)
    found = []
    for environment, times in moments.items():
        if times:
            first, last = max(start, min(times) - step), min(end, max(times) + step + EXPORT_DELAY_S)
            columns = max(2, min(_COLUMNS, int((last - first) / _NARROWEST_S)))
            found.append(Span(environment, first, (last - first) / columns, columns))
    return found


def read(source: MetricsSource, kpi: Kpi, span: Span, where: Mapping[Label, str]) -> list[Table]:
    """One table for each place that has events."""
    by, here = labels_of(kpi), {**where, Label.ENVIRONMENT: span.environment}

    def counted(selector: Selector) -> dict[tuple[str, ...], Numbers]:
        query = promql.increase(selector, by, here, span.width)
        rows: dict[tuple[str, ...], Numbers] = {}
        for series in source.range(query, span.start + span.width, span.end, span.width):
            key = tuple(series.labels.get(label, ABSENT) for label in by)
            row = rows.setdefault(key, np.zeros(span.columns))
            for at, value in series.points:
                row[min(span.columns - 1, round((at - span.start) / span.width) - 1)] = max(value, 0.0)
        return rows

    above, below = counted(kpi.numerator), counted(kpi.denominator)
    kind = kind_of(kpi)
    places: dict[str, list[tuple[str, ...]]] = {}
    for key, counts in below.items():
        name = key[by.index(_OWN[kind])] if kind in _OWN else ""
        if name != ABSENT and counts.any():
            places.setdefault(name, []).append(key)
    return [
        Table(
            kpi=kpi,
            place=Place(span.environment, kind, name),
            span=span,
            rows=tuple(dict(zip(by, key, strict=True)) for key in keys),
            above=np.array([above.get(key, np.zeros(span.columns)) for key in keys]),
            below=np.array([below[key] for key in keys]),
        )
        for name, keys in places.items()
    ]


def settling_s(tables: Iterable[Table], changes: int) -> float:
    """Seconds after a change in which calls end that began before it, and of the new ones only the short have ended."""
    of_tasks = [t for t in tables if t.kpi is TASK_LATENCY] or [t for t in tables if t.kpi is AGENT_LATENCY]
    seconds, calls = sum(t.above.sum() for t in of_tasks), sum(t.below.sum() for t in of_tasks)
    if not calls:
        return 0.0
    span = of_tasks[0].span
    return float(min(_DURATIONS * seconds / calls, (span.end - span.start) * _MOST_SETTLING / max(1, changes)))


def callers(tables: Iterable[Table]) -> dict[str, list[str]]:
    """Which agents call which tool, the most frequent first."""
    calls: dict[str, dict[str, float]] = {}
    for table in tables:
        if table.place.kind is Kind.TOOL:
            of_tool = calls.setdefault(table.place.name, {})
            for agent, events in zip(table.values(Label.AGENT), table.below.sum(axis=1), strict=True):
                if agent != ABSENT:
                    of_tool[agent] = max(of_tool.get(agent, 0.0), float(events))
    return {tool: sorted(agents, key=lambda agent: -agents[agent]) for tool, agents in calls.items()}
