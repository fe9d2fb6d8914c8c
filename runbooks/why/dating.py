"""When exactly: the first call of a version, or of what is new, finer than a column of a table."""

from collections.abc import Mapping, Sequence
from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts import promql
from alerts.catalogue import Selector, activity, counter
from alerts.source import EXPORT_DELAY_S, MetricsSource
from runbooks.why.changes import VersionChange
from runbooks.why.newcomers import Newcomer
from runbooks.why.places import Kind
from runbooks.why.spans import Span

_STEPS: Final = 30
_FINEST_S: Final = 1.0


def since(source: MetricsSource, span: Span, change: VersionChange) -> float:
    """Unix seconds of the first call that ran the version."""
    if change.from_start:
        return change.since
    dimension = change.dimension
    selectors = dimension.counted, dimension.activity
    return _first(source, span, change.since, selectors, dimension.labels, change.where(change.version))


def coming(source: MetricsSource, span: Span, came: Newcomer) -> float:
    """Unix seconds of the first call of a tool or an agent that is new."""
    calls = contract.TOOL_CALLS if came.place.kind is Kind.TOOL else contract.AGENT_CALLS
    where = came.place.labels
    return _first(source, span, float(span.edges[came.first]), (counter(calls), activity(calls)), (*where,), where)


def _first(  # noqa: PLR0913, PLR0917 a moment, and of what
    source: MetricsSource,
    span: Span,
    since: float,
    selectors: tuple[Selector, Selector],
    labels: Sequence[Label],
    where: Mapping[Label, str],
) -> float:
    """Zoom into the column of a moment, then take the first trace kept of it.

    The counter shows a call when the collector flushes it; the exemplar has the time of the call itself.
    """
    counted, kept = selectors
    start, end = since - EXPORT_DELAY_S, float(span.edges[span.column(since + 1e-6) + 1])
    step = max(_FINEST_S, (end - start) / _STEPS)
    zoomed = source.range(promql.total(counted, labels, where), start, end, step)
    seen = min((at for series in zoomed for at in _uses(series.points, start, step)), default=since)
    traces = source.exemplars(promql.exemplars(kept, where), seen - EXPORT_DELAY_S, seen)
    return min((trace.at for trace in traces), default=seen)


def _uses(points: Sequence[tuple[float, float]], start: float, step: float) -> list[float]:
    """Times at which the counter moved. The value a series already has at `start` may be old, so it is no use."""
    found = []
    before = points[0][1] if points and points[0][0] < start + step else 0.0
    for at, value in points:
        if value != before and value > 0:
            found.append(at)
        before = value
    return found
