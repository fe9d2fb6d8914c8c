"""What got worse: every KPI of every tool, every agent and the whole, before against after and old against new.

Two ways to see it. Over time: every border between columns is a candidate moment. By version: cells of the new version
against the rest, which also sees a canary with a small share. Both are tests among many, and each may have half of the
false alarms that a diagnosis is allowed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.catalogue import MIN_EVENTS, SUGGESTIVE_P
from collector.signals import ABSENT
from runbooks import likelihood, mechanism
from runbooks.cells import Mask, Numbers, Table
from runbooks.changes import VersionChange
from runbooks.comparison import Comparison

_LAG_COLUMNS: Final = 3
"""What an unlabelled KPI sees of a version shows so many columns later at most: calls in flight end first."""
_WAYS: Final = 2


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


def exposed(change: VersionChange, table: Table) -> list[Mask]:
    """Cells that the change reaches: by version label where the rows have one, else all from its moment on.

    Without a label there are several masks, as an effect shows some columns late.
    """
    span, versions = table.span, {change.version, *change.later}
    starts = span.starts
    shape = table.below.shape
    since = np.broadcast_to(starts + span.width > change.since, shape)
    of_version, concerned = _rows(change, table, versions)
    if of_version is not None:
        # A version that comes back is new only from its return on.
        return [np.asarray(since & of_version[:, None] & concerned[:, None])]
    first = int(np.searchsorted(starts, change.since))
    columns = np.arange(span.columns)
    return [
        np.asarray(np.broadcast_to(columns >= first + lag, shape) & concerned[:, None])
        for lag in range(-1, _LAG_COLUMNS)
        if 0 < first + lag < span.columns
    ]


def _rows(change: VersionChange, table: Table, versions: set[str]) -> tuple[Mask | None, Mask]:
    """Which rows run the new versions (None where rows do not say), and which belong to the entity at all."""
    concerned = np.ones(len(table.rows), dtype=bool)
    for label, wanted in change.place.items():
        values = np.array(table.values(label))
        concerned &= (values == wanted) | (values == ABSENT)
    values = table.values(change.dimension.version)
    if all(value == ABSENT for value in values):
        return None, concerned
    return np.array([value in versions for value in values]), concerned


def find(tables: Iterable[Table], changes: Sequence[VersionChange], callers: Mapping[str, list[str]]) -> Findings:
    """Return the KPIs that got worse, the clearest first."""
    examined = [_Examined.of(table, changes, callers) for table in tables]
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
    return Findings(certain=sorted(certain, key=key), open=sorted(undecided, key=key))


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
    def of(cls, table: Table, changes: Sequence[VersionChange], callers: Mapping[str, list[str]]) -> "_Examined":
        borders = likelihood.of_borders(table)
        reached: dict[VersionChange, tuple[float, Mask]] = {}
        direct = []
        for change in changes:
            grade = mechanism.grade(change, table.kpi, table.place, callers)
            masks = exposed(change, table) if grade > 0 else []
            if masks:
                reached[change] = max(((likelihood.of_mask(table, m), m) for m in masks), key=lambda pair: pair[0])
            if masks and grade >= mechanism.COMMON:
                direct.append(change)
        best_border = int(borders.argmax())
        in_time = np.broadcast_to(np.arange(table.span.columns) >= best_border, table.below.shape)
        border = likelihood.tested(table, in_time) if borders[best_border] > 0 else None
        foremost = max(direct, key=lambda change: reached[change][0], default=None)
        version = likelihood.tested(table, reached[foremost][1]) if foremost and reached[foremost][0] > 0 else None
        scatter = min((c.dispersion for c in (border, version) if c is not None), default=1.0)
        counts = np.cumsum(table.below.sum(axis=0))
        tried = int(((counts >= MIN_EVENTS) & (counts[-1] - counts >= MIN_EVENTS)).sum())
        return cls(
            table=table,
            borders=borders / scatter,
            versions={change: gain / scatter for change, (gain, _) in reached.items()},
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
