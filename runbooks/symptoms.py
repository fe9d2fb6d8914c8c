"""What got worse: every KPI of every tool, every agent and the whole, before against after and old against new.

Two ways to see it. Over time: every border between columns is a candidate moment. By version: cells of the new version
against the rest, which also sees a canary with a small share. Both are tests among many, and each may have half of the
false alarms that a diagnosis is allowed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from alerts.catalogue import MIN_EVENTS, SUGGESTIVE_P
from alerts.source import EXPORT_DELAY_S
from collector.signals import ABSENT
from runbooks import cells, likelihood, mechanism
from runbooks.cells import Mask, Numbers, Span, Table
from runbooks.changes import VersionChange
from runbooks.comparison import Comparison

_LAG_COLUMNS: Final = 3
"""What an unlabelled KPI sees of a version shows so many columns later at most: calls in flight end first."""
_WAYS: Final = 2
_FLUSH_S: Final = 3.0  # counters show a call so many seconds late, in most cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """A KPI of a place that got worse. `borders` and `versions` are nats gained by each explanation, dispersion paid.

    `worst` is the comparison that shows it best, `comparisons` how many were made like it.
    """

    table: Table
    borders: Numbers
    versions: Mapping[VersionChange, float]
    worst: Comparison
    comparisons: int

    @property
    def gain(self) -> float:
        """Nats that the best explanation gains."""
        return max(float(self.borders.max()), max(self.versions.values(), default=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is certain, and what might become so with more events."""

    certain: list[Symptom]
    open: list[Symptom]
    settled: Mask
    """Columns outside the turmoil that follows a change; in it one moment is as good as another."""


def labelled(change: VersionChange, table: Table) -> Mask | None:
    """Cells that run the new version, where the rows of the table say which they run."""
    versions = {change.version, *change.later}
    values = table.values(change.dimension.version)
    if all(value == ABSENT for value in values):
        return None
    rows = np.array([value in versions for value in values])
    for label, wanted in change.place.items():
        of_entity = np.array(table.values(label))
        rows &= (of_entity == wanted) | (of_entity == ABSENT)
    # A version that comes back is new only from its return on.
    late = table.span.starts + table.span.width > change.since - EXPORT_DELAY_S
    return np.asarray(rows[:, None] & late[None, :])


def columns_of(change: VersionChange, table: Table) -> list[int]:
    """Columns in which an effect may begin where the rows do not say which version they run."""
    first = int((change.since - table.span.start) // table.span.width)
    return [column for column in range(first - 1, first + _LAG_COLUMNS) if 0 <= column < table.span.columns]


def from_column(column: int, table: Table) -> Mask:
    """All cells from a column on."""
    return np.asarray(np.broadcast_to(np.arange(table.span.columns) >= column, table.below.shape))


def reached(change: VersionChange, table: Table, borders: Numbers) -> tuple[float, Mask] | None:
    """Nats that a change gains on a table, and the cells that it makes bad."""
    mask = labelled(change, table)
    if mask is not None:
        return likelihood.of_mask(table, mask), mask
    columns = columns_of(change, table)
    if not columns:
        return None
    best = max(columns, key=lambda column: borders[column])
    return float(borders[best]), from_column(best, table)


def find(tables: Iterable[Table], changes: Sequence[VersionChange], callers: Mapping[str, list[str]]) -> Findings:
    """Return the KPIs that got worse, the clearest first."""
    read = [*tables]
    settling_s = cells.settling_s(read, len(changes))
    examined = [_Examined.of(table, changes, callers, settling_s) for table in read]
    by_border = _WAYS * max(1, sum(each.tried_borders for each in examined))
    by_version = _WAYS * max(1, sum(len(each.direct) for each in examined))
    certain, undecided = [], []
    for each in examined:
        shown = [
            (comparison, count)
            for comparison, count in ((each.border, by_border), (each.version, by_version))
            if comparison is not None and comparison.worsening >= comparison.kpi.tolerance
        ]
        if not shown:
            continue
        worst, count = min(shown, key=lambda pair: pair[0].p * pair[1])
        symptom = each.symptom(worst, count)
        if worst.is_regression_among(count):
            certain.append(symptom)
        elif worst.p * count <= SUGGESTIVE_P:
            undecided.append(symptom)
    key = lambda symptom: -symptom.worst.z  # noqa: E731
    settled = _settled(read[0].span, changes, settling_s) if read else np.ones(0, dtype=bool)
    return Findings(certain=sorted(certain, key=key), open=sorted(undecided, key=key), settled=settled)


def _without_turns(table: Table, changes: Sequence[VersionChange], settling_s: float) -> Table:
    """The table without the moments of changes.

    There a label would tell single calls apart and win over every explanation by time, though a fault that began at the
    same moment is as good; and the first calls of a version that end are its short ones.
    """
    kept = _settled(table.span, changes, settling_s)
    return replace(table, above=table.above * kept, below=table.below * kept)


def _settled(span: Span, changes: Sequence[VersionChange], settling_s: float) -> Mask:
    starts, width = span.starts, span.width
    kept = np.ones(span.columns, dtype=bool)
    for change in changes:
        kept &= (starts + width < change.since - width / 2) | (
            starts > change.since + max(width / 2, _FLUSH_S, settling_s)
        )
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """One table with all of its explanations."""

    table: Table
    borders: Numbers
    versions: Mapping[VersionChange, float]
    direct: Sequence[VersionChange]
    border: Comparison | None
    version: Comparison | None
    tried_borders: int

    @classmethod
    def of(
        cls, table: Table, changes: Sequence[VersionChange], callers: Mapping[str, list[str]], settling_s: float
    ) -> "_Examined":
        near = [c for c in changes if mechanism.grade(c, table.kpi, table.place, callers) > 0]
        sharp = _without_turns(table, near, settling_s)
        borders = likelihood.of_borders(sharp)
        found: dict[VersionChange, tuple[float, Mask]] = {}
        direct = []
        for change in near:
            reach = reached(change, sharp, borders)
            if reach is not None:
                found[change] = reach
                if mechanism.grade(change, table.kpi, table.place, callers) >= mechanism.COMMON:
                    direct.append(change)
        best_border = int(borders.argmax())
        border = likelihood.tested(table, from_column(best_border, table)) if borders[best_border] > 0 else None
        foremost = max(direct, key=lambda change: found[change][0], default=None)
        version = likelihood.tested(table, found[foremost][1]) if foremost and found[foremost][0] > 0 else None
        scatter = min((c.dispersion for c in (border, version) if c is not None), default=1.0)
        counts = np.cumsum(table.below.sum(axis=0))
        tried = int(((counts >= MIN_EVENTS) & (counts[-1] - counts >= MIN_EVENTS)).sum())
        return cls(
            table=table,
            borders=borders / scatter,
            versions={change: gain / scatter for change, (gain, _) in found.items()},
            direct=direct,
            border=border,
            version=version,
            tried_borders=tried,
        )

    def symptom(self, worst: Comparison, comparisons: int) -> Symptom:
        return Symptom(
            table=self.table, borders=self.borders, versions=self.versions, worst=worst, comparisons=comparisons
        )


def moment(symptom: Symptom, border: int) -> float:
    """Unix seconds of a border."""
    return symptom.table.span.start + border * symptom.table.span.width
