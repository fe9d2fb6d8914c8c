"""Find, first half: how well a split of a table into good and bad cells fits, and whether chance does as well.

The gain of a split is its likelihood ratio against no split, in nats, summed over strata (the callers of a tool, the
kinds of tasks), each with its own level before: a KPI that moved because others call or ask gains nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.catalogue import MIN_BAD, MIN_EVENTS
from alerts.source import EXPORT_DELAY_S
from alerts.statistics import Comparison, Kind, compare, kind_of, likelihood
from runbooks.why import places
from runbooks.why.spans import Mask, Numbers
from runbooks.why.tables import Table

_SCALES: Final = (1, 2, 4, 8, 16)
"""Columns taken together when scatter is measured: what lasts longer than a column scatters only in larger ones."""
_ENOUGH_BATCHES: Final = 6
_LEAST_VARIANCE: Final = 2.0  # of the count in a batch: rarer events make Pearson's statistic a lottery


@dataclass(frozen=True, eq=False)
class Part:
    """A rectangle of cells: some rows, from column `first` to before column `last`."""

    rows: Mask
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Cells:
    """A table made ready for sums over rectangles. `S` strata, `R` rows, `C` columns."""

    table: Table

    @cached_property
    def kind(self) -> Kind:
        """What the table counts."""
        return kind_of(self.table.kpi)

    @cached_property
    def strata(self) -> NDArray[np.int_]:
        """The number of each row's stratum: R."""
        labels = places.STRATA[self.table.place.kind]
        names = [tuple(row.get(label, "") for label in labels) for row in self.table.rows]
        known = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([known[name] for name in names])

    @cached_property
    def _running(self) -> tuple[Numbers, Numbers]:
        """Bad events and events before each column: twice R x (C + 1)."""
        sides = self.table.bad, self.table.events
        bad, events = (np.concatenate([np.zeros((len(s), 1)), np.cumsum(s, axis=1)], axis=1) for s in sides)
        return bad, events

    @cached_property
    def by_stratum(self) -> tuple[Numbers, Numbers]:
        """Bad events and events before each column: twice S x (C + 1)."""
        bad, events = (self._in_strata(side) for side in self._running)
        return bad, events

    @cached_property
    def _members(self) -> Numbers:
        """1 where a row is of a stratum: S x R."""
        return np.asarray(self.strata == np.arange(int(self.strata.max()) + 1)[:, None], dtype=np.float64)

    def _in_strata(self, rows: Numbers) -> Numbers:
        """Sums over the rows of each stratum; `rows` has a row per row of the table."""
        return np.asarray(self._members @ rows)

    def sums(self, parts: Sequence[Part]) -> tuple[Numbers, Numbers]:
        """Bad events and events of some rectangles that do not overlap: twice S."""
        found = []
        for running in self._running:
            rows = np.zeros(len(running))
            for part in parts:
                rows += np.where(part.rows, running[:, part.last] - running[:, part.first], 0.0)
            found.append(self._in_strata(rows))
        return found[0], found[1]

    @cached_property
    def _of_rows(self) -> tuple[Numbers, Numbers]:
        bad, events = (running[:, -1] for running in self._running)
        return bad, events

    def is_harmed(self, rows: Mask) -> bool:
        """Whether some rows have enough events, and enough bad ones, for any verdict."""
        bad, events = self._of_rows
        return float(bad[rows].sum()) >= MIN_BAD and float(events[rows].sum()) >= MIN_EVENTS

    def mask(self, parts: Sequence[Part]) -> Mask:
        """The cells of some rectangles: R x C."""
        found = np.zeros(self.table.bad.shape, dtype=bool)
        for part in parts:
            found[part.rows, part.first : part.last] = True
        return found

    def gain(self, parts: Sequence[Part], among: Mask | None = None) -> float:
        """Nats that a split gains; `among` are the rows that it is compared with, all where it is None."""
        return float(gains(self.kind, *self._whole(among), *(side[:, None] for side in self.sums(parts)))[0])

    def gains_of(self, rows: Mask, firsts: Sequence[int], lasts: Sequence[int], among: Mask | None = None) -> Numbers:
        """Nats that splits of the same rows gain, each from a column to before another one."""
        chosen = (running[rows] for running in self._running)
        members = self._members[:, rows]
        inside = [members @ (running[:, lasts] - running[:, firsts]) for running in chosen]
        return gains(self.kind, *self._whole(among), *inside)

    def _whole(self, among: Mask | None) -> tuple[Numbers, Numbers]:
        """Bad events and events of some rows, all where it is None: twice S x 1."""
        every = np.ones(len(self.strata), bool) if among is None else among
        bad, events = (self._members[:, every] @ running[every, -1:] for running in self._running)
        return bad, events

    def unevenness(self, parts: Sequence[Part]) -> float:
        """Nats by which the strata inside a split differ: what is broken for all should not spare most."""
        bad, events = self.sums(parts)
        pooled = _fit(self.kind, np.array([bad.sum()]), np.array([events.sum()]))
        return max(0.0, float(_fit(self.kind, bad, events).sum() - pooled[0]))


