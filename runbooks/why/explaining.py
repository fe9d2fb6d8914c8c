"""Find, second half: what explains that a table got worse, and whether it is more than chance.

Four kinds of explanations are tried on every table: a version that changed (the calls that carry its label, wherever
they lie in time; the columns of its use where the table knows no such label), a fault of the place from some column on,
the same for the calls of one agent, and a fault that is over. A fault without a version may begin anywhere, so each
moment has only a share of its odds: a version that changed at that very moment explains more.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from agentobs.contract import ABSENT, Label
from alerts.catalogue import MIN_BAD, MIN_EVENTS
from alerts.statistics import Comparison, Kind, kind_of
from runbooks.why import evidence, mechanism, places
from runbooks.why.changes import VersionChange
from runbooks.why.evidence import Cells, Part
from runbooks.why.explanations import Examined, Explanation, columns_of, labelled, of_track, rows_of
from runbooks.why.places import Place
from runbooks.why.spans import Mask, Numbers
from runbooks.why.tables import Table

_LAG_COLUMNS: Final = 3
"""What an unlabelled KPI sees of a version shows so many columns later at most: calls in flight end first."""
_LEAST_GAIN: Final = 6.0
"""Nats; no split that gains less is significant, so nothing more is computed of it."""
_LATER: Final = math.log(0.3)
"""Odds that a version which came later left a fault as it was."""
_BURST_COLUMNS: Final = 3
"""Bad events of fewer columns are a burst, not a fault without a version."""
_OVER: Final = math.log(0.1)
"""Odds of a fault that is over, against one that goes on."""
_UNVERSIONED: Final = math.log(0.3)
"""Odds of a fault without a version where a version of the thing changed: most faults are made by changes."""
_PROPORTIONS: Final = 80.0
"""Nats beyond which only proportions of gains count: no cause fits to the last call, and many calls that are counted
a second late would outweigh any odds."""
_AS_GOOD: Final = 5.0
"""Nats within which an explanation may still be the one that shows the change best."""
_LAGS: Final = 2.0
_SETTLED: Final = 0.1
"""Share of the events of a rate that is left out at most: tasks may last as long as all that is known."""
_STEADY: Final = 5
_PREVIOUS: Final = 3
_TWICE: Final = math.log(2.0)
_DELAYED_S: Final = 90.0
"""A version may get worse so long after it came."""


@dataclass(frozen=True)
class Explainer:
    """What the tables of one environment are explained with.

    `crowd` counts the changes of each thing; `lags` are how long runs of an agent, and tasks, last (seconds); `tables`
    and `pairs` how many comparisons are made: of moments, and of versions where they are likely to show. `came` are the
    columns in which tools and agents came that are new. `hinted` are versions of which something is seen at home.
    """

    changes: Sequence[VersionChange]
    callers: Mapping[str, list[str]]
    canaries: frozenset[VersionChange]
    crowd: Mapping[tuple[str, tuple[str, ...]], int]
    lags: Mapping[Place, float]
    tables: int
    pairs: int
    drifted_at: int | None = None
    came: Mapping[Place, int] = field(default_factory=dict)
    hinted: frozenset[VersionChange] = frozenset()

    def late(self, table: Table, column: int) -> int:
        """The last column, and one, at which what began in a column may begin to show: calls in flight end first."""
        lag = self.lags.get(table.place, 0.0)
        last = table.span.column(float(table.span.edges[column]) + lag) + _LAG_COLUMNS
        return min(last, column + table.span.columns // 4, table.span.columns)

    def examine(self, table: Table) -> Examined | None:
        """Explain one table at the bound that shows most; None where nothing got worse that could be of interest."""
        choices = (table, *table.alternatives)
        found = [one for one in map(self._examined, choices) if one is not None]
        best = min(found, key=lambda one: one.best.p * one.tried, default=None)
        return replace(best, tried=best.tried * len(choices)) if best else None

    def episodes(self, table: Table, level: float) -> list[Examined]:
        """A table with two faults at different times as two, if each is certain (p at most `level`) without the other.

        Taken together the one is scatter of the other's good times, and hides it.
        """
        whole = self.examine(table)
        first = self._strongest(table)
        if first is None or first.gain < 2 * _LEAST_GAIN:
            return [whole] if whole else []
        second = self.examine(_without(table, first))
        if second is None or second.p > level or not _apart(first, second.explanations[0]):
            return [whole] if whole else []
        again = self.examine(_without(table, second.explanations[0]))
        if again is None or again.p > level:
            return [whole] if whole else []
        return [again, second]

    def _strongest(self, table: Table) -> Explanation | None:
        """What explains most of a table, scatter not asked."""
        cells = Cells(self._settled(table))
        made = [*self._moments(cells), *self._versions(cells, unlabelled=False)]
        return max(made, key=lambda one: one.gain + one.odds, default=None)

    def _examined(self, table: Table) -> Examined | None:
        cells = Cells(self._settled(table))
        made = [*self._moments(cells)]
        made += self._versions(cells, unlabelled=max((one.gain for one in made), default=0.0) >= _LEAST_GAIN)
        if max((one.gain for one in made), default=0.0) < _LEAST_GAIN:
            return None
        best = max(made, key=lambda one: one.score)
        dispersion = evidence.scatter(cells, cells.mask(best.parts), best.among)
        scale = dispersion * max(1.0, max(one.gain for one in made) / dispersion / _PROPORTIONS)
        scaled = sorted((replace(one, gain=one.gain / scale) for one in made), key=lambda one: -one.score)
        return self._tested(cells, scaled, dispersion, scale)

    def _settled(self, table: Table) -> Table:
        """A rate without its first moments: what is counted while a task runs is counted before the task.

        At the end it is the other way round, and only hides what is bad.
        """
        if kind_of(table.kpi) is not Kind.RATE:
            return table
        lag = _LAGS * max(self.lags.values(), default=0.0)
        begun = table.span.edges[:-1] >= table.span.start + lag
        counted = np.cumsum(table.events.sum(axis=0))
        kept = begun | (counted > _SETTLED * counted[-1])
        return replace(table, bad=table.bad * kept, events=table.events * kept)

    def _over_by(self, cells: Cells) -> int:
        """The column before which a fault must have ended to be called over.

        Once no task begins any more, a rate gets better by itself: what a task did is counted before the task is.
        """
        table = cells.table
        ended = int(np.flatnonzero(table.events.any(axis=0))[-1]) + 1
        if cells.kind is not Kind.RATE:
            return ended
        lag = _LAGS * max(self.lags.values(), default=0.0)
        return int(np.searchsorted(table.span.edges, table.span.edges[ended] - lag))

    def _tested(
        self, cells: Cells, explained: Sequence[Explanation], dispersion: float, scale: float
    ) -> Examined | None:
        columns = int((cells.table.events.sum(axis=0) > 0).sum())
        found: list[tuple[float, Comparison, int]] = []
        for one in explained[:_LAG_COLUMNS]:
            if one.score < explained[0].score - _AS_GOOD:
                break
            comparison = evidence.judged(cells, cells.mask(one.parts), dispersion, one.among, one.end)
            if comparison is None or (cells.kind is Kind.RATE and not _is_steady(comparison)):
                continue
            if comparison.matters and comparison.growth > 0:
                moments = columns * (columns if one.last else 1) * max(1, self.tables)
                tried = max(1, self.pairs) if one.change else moments
                found.append((comparison.p * tried, comparison, tried))
        if not found:
            return None
        _, comparison, tried = min(found, key=lambda each: each[0])
        return Examined(cells, explained, comparison, tried, dispersion, scale)

    def _versions(self, cells: Cells, *, unlabelled: bool) -> Iterator[Explanation]:
        for change in self.changes:
            grade = mechanism.grade(change, cells.table.kpi, cells.table.place, self.callers)
            if grade > 0:
                yield from self.version(change, cells, math.log(grade), unlabelled=unlabelled)

    def version(
        self, change: VersionChange, cells: Cells, odds: float, *, unlabelled: bool = True
    ) -> Iterator[Explanation]:
        """A change on a table: while it ran, and with all versions that came after it."""
        table = cells.table
        odds -= math.log(self.crowd.get((change.dimension.key, change.entity), 1))
        rows = labelled(change, table) or (of_track(table) if change in self.canaries else None)
        if rows is not None and not cells.is_harmed(rows[0]):
            return
        first, last = columns_of(change, table)
        if rows is not None:
            own, entity = rows
            part = Part(own, first, last)
            later = _replaced(change, table) & ~own
            entity = self._compared(change, cells, own, entity)
            yield Explanation(change, [part], entity, cells.gain([part], entity), odds, first)
            if later.any() and not change.taken_back:
                both, whole = [part, Part(later, first, table.span.columns)], entity | later
                left = odds + _LATER * len(change.later)
                yield Explanation(change, both, whole, cells.gain(both, whole), left, first)
            yield from self._delayed(change, cells, part, entity, odds)
        elif unlabelled:
            every = _touched(change, table)
            ends: Iterable[int] = [last]
            if change.until is not None:  # its last calls may be stragglers, and what it broke may end later
                ends = range(max(first + 1, last - _LAG_COLUMNS), self.late(table, last - 1) + 1)
            latest = max(self.late(table, first), table.span.column(float(table.span.edges[first]) + _DELAYED_S))
            tried = [(column, end) for column in range(first, latest) for end in ends if column < end]
            if tried:
                gained = cells.gains_of(every, [begin for begin, _ in tried], [end for _, end in tried])
                began, end = tried[int(gained.argmax())]
                over = end if change.until is not None else None
                # The best of many moments fits better than its cause deserves.
                chosen = odds - math.log(len(tried))
                part = Part(every, began, end)
                yield Explanation(change, [part], None, float(gained.max()), chosen, began, over)

    def _compared(self, change: VersionChange, cells: Cells, own: Mask, entity: Mask) -> Mask:
        """Rows that a version is compared with: of the one before it and of those after it, if they have calls enough.

        A still older one may have been as bad, and says nothing of what this one did.
        """
        versions = cells.table.values(change.dimension.version)
        before = rows_of(change, change.replaces or change.entity, cells.table) & ~own
        before &= np.asarray(versions == change.previous, dtype=bool)
        if float(cells.table.events[before].sum()) < _PREVIOUS * MIN_EVENTS:
            return entity
        return np.asarray(own | before | _replaced(change, cells.table))

    def _delayed(
        self, change: VersionChange, cells: Cells, part: Part, entity: Mask, odds: float
    ) -> Iterator[Explanation]:
        """A version whose harm shows later than it came.

        By as long as its calls last, as a matter of course: of those that began together, the short ones end first, and
        what it lengthens is not among them. Later than that seldom: a ramp, or a cache that runs dry.
        """
        span = cells.table.span
        began = float(span.edges[part.first])
        soon = min(span.column(began + self.lags.get(cells.table.place, 0.0)) + 1, part.last)
        last = min(max(soon, span.column(began + _DELAYED_S) + 1), part.last)
        rare = odds + _UNVERSIONED + _TWICE - math.log(max(last - part.first, span.columns))
        usual = odds - math.log(max(1, soon - part.first))
        # As many of the usual ones as of the moments of a fault without a version: their probabilities add up.
        for columns, prior, most in (
            (range(part.first + 1, soon), usual, _LAG_COLUMNS),
            (range(soon, last), rare, 1),
        ):
            gained = cells.gains_of(part.rows, [*columns], [part.last] * len(columns), entity)
            for number in map(int, np.argsort(-gained, kind="stable")[:most]):
                best = Part(part.rows, columns[number], part.last)
                yield Explanation(change, [best], entity, float(gained[number]), prior, part.first)

    def _moments(self, cells: Cells) -> Iterator[Explanation]:
        place = cells.table.place
        odds = math.log(mechanism.grade(place, cells.table.kpi, place, self.callers))
        every = np.ones(len(cells.strata), bool)
        bad, events = cells.by_stratum
        shared = len(bad) > 1 and place.kind is places.Kind.TOOL
        for one in self._faults(cells, place, (bad, events), odds, every):
            yield replace(one, odds=one.odds - cells.unevenness(one.parts)) if shared else one
        if not shared:
            return
        for number in range(len(bad)):
            agent = cells.table.rows[int(np.flatnonzero(cells.strata == number)[0])].get(Label.AGENT, ABSENT)
            if agent != ABSENT:
                own = bad[number : number + 1], events[number : number + 1]
                used_by = replace(place, user=agent)
                yield from self._faults(cells, used_by, own, odds - math.log(len(bad)), cells.strata == number)

    def _faults(
        self, cells: Cells, place: Place, sums: tuple[Numbers, Numbers], odds: float, rows: Mask
    ) -> Iterator[Explanation]:
        bad, events = sums
        used = int((np.diff(events.sum(axis=0)) > 0).sum())
        at = odds + _UNVERSIONED - math.log(max(2, used))
        borders = evidence.of_borders(cells.kind, bad, events)
        for border in map(int, np.argsort(-borders)[:_LAG_COLUMNS]):
            if borders[border] > 0 and _is_fault(bad[:, border:], events[:, border:]):
                # A moment at which something changed, as the moment of a version is: not one of many.
                known = (self.drifted_at, self.came.get(replace(place, user="")))
                near = any(moment is not None and abs(border - moment) <= 1 for moment in known)
                part = Part(rows, border, len(borders))
                yield Explanation(place, [part], None, float(borders[border]), odds if near else at, border)
        intervals = evidence.of_intervals(cells.kind, bad, events)
        # What only got better at its end did not get worse before: its gain is that over the improvement alone.
        beyond = intervals - intervals[:1]
        first, last = map(int, np.unravel_index(int(beyond.argmax()), beyond.shape))
        before = float(events[:, first].sum())
        if (
            beyond[first, last] >= _LEAST_GAIN
            and before >= MIN_EVENTS
            and last < self._over_by(cells)
            and _is_fault(bad[:, first : last + 1], events[:, first : last + 1])
        ):
            over = at + _OVER - math.log(max(2, used))
            yield Explanation(place, [Part(rows, first, last)], None, float(intervals[first, last]), over, first, last)


def _touched(change: VersionChange, table: Table) -> Mask:
    """Rows that a version can harm where none says which version it ran: of a tool, the calls of its own agent."""
    agent, callers = change.place.get(Label.AGENT), table.values(Label.AGENT)
    if agent is None or table.place.kind is not places.Kind.TOOL or (callers == ABSENT).all():
        return np.ones(len(table.rows), bool)
    return np.asarray(callers == agent, dtype=bool)


def _replaced(change: VersionChange, table: Table) -> Mask:
    """Rows of the versions that came after a change."""
    later = set(change.later)  # numpy's own search takes a hundred times as long among texts
    known = np.array([version in later for version in table.values(change.dimension.version)], dtype=bool)
    return known & rows_of(change, change.entity, table)


def _is_steady(comparison: Comparison) -> bool:
    """Whether a rate rests on enough: its two counters count different things, a little apart, and start unevenly."""
    return min(comparison.before.events, comparison.after.events) >= _STEADY * MIN_EVENTS


def _without(table: Table, explanation: Explanation) -> Table:
    """A table without the cells that an explanation calls bad."""
    gone = Cells(table).mask(explanation.parts)
    choices = (table, *table.alternatives)
    left = [replace(t, bad=np.where(gone, 0.0, t.bad), events=np.where(gone, 0.0, t.events)) for t in choices]
    return replace(left[0], alternatives=tuple(left[1:]))


def _apart(one: Explanation, other: Explanation) -> bool:
    """Whether two faults are no edges of each other: some columns lie between them, or they are of two versions."""
    if other.change is not None and other.of != one.of:
        return True
    first, second = one.parts[0], other.parts[0]
    return max(first.first, second.first) - min(first.last, second.last) >= _LAG_COLUMNS


def _is_fault(bad: Numbers, events: Numbers) -> bool:
    """Whether it lasted: bad events in several columns, and enough of them. Both are running sums, S x columns + 1."""
    per_column = np.diff(bad.sum(axis=0))
    lasted = int((per_column > 0).sum()) >= _BURST_COLUMNS
    total = events.sum(axis=0)
    return lasted and float(per_column.sum()) >= MIN_BAD and float(total[-1] - total[0]) >= MIN_EVENTS
