"""One environment under examination: what was read from it, what changed, what got worse, and what explains it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from alerts import promql
from alerts.catalogue import DIAGNOSED, DIMENSIONS, POSSIBLE, TASK_SUCCESS
from alerts.source import EXPORT_DELAY_S, MetricsSource
from collector.signals import Label
from runbooks import causes, cells, changes, drift, likelihood, symptoms
from runbooks.causes import Cause, Explained
from runbooks.cells import Mask, Span, Table
from runbooks.changes import VersionChange
from runbooks.comparison import Comparison
from runbooks.symptoms import Findings, Symptom

_TIMELINE_STEPS: Final = 300
_FINEST_STEP_S: Final = 1.0
_ZOOM: Final = 20


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything known about one environment; read once, then only arithmetic."""

    span: Span
    tables: list[Table]
    changes: list[VersionChange]
    callers: Mapping[str, list[str]]
    findings: Findings

    @cached_property
    def drift(self) -> drift.Drift | None:
        """How the mix of tasks changed, if it did."""
        return drift.find(table for table in self.tables if table.kpi is TASK_SUCCESS)

    @cached_property
    def causes(self) -> list[Cause]:
        """All candidates with their probabilities."""
        at = self.drift.border if self.drift else None
        return causes.weigh(self.findings, self.changes, self.callers, at)

    @cached_property
    def explained(self) -> list[Explained]:
        """The causes that hold, the weightiest first."""
        return causes.explain(self.findings.certain, self.causes)

    def rivals(self, explained: Explained) -> list[tuple[Cause, float]]:
        """Other causes of the same symptom that are possible, with their probabilities, the best first."""
        number = self.findings.certain.index(explained.lead)
        others = ((c, float(c.shares[number])) for c in self.causes if c is not explained.cause)
        return sorted((pair for pair in others if pair[1] >= POSSIBLE), key=lambda pair: -pair[1])

    def mask(self, cause: Cause, table: Table) -> Mask:
        """The cells of a table that a cause makes bad."""
        if cause.change is None:
            return symptoms.from_column(cause.border or 0, table)
        reach = symptoms.reached(cause.change, table, likelihood.of_borders(table))
        return reach[1] if reach else np.broadcast_to(table.span.starts >= cause.change.since, table.below.shape)

    def compared(self, cause: Cause, symptom: Symptom) -> Comparison:
        """A symptom as the cause explains it."""
        return likelihood.tested(symptom.table, self.mask(cause, symptom.table)) or symptom.worst

    def since(self, cause: Cause) -> float:
        """When it began, unix seconds."""
        return cause.change.since if cause.change else self.span.start + (cause.border or 0) * self.span.width


def examine(source: MetricsSource, span: Span, where: Mapping[Label, str]) -> Case:
    """Read one environment. Raises whatever the source raises when it cannot answer."""
    here = {**where, Label.ENVIRONMENT: span.environment}
    tables = [table for kpi in DIAGNOSED for table in cells.read(source, kpi, span, where)]
    found = _changes(source, span, here)
    callers = cells.callers(tables)
    return Case(
        span=span, tables=tables, changes=found, callers=callers, findings=symptoms.find(tables, found, callers)
    )


def _changes(source: MetricsSource, span: Span, here: Mapping[Label, str]) -> list[VersionChange]:
    step = max(_FINEST_STEP_S, (span.end - span.start) / _TIMELINE_STEPS)
    return [
        _dated(source, span, change)
        for dimension in DIMENSIONS
        for change in changes.find(
            dimension,
            source.range(promql.total(dimension.activity, dimension.labels, here), span.start, span.end, step),
            span.start,
            step,
        )
    ]


def _dated(source: MetricsSource, span: Span, change: VersionChange) -> VersionChange:
    """The change with its moment finer than the timeline: zoom in, then take the first trace that was kept.

    The timeline's counter shows a call when the collector flushes it; the exemplar has the time of the call itself.
    """
    dimension, where = change.dimension, change.where(change.version)
    step = max(_FINEST_STEP_S, (span.end - span.start) / _TIMELINE_STEPS)
    start, fine = change.since - step - EXPORT_DELAY_S, max(_FINEST_STEP_S, step / _ZOOM)
    zoomed = source.range(promql.total(dimension.counted, dimension.labels, where), start, change.since, fine)
    moments = [at for series in zoomed for at in changes.uses(series.points, start, fine)]
    counted = min(moments, default=change.since)
    called = source.exemplars(promql.exemplars(dimension.activity, where), counted - EXPORT_DELAY_S, counted)
    return replace(change, since=min((exemplar.at for exemplar in called), default=counted))
