"""One environment under examination: what was read, what changed, what got worse, and the incidents that explain it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentobs.contract import Label
from alerts.catalogue import AGENT_LATENCY, FALSE_ALARMS, TASK_LATENCY, TASK_SUCCESS
from alerts.source import MetricsSource
from alerts.statistics import per_look
from runbooks.why import changes, drift, incidents, mechanism, shared, tables
from runbooks.why.changes import VersionChange
from runbooks.why.explaining import Explainer
from runbooks.why.explanations import Examined, on_canary
from runbooks.why.joining import Incident, explains
from runbooks.why.reading import Reader
from runbooks.why.spans import Span
from runbooks.why.tables import Table

_LASTING: Final = (TASK_LATENCY, AGENT_LATENCY)
_ENOUGH_RUNS: Final = 5.0
LOOK_LEVEL: Final = per_look(FALSE_ALARMS)
_HALVES: Final = 2
"""Half of what a look may claim is for versions, half for faults without one."""
_SUGGESTIVE: Final = 0.01
"""Chance, all comparisons of one look paid for, below which more data are worth waiting for."""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Everything known about one environment; read once, then only arithmetic."""

    span: Span
    tables: Sequence[Table]
    changes: Sequence[VersionChange]
    callers: Mapping[str, list[str]]
    incidents: Sequence[Incident]
    open: Sequence[Examined]
    drift: drift.Drift | None


def examine(source: MetricsSource, span: Span, where: Mapping[Label, str]) -> Examination:
    """Read one environment and explain it. Raises whatever the source raises when it cannot answer."""
    reader = Reader(source, span, {**where, Label.ENVIRONMENT: span.environment})
    return explain(span, tables.read(reader), changes.find(reader))


def _lasting(table: Table) -> float:
    """Seconds that runs or tasks last at most, on average over a column."""
    seconds, events = table.above.sum(axis=0), table.below.sum(axis=0)
    enough = events >= _ENOUGH_RUNS
    return float((seconds[enough] / events[enough]).max()) if enough.any() else 0.0


def explain(span: Span, read: Sequence[Table], found: Sequence[VersionChange]) -> Examination:
    """Explain the tables of one environment by its version changes, or without them. Pure."""
    moved = drift.find(table for table in read if table.kpi is TASK_SUCCESS)
    callers = tables.callers(read)
    explainer = Explainer(
        changes=found,
        callers=callers,
        canaries=frozenset(change for change in found if on_canary(change, read)),
        crowd=Counter((change.dimension.key, change.entity) for change in found),
        tables=len(read),
        pairs=sum(mechanism.grade(c, t.kpi, t.place, callers) >= mechanism.COMMON for t in read for c in found),
        lags={table.place: _lasting(table) for table in read if table.kpi in _LASTING},
        drifted_at=moved.border if moved else None,
    )
    examined = [one for table in read for one in explainer.episodes(table, LOOK_LEVEL / _HALVES)]
    certain = [one for one in examined if one.p * _HALVES <= LOOK_LEVEL]
    unsure = [one for one in examined if one.p * _HALVES > LOOK_LEVEL]
    inputs = shared.of_inputs(read, moved.border) if moved is not None and moved.p <= LOOK_LEVEL else None
    assembled = incidents.assemble(certain, unsure, explainer, inputs)
    doubtful = [one for one in unsure if one.p * _HALVES <= _SUGGESTIVE]
    return Examination(
        span=span,
        tables=read,
        changes=found,
        callers=callers,
        incidents=assembled,
        open=[one for one in doubtful if not explains(assembled, one, explainer)],
        drift=moved,
    )
