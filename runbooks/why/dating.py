"""When exactly: the first call of a version, finer than a column of a table."""

from collections.abc import Sequence
from typing import Final

from alerts import promql
from alerts.source import EXPORT_DELAY_S, MetricsSource
from runbooks.why.changes import VersionChange
from runbooks.why.spans import Span

_STEPS: Final = 30
_FINEST_S: Final = 1.0


def since(source: MetricsSource, span: Span, change: VersionChange) -> float:
    """Unix seconds of the first call that ran the version: zoom into its column, then take the first trace kept of it.

    The counter shows a call when the collector flushes it; the exemplar has the time of the call itself.
    """
    if change.from_start:
        return change.since
    column = span.column(change.since + 1e-6)
    start, end = change.since - EXPORT_DELAY_S, float(span.edges[column + 1])
    step = max(_FINEST_S, (end - start) / _STEPS)
    where = change.where(change.version)
    zoomed = source.range(promql.total(change.dimension.counted, change.dimension.labels, where), start, end, step)
    counted = min((at for series in zoomed for at in _uses(series.points, start, step)), default=change.since)
    traces = source.exemplars(promql.exemplars(change.dimension.activity, where), counted - EXPORT_DELAY_S, counted)
    return min((trace.at for trace in traces), default=counted)


def _uses(points: Sequence[tuple[float, float]], start: float, step: float) -> list[float]:
    """Times at which the counter moved. The value a series already has at `start` may be old, so it is no use."""
    found = []
    before = points[0][1] if points and points[0][0] < start + step else 0.0
    for at, value in points:
        if value != before and value > 0:
            found.append(at)
        before = value
    return found
