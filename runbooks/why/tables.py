"""Read: every KPI of an environment as tables of counts, a row per set of versions, a column per stretch of time."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentobs.contract import ABSENT, Label
from alerts.catalogue import DIAGNOSED, TAIL, Direction, Kpi, Selector
from alerts.catalogue.attempts import once
from alerts.statistics import Counts, Kind, kind_of, nearest
from runbooks.why import places
from runbooks.why.places import Place
from runbooks.why.reading import LE, Reader, Row
from runbooks.why.spans import Mask, Numbers, Span

_LEAST_VALUE: Final = 1e-12
_LARGE: Final = (TAIL, 0.25, 0.5, 0.75)
"""Of all values of a mean, about so many count as large. Which is best depends on how long a fault has lasted."""


@dataclass(frozen=True)
class Table:
    """One KPI of one place: `bad` and `events` are what is tested, `above / below` is the KPI. All are rows x columns.

    `bound` is the value above which an event of a histogram is a bad one; `alternatives` are the same at other bounds.
    """

    kpi: Kpi
    place: Place
    span: Span
    rows: tuple[Mapping[Label, str], ...]
    bad: Numbers
    events: Numbers
    above: Numbers
    below: Numbers
    bound: float | None = None
    alternatives: tuple["Table", ...] = ()

    def counts(self, mask: Mask) -> Counts:
        """The counts over the cells of a mask."""
        below = float(self.below[mask].sum())
        value = float(self.above[mask].sum()) / below if below > 0 else None
        return Counts(float(self.bad[mask].sum()), float(self.events[mask].sum()), value, below)

    @cached_property
    def _values(self) -> dict[Label, NDArray[np.object_]]:
        return {}

    def values(self, label: Label) -> NDArray[np.object_]:
        """What each row has for a label; `none` where the table is not read by it."""
        known = self._values.get(label)
        if known is None:
            known = np.array([row.get(label, ABSENT) for row in self.rows], dtype=np.object_)
            self._values[label] = known
        return known


def read(reader: Reader, replaced: Mapping[Place, str] | None = None) -> list[Table]:
    """Every diagnosed KPI at every place that has events of it; with those of what it has `replaced`."""
    return [table for kpi in DIAGNOSED for table in _of_kpi(reader, kpi, replaced or {})]


def _of_kpi(reader: Reader, kpi: Kpi, replaced: Mapping[Place, str]) -> Iterator[Table]:
    by = places.labels_of(kpi)
    none = np.zeros(reader.span.columns)

    def summed(selector: Selector) -> dict[_Key, Numbers]:
        return _summed(reader.rows(selector), by)

    # Once for all places: with many tools and versions these sums are what costs.
    all_above, all_below = summed(kpi.numerator), summed(kpi.denominator)
    first_above, first_below = summed(once(kpi, kpi.numerator)), summed(once(kpi, kpi.denominator))

    def rows(counted: Mapping[_Key, Numbers], keys: Sequence[_Key]) -> Numbers:
        return np.array([counted.get(key, none) for key in keys])

    large = _by_bound(reader.rows(once(kpi, kpi.buckets)), by) if kpi.buckets else {}
    named = _by_place(kpi, by, all_below)
    for name, own in named.items():
        place = Place(reader.span.environment, places.kind_of(kpi), name)
        keys = [*(named.get(replaced[place], ()) if place in replaced else ()), *own]
        choices = _tested(kpi, keys, rows(first_above, keys), rows(first_below, keys), large)
        made = Table(
            kpi=kpi,
            place=place,
            span=reader.span,
            rows=tuple(dict(zip(by, key, strict=True)) for key in keys),
            bad=choices[0][1],
            events=choices[0][2],
            above=rows(all_above, keys),
            below=rows(all_below, keys),
            bound=choices[0][0],
        )
        others = (replace(made, bound=bound, bad=bad, events=events) for bound, bad, events in choices[1:])
        yield replace(made, alternatives=tuple(others))


_Key = tuple[str, ...]


def _summed(rows: Iterable[Row], by: Sequence[Label]) -> dict[_Key, Numbers]:
    found: dict[_Key, Numbers] = {}
    for labels, counts in rows:
        key = tuple(labels.get(label, ABSENT) for label in by)
        found[key] = found[key] + counts if key in found else counts
    return found


def _by_bound(rows: Iterable[Row], by: Sequence[Label]) -> dict[float, dict[_Key, Numbers]]:
    """Cumulative counts of a histogram: upper bound, then row."""
    bounds: dict[float, list[Row]] = defaultdict(list)
    for row in rows:
        bound = _number(row[0][LE])
        if bound is not None:
            bounds[bound].append(row)
    return {bound: _summed(of_bound, by) for bound, of_bound in bounds.items()}


def _number(text: str) -> float | None:
    """The bound of a bucket; None where a store gives something else."""
    try:
        bound = float(text)
    except ValueError:
        return None
    return None if math.isnan(bound) else bound


def _by_place(kpi: Kpi, by: Sequence[Label], below: Mapping[_Key, Numbers]) -> dict[str, list[_Key]]:
    own = places.own_label(places.kind_of(kpi))
    found: dict[str, list[_Key]] = {}
    for key, counts in below.items():
        name = key[by.index(own)] if own else ""
        if name != ABSENT and counts.any():
            found.setdefault(name, []).append(key)
    return found


_Choice = tuple[float | None, Numbers, Numbers]
"""A bound with the bad events and the events at it."""


def _tested(
    kpi: Kpi, keys: Sequence[_Key], above: Numbers, below: Numbers, large: Mapping[float, Mapping[_Key, Numbers]]
) -> list[_Choice]:
    """What is tested: one choice, or one for each bound above which a value may count as large."""
    if kpi.is_share:
        bad = above if kpi.direction is Direction.LOWER_IS_BETTER else below - above
        return [(None, np.maximum(bad, 0.0), below)]
    if kind_of(kpi) is Kind.RATE:
        return [(None, above, below)]
    if large:
        return _bounds(keys, below, large)
    # A mean without a histogram: each cell is one event, bad if its mean is among the largest.
    events = (below > 0).astype(np.float64)
    means = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    if not events.any():
        return [(None, np.zeros_like(below), events)]
    values = np.sort(means[below > 0])
    bounds = [*np.quantile(values, [1 - share for share in _LARGE]).tolist(), _widest_gap(values)]
    return [(bound, np.asarray((means > bound) * events), events) for bound in dict.fromkeys(bounds)]


def _widest_gap(values: Numbers) -> float:
    """The value below the widest gap, by proportion: what separates two kinds of values, if there are two."""
    steps = values[1:] / np.maximum(values[:-1], _LEAST_VALUE)
    return float(values[int(steps.argmax())]) if len(steps) else float(values[0])


def _bounds(keys: Sequence[_Key], below: Numbers, large: Mapping[float, Mapping[_Key, Numbers]]) -> list[_Choice]:
    """For each share of all values that may be large, the bound of a bucket that comes nearest.

    Events are those of the last bucket, not of `below`: another query may have seen later calls.
    """
    none = np.zeros(below.shape[1])
    upto = {bound: np.array([counts.get(key, none) for key in keys]) for bound, counts in large.items()}
    events = upto.pop(math.inf, below)
    above = {bound: np.clip(events - counts, 0.0, events) for bound, counts in upto.items()}
    shares = {bound: float(bad.sum()) / max(1.0, float(events.sum())) for bound, bad in above.items()}
    chosen = dict.fromkeys(nearest(shares, wanted) for wanted in _LARGE)
    found: list[_Choice] = [(bound, above[bound], events) for bound in chosen if bound is not None]
    return found or [(None, np.zeros_like(events), events)]


def callers(read: Iterable[Table]) -> dict[str, list[str]]:
    """Which agents call which tool, the most frequent first."""
    calls: dict[str, dict[str, float]] = {}
    for table in read:
        if table.place.kind is places.Kind.TOOL:
            of_tool = calls.setdefault(table.place.name, {})
            for agent, events in zip(table.values(Label.AGENT), table.below.sum(axis=1), strict=True):
                if agent != ABSENT:
                    of_tool[agent] = max(of_tool.get(agent, 0.0), float(events))
    return {tool: sorted(agents, key=lambda agent: -agents[agent]) for tool, agents in calls.items()}
