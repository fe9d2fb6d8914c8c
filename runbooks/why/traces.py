"""Traces to look at: calls that fail now, and calls from before that went well, to lay beside them."""

from typing import Final

from agentobs import contract
from agentobs.contract import ErrorClass, Label
from alerts import catalogue, promql
from alerts.catalogue import Selector
from alerts.catalogue.wanted import Not, Where
from alerts.source import MetricsSource
from runbooks.why.changes import VersionChange
from runbooks.why.document import TraceLink
from runbooks.why.places import Kind, Place

_MOST: Final = 3


def failing(
    source: MetricsSource, of: VersionChange | Place, where: Where, since: float, end: float
) -> list[TraceLink]:
    """Failed calls since then, the newest first; where none failed, calls of any outcome."""
    selector, own = _calls(of, new=True)
    for outcome in ({Label.ERROR_CLASS: Not(ErrorClass.NONE)}, {}):
        found = _traces(source, selector, {**where, **own, **outcome}, since, end)
        if found:
            return found
    return []


def baseline(
    source: MetricsSource, of: VersionChange | Place, where: Where, start: float, since: float
) -> list[TraceLink]:
    """Good calls of the previous version, or from before."""
    selector, own = _calls(of, new=False)
    return _traces(source, selector, {**where, **own, Label.ERROR_CLASS: ErrorClass.NONE}, start, since)


def _calls(of: VersionChange | Place, *, new: bool) -> tuple[Selector, Where]:
    if isinstance(of, VersionChange):
        return of.dimension.activity, of.where(of.version) if new else of.where_before
    calls = {Kind.TOOL: contract.TOOL_CALLS, Kind.AGENT: contract.AGENT_CALLS, Kind.SYSTEM: contract.TASK_CALLS}[
        of.kind
    ]
    return catalogue.activity(calls), of.labels


def _traces(source: MetricsSource, selector: Selector, where: Where, start: float, end: float) -> list[TraceLink]:
    found = source.exemplars(promql.exemplars(selector, where), start, end)
    newest = sorted(found, key=lambda exemplar: -exemplar.at)
    return [TraceLink(trace_id=trace) for trace in dict.fromkeys(exemplar.trace_id for exemplar in newest)][:_MOST]
