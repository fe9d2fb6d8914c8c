"""What a report asks: metrics, logs and traces, through protocols. Clients are with the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from alerts.source import MetricsSource


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `at` in unix seconds."""

    at: float
    text: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One trace that a search found, by its root; `start` in unix seconds."""

    trace_id: str
    service: str
    name: str
    start: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One step of a trace; `start` in unix seconds. `parent_id` is empty at the root."""

    span_id: str
    parent_id: str
    service: str
    name: str
    start: float
    duration_s: float
    failed: bool


class Logs(Protocol):
    """The question a report asks of logs."""

    def lines(self, query: str, start: float, end: float, limit: int) -> list[LogLine]:
        """Return at most `limit` lines that a LogQL query selects, newest first."""


class Traces(Protocol):
    """The questions a report asks of traces."""

    def find(self, query: str, start: float, end: float, limit: int) -> list[TraceRow]:
        """Return at most `limit` traces that a TraceQL query selects, newest first."""

    def steps(self, trace_id: str) -> list[TraceSpan]:
        """Return every step of a trace; nothing where the trace is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The stores. Without logs or traces their panels say so. A panel shows an error of `errors`; others end it all."""

    metrics: MetricsSource
    logs: Logs | None = None
    traces: Traces | None = None
    errors: tuple[type[Exception], ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """What a report is about, in unix seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start
