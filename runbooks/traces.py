"""Traces to look at: calls that fail now, and calls from before that went well, to lay beside them."""

from collections.abc import Mapping
from typing import Final

from alerts import catalogue, promql
from alerts.catalogue import Selector
from alerts.source import MetricsSource
from collector import signals
from collector.signals import ErrorClass, Label
from runbooks.changes import VersionChange
from runbooks.places import Kind, Place
from runbooks.report import TraceLink

_MOST: Final = 3


def failing(
    source: MetricsSource, of: VersionChange | Place, where: Mapping[Label, str], since: float, end: float
) -> list[TraceLink]:
    """Failed calls since then, the newest first; where none failed, calls of any outcome."""
    selector, own = _calls(of, new=True)
    for outcome in ({Label.ERROR_CLASS: f"!{ErrorClass.NONE}"}, {}):
        found = _traces(source, selector, {**where, **own, **outcome}, since, end)
        if found:
            return found
    return []


def baseline(
    source: MetricsSource, of: VersionChange | Place, where: Mapping[Label, str], start: float, since: float
) -> list[TraceLink]:
    """Good calls of the previous version, or from before."""
    selector, own = _calls(of, new=False)
    return _traces(source, selector, {**where, **own, Label.ERROR_CLASS: ErrorClass.NONE}, start, since)


def _calls(of: VersionChange | Place, *, new: bool) -> tuple[Selector, Mapping[Label, str]]:
    if isinstance(of, VersionChange):
        return of.dimension.activity, of.where(of.version if new else of.previous)
    calls = {Kind.TOOL: signals.TOOL_CALLS, Kind.AGENT: signals.AGENT_CALLS, Kind.SYSTEM: signals.TASK_CALLS}[of.kind]
    return catalogue.activity(calls), of.labels


def _traces(
    source: MetricsSource, selector: Selector, where: Mapping[Label, str], start: float, end: float
) -> list[TraceLink]:
    found = source.exemplars(promql.exemplars(selector, where), start, end)
    newest = sorted(found, key=lambda exemplar: -exemplar.at)
    return [TraceLink(trace_id=trace) for trace in dict.fromkeys(exemplar.trace_id for exemplar in newest)][:_MOST]
