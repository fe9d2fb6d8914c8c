"""One environment under examination: what was read, what changed, what got worse, and the incidents that explain it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentobs.contract import Label
from alerts.catalogue import AGENT_LATENCY, HALVES, LOOK_LEVEL, TASK_LATENCY, TASK_SUCCESS, VERSION_LEVEL
from alerts.source import MetricsSource
from runbooks.why import changes, drift, firsts, incidents, mechanism, newcomers, shared, tables
from runbooks.why.changes import VersionChange
from runbooks.why.explaining import Explainer
from runbooks.why.explanations import Examined, Explanation, on_canary
from runbooks.why.joining import Incident, explains
from runbooks.why.newcomers import Newcomer
from runbooks.why.places import Place
from runbooks.why.reading import Reader
from runbooks.why.spans import Span
from runbooks.why.tables import Table

_LASTING: Final = (TASK_LATENCY, AGENT_LATENCY)
_ENOUGH_RUNS: Final = 5.0
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
    newcomers: Sequence[Newcomer] = ()

    def newcomer(self, explanation: Explanation) -> Newcomer | None:
        """The tool or agent that an explanation blames for its coming."""
        return next(
            (
                one
                for one in self.newcomers
                if one.place == explanation.of and abs(one.first - explanation.first) <= newcomers.NEAR
            ),
            None,
        )


def examine(source: MetricsSource, span: Span, where: Mapping[Label, str]) -> Examination:
    """Read one environment and explain it. Raises whatever the source raises when it cannot answer."""
    reader = Reader(source, span, {**where, Label.ENVIRONMENT: span.environment})
    came = newcomers.find(reader)
    found = [*changes.find(reader), *firsts.find(reader)]
    return explain(span, tables.read(reader, newcomers.replaced(came)), found, came)


def _lasting(table: Table) -> float:
    """Seconds that runs or tasks last at most, on average over a column."""
    seconds, events = table.above.sum(axis=0), table.below.sum(axis=0)
    enough = events >= _ENOUGH_RUNS
    return float((seconds[enough] / events[enough]).max()) if enough.any() else 0.0


def explain(
    span: Span, read: Sequence[Table], found: Sequence[VersionChange], came: Sequence[Newcomer] = ()
) -> Examination:
    """Explain the tables of one environment by its version changes, or without them. Pure."""
    moved = drift.find(table for table in read if table.kpi is TASK_SUCCESS)
    callers = tables.callers(read)
    promised = [*newcomers.promises(read, came, found)]
    explainer = Explainer(
        changes=found,
        callers=callers,
        canaries=frozenset(change for change in found if on_canary(change, read)),
        crowd=Counter((change.dimension.key, change.entity) for change in found),
        tables=len(read),
        pairs=len(promised)
        + sum(mechanism.grade(c, t.kpi, t.place, callers) >= mechanism.COMMON for t in read for c in found),
        lags={table.place: _lasting(table) for table in read if table.kpi in _LASTING},
        drifted_at=moved.border if moved else None,
        came={one.place: one.first for one in came},
    )
    examined = [one for table in read for one in explainer.episodes(table, VERSION_LEVEL)]
    examined = _with_promises(examined, promised, explainer)
    certain = [one for one in examined if one.p <= VERSION_LEVEL]
    unsure = [one for one in examined if one.p > VERSION_LEVEL]
    inputs = shared.of_inputs(read, moved.border) if moved is not None and moved.p <= LOOK_LEVEL else None
    assembled = incidents.assemble(certain, unsure, explainer, inputs)
    doubtful = [one for one in unsure if one.p * HALVES <= _SUGGESTIVE]
    return Examination(
        span=span,
        tables=read,
        changes=found,
        callers=callers,
        incidents=assembled,
        open=[one for one in doubtful if not explains(assembled, one, explainer)],
        drift=moved,
        newcomers=came,
    )


def _with_promises(
    examined: Sequence[Examined], promised: Iterable[tuple[Table, VersionChange | Place]], explainer: Explainer
) -> list[Examined]:
    """What has no before by its promise, but for what is certain without it: it did well first, then got worse."""
    known = {_key(one.table) for one in examined if one.p <= VERSION_LEVEL}
    by_promise: dict[tuple[str, Place], Examined] = {}
    for table, of in promised:
        one = newcomers.judged(table, of, explainer.pairs) if _key(table) not in known else None
        if one is not None:
            by_promise[_key(table)] = one
    return [*(one for one in examined if _key(one.table) not in by_promise), *by_promise.values()]


def _key(table: Table) -> tuple[str, Place]:
    return table.kpi.key, table.place