def gains(kind: Kind, bad: Numbers, events: Numbers, bad_in: Numbers, events_in: Numbers) -> Numbers:
    """Nats gained by splits, over the first axis (strata); a stratum that got better counts against. At least 0.

    `bad`, `events` are the whole of each stratum (S x 1), `*_in` the part that each split calls bad (S x splits).
    """
    bad_out, events_out = bad - bad_in, events - events_in
    both = (events_out > 0) & (events_in > 0)
    old = np.divide(bad_out, events_out, out=np.zeros_like(bad_out), where=both)
    new = np.divide(bad_in, events_in, out=np.zeros_like(bad_in), where=both)
    ratio = _fit(kind, bad_out, events_out) + _fit(kind, bad_in, events_in) - _fit(kind, bad, events)
    signed = np.where(both, np.maximum(ratio, 0.0) * np.sign(new - old), 0.0)
    return np.asarray(np.maximum(signed.sum(axis=0), 0.0))


def _fit(kind: Kind, bad: Numbers, events: Numbers) -> Numbers:
    """The largest log-likelihood of each group."""
    return likelihood.of_rates(bad, events) if kind is Kind.RATE else likelihood.of_shares(bad, events)


def of_borders(kind: Kind, bad: Numbers, events: Numbers) -> Numbers:
    """Gain of a fault from each column on: C. `bad`, `events` are running sums, S x (C + 1)."""
    return gains(kind, bad[:, -1:], events[:, -1:], *(side[:, -1:] - side[:, :-1] for side in (bad, events)))


def of_intervals(kind: Kind, bad: Numbers, events: Numbers) -> Numbers:
    """Gain of a fault from each column to before each other one: C x (C + 1), first x last."""
    columns = bad.shape[1] - 1
    first, last = np.triu_indices(columns, 1, columns + 1)
    found = np.zeros((columns, columns + 1))
    inside = (side[:, last] - side[:, first] for side in (bad, events))
    found[first, last] = gains(kind, bad[:, -1:], events[:, -1:], *inside)
    return found


def scatter(cells: Cells, mask: Mask, among: Mask | None = None) -> float:
    """How much more columns scatter around the two sides than independent events, at the scale that scatters most.

    Pearson's statistic per degree of freedom; 1 where too few columns hold enough events to tell. `among` are the rows
    that take part, all where it is None.
    """
    sides = []
    for inside in (mask, ~mask):
        for number in range(int(cells.strata.max()) + 1):
            own = inside & ((cells.strata == number) & (True if among is None else among))[:, None]
            bad, events = (np.where(own, counts, 0.0).sum(axis=0) for counts in (cells.table.bad, cells.table.events))
            if events.sum() > 0:
                sides.append((bad, events))
    # The two counters of a rate count different events, seen so much apart: in less time one is without the other.
    apart = math.ceil(EXPORT_DELAY_S / cells.table.span.segments[-1].width) if cells.kind is Kind.RATE else 1
    return max([1.0, *(_scatter(cells.kind, sides, scale) for scale in {max(scale, apart) for scale in _SCALES})])


def _scatter(kind: Kind, sides: Sequence[tuple[Numbers, Numbers]], scale: int) -> float:
    squares, freedom = 0.0, 0
    for bad, events in sides:
        level = float(bad.sum() / events.sum())
        variance = level if kind is Kind.RATE else level * (1 - level)
        if variance > 0:
            batches = _batches(bad, events, _LEAST_VARIANCE / variance, scale)
            squares += sum(n * (count / n - level) ** 2 for count, n in batches) / variance
            freedom += max(0, len(batches) - 1)
    return squares / freedom if freedom >= _ENOUGH_BATCHES else 1.0


def _batches(bad: Numbers, events: Numbers, needed: float, columns: int) -> list[tuple[float, float]]:
    """`columns` in a row and more, until they hold the needed events; what is left over joins the last batch."""
    found: list[tuple[float, float]] = []
    count = total = 0.0
    added = 0
    for more, n in zip(bad.tolist(), events.tolist(), strict=True):
        count, total, added = count + more, total + n, added + 1
        if total >= needed and added >= columns:
            found.append((count, total))
            count = total = 0.0
            added = 0
    if total and found:
        found[-1] = (found[-1][0] + count, found[-1][1] + total)
    return found


def judged(
    cells: Cells, mask: Mask, dispersion: float, among: Mask | None = None, end: int | None = None
) -> Comparison | None:
    """Compare the cells outside a mask with those inside; None where either side has too few events.

    Only strata that have both sides are compared; `among` are the rows that take part, all where it is None;
    columns from `end` on do not.
    """
    table = cells.table
    known = np.ones(len(cells.strata), bool) if among is None else among
    strata = []
    kept = np.zeros_like(mask)
    for number in range(int(cells.strata.max()) + 1):
        own = np.zeros_like(mask)
        own[known & (cells.strata == number), :end] = True
        old, new = own & ~mask, own & mask
        sides = (table.bad[old].sum(), table.events[old].sum(), table.bad[new].sum(), table.events[new].sum())
        if sides[1] > 0 and sides[3] > 0:
            strata.append((float(sides[0]), float(sides[1]), float(sides[2]), float(sides[3])))
            kept |= own
    before, after = table.counts(kept & ~mask), table.counts(kept & mask)
    if min(before.events, after.events) < MIN_EVENTS:
        return None
    return compare(table.kpi, before, after, dispersion, strata)
