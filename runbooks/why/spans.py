"""When an environment was at work, cut into columns: wide ones, then narrow ones for the last minutes.

Narrow columns at the end, so that a young fault is more than one number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentobs.contract import Label
from alerts import promql
from alerts.catalogue import AGENT_SUCCESS, TASK_SUCCESS, TOOL_SUCCESS
from alerts.source import MetricsSource

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

_COLUMNS: Final = 60
_RECENT_S: Final = 600.0
_NARROWEST_S: Final = 1.0
_TIMELINE_STEPS: Final = 300


@dataclass(frozen=True, slots=True)
class Segment:
    """`columns` columns of `width` seconds from `start` (unix seconds) on."""

    start: float
    width: float
    columns: int

    @property
    def end(self) -> float:
        """Unix seconds."""
        return self.start + self.width * self.columns


@dataclass(frozen=True)
class Span:
    """The part of a window in which an environment was at work, cut into columns: wide ones, then narrow ones."""

    environment: str
    segments: tuple[Segment, ...]

    @property
    def start(self) -> float:
        """Unix seconds."""
        return self.segments[0].start

    @property
    def end(self) -> float:
        """Unix seconds."""
        return self.segments[-1].end

    @cached_property
    def edges(self) -> Numbers:
        """Unix seconds, one more than columns."""
        starts = [s.start + s.width * np.arange(s.columns) for s in self.segments]
        return np.concatenate([*starts, [self.end]])

    @property
    def columns(self) -> int:
        """How many."""
        return len(self.edges) - 1

    def column(self, at: float) -> int:
        """The column that holds a moment (unix seconds); the first or last one for moments outside."""
        return min(max(int(np.searchsorted(self.edges, at, side="right")) - 1, 0), self.columns - 1)

    def overlaps(self, start: float, end: float) -> Mask:
        """Columns that hold any time from `start` to `end` (unix seconds)."""
        return np.asarray((self.edges[1:] > start) & (self.edges[:-1] < end))


def find(source: MetricsSource, where: Mapping[Label, str], start: float, end: float) -> list[Span]:
    """Environments that were at work between `start` and `end`, each from its first to its last call.

    Columns without traffic would find nothing and cost precision.
    """
    step = max(_NARROWEST_S, (end - start) / _TIMELINE_STEPS)
    moments: dict[str, list[float]] = {}
    for activity in (TASK_SUCCESS.denominator, AGENT_SUCCESS.denominator, TOOL_SUCCESS.denominator):
        # Increases, as a sum of counters also moves when one of them is no longer reported.
        query = promql.increase(activity, (Label.ENVIRONMENT,), where, step)
        for series in source.range(query, start + step, end, step):
            used = [at for at, calls in series.points if calls > 0]
            # Without the label it is one environment of its own: `environment=""` selects it.
            moments.setdefault(series.labels.get(Label.ENVIRONMENT, ""), []).extend(used)
    found = []
    for environment, times in moments.items():
        if times:
            first, last = max(start, min(times) - step), min(end, max(times) + step)
            found.append(Span(environment, _segments(first, max(last, first + 2 * _NARROWEST_S))))
    return found


def _segments(first: float, last: float) -> tuple[Segment, ...]:
    """Sixty narrow columns for the last ten minutes, sixty wide ones for what was before."""
    recent = max(first, last - _RECENT_S)
    columns = max(2, min(_COLUMNS, int((last - recent) / _NARROWEST_S)))
    narrow = Segment(recent, (last - recent) / columns, columns)
    if recent - first < narrow.width:
        return (narrow,)
    wide = max(1, min(_COLUMNS, int((recent - first) / narrow.width)))
    return Segment(first, (recent - first) / wide, wide), narrow
