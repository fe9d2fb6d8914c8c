"""What panels show, evaluated: plain data, from which figures and pages are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.search import Call, LogLine, Span, Trace


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a value for each step of the period, None where there is none."""

    name: str
    labels: Mapping[str, str]
    values: Sequence[float | None]

    @property
    def last(self) -> float | None:
        """The last value there is."""
        return next((value for value in reversed(self.values) if value is not None), None)


@dataclass(frozen=True, slots=True)
class Dot:
    """An exemplar: a trace at a moment (unix seconds) with its value."""

    at: float
    value: float
    trace_id: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Series over time, on one grid of moments (unix seconds)."""

    moments: Sequence[float]
    lines: Sequence[Line]
    dots: Sequence[Dot] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its labels, and the value of each query, None for a gap."""

    labels: Mapping[str, str]
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table."""

    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Cells:
    """A heatmap: counts per bucket (its upper bound as text, lowest first) and moment."""

    moments: Sequence[float]
    buckets: Sequence[str]
    counts: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines of logs, newest first."""

    lines: Sequence[LogLine]


@dataclass(frozen=True, slots=True)
class TraceRows:
    """Traces found, newest first."""

    rows: Sequence[Trace]


@dataclass(frozen=True, slots=True)
class Step:
    """A span in its place: `depth` below the root, `offset_s` after its start."""

    span: Span
    depth: int
    offset_s: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A trace; `seconds` from the first start to the last end."""

    trace_id: str
    seconds: float
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Graph:
    """Who calls whom."""

    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """No data, and what that means."""

    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A store did not answer, or refused the question."""

    error: str


Result = Lines | Rows | Cells | LogLines | TraceRows | Waterfall | Graph | Prose | Nothing | Failed
