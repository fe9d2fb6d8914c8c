"""Read: series of one environment as increases per column, each series asked for once.

One query brings both sides of a KPI, read at the same instants: no call is in one and not yet in the other.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from agentobs.contract import ABSENT
from alerts import promql
from alerts.catalogue import DIAGNOSED, DIMENSIONS, Selector
from alerts.catalogue.attempts import first_attempts
from alerts.catalogue.wanted import Like, Not, Unlike, Wanted, Where
from alerts.source import MetricsSource
from runbooks.why import places
from runbooks.why.spans import Numbers, Span

LE: Final = "le"
_MOST: Final = 1e15

Row = tuple[Mapping[str, str], Numbers]
"""Labels and increases per column."""


@dataclass(slots=True)
class Reader:
    """Series of one environment, each asked for once: increases per column, by the labels that any KPI needs."""

    source: MetricsSource
    span: Span
    where: Where
    _kept: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, selector: Selector) -> list[Row]:
        """What a selector selects: labels and increases per column."""
        kept = self._kept.get(selector.series)
        if kept is None:
            kept = self._kept[selector.series] = self._read(selector.series)
        return [row for row in kept if _is_selected(row[0], selector.where)]

    def _read(self, series: str) -> list[Row]:
        selector = Selector(series=series, labels=())
        by = tuple(sorted(_NEEDED[series]))
        found: dict[tuple[str, ...], Numbers] = {}
        first = 0
        for segment in self.span.segments:
            query = promql.increase(selector, by, self.where, segment.width)
            for one in self.source.range(query, segment.start + segment.width, segment.end + 1e-3, segment.width):
                key = tuple(one.labels.get(label, ABSENT) for label in by)
                row = found.setdefault(key, np.zeros(self.span.columns))
                at, values = np.array(one.points, dtype=np.float64).reshape(-1, 2).T
                columns = np.rint((at - segment.start) / segment.width).astype(int) - 1
                row[first + np.clip(columns, 0, segment.columns - 1)] = _counted(values)
            first += segment.columns
        return [(dict(zip(by, key, strict=True)), row) for key, row in found.items() if row.any()]


def _counted(values: Numbers) -> Numbers:
    """Increases that can be counted with; what no counter can have grown by is none."""
    return np.where((values >= 0) & (values < _MOST), values, 0.0)  # false for NaN, too


def _is_selected(labels: Mapping[str, str], where: Where) -> bool:
    return all(_is(labels.get(label), wanted) for label, wanted in where.items())


def _is(value: str | None, wanted: Wanted) -> bool:
    match wanted:
        case Not(other):
            return value != other
        case Like(pattern):
            return re.fullmatch(pattern, value or "") is not None
        case Unlike(pattern):
            return re.fullmatch(pattern, value or "") is None
        case _:
            return value == wanted


def _needed() -> dict[str, set[str]]:
    """Labels by which each series is read."""
    found: dict[str, set[str]] = defaultdict(set)
    for kpi in DIAGNOSED:
        for selector in (kpi.numerator, kpi.denominator, *filter(None, [kpi.buckets])):
            found[selector.series] |= {
                str(label) for label in (*places.labels_of(kpi), *selector.where, *first_attempts(kpi))
            }
        if kpi.buckets is not None:
            found[kpi.buckets.series].add(LE)
    for dimension in DIMENSIONS:
        found[dimension.counted.series] |= {str(label) for label in (*dimension.labels, *dimension.where)}
    return found


_NEEDED: Final = _needed()
