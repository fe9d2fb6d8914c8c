"""What a search finds, and the two interfaces through which every store of traces and of logs answers.

A store raises an error of its own that names it and the fix; nothing else about it is known to whoever asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agentobs.contract import Attr
from collector.search.model import LineSearch, SpanSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One trace that a search found, by its root; `start` in unix seconds. A root that has not come yet has no name."""

    trace_id: str
    service: str
    name: str
    start: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step of a trace; times in unix seconds, ids in hexadecimal digits. `parent_id` is empty at the root.

    `kind` is internal, server, client, producer or consumer; `attributes` are the step's, `resource` the program's.
    `message` is what a step said that failed, `scope` the library that made the span, where the store knows it.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    failed: bool
    start: float
    end: float
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    message: str = ""
    scope: str = ""

    @property
    def service(self) -> str:
        """Name of the program."""
        return str(self.resource.get(Attr.SERVICE_NAME, ""))

    @property
    def duration_s(self) -> float:
        """How long it took, to the microsecond; never below zero, whatever clocks said."""
        return elapsed(self.start, self.end)


def elapsed(start: float, end: float) -> float:
    """Seconds between two moments: of unix seconds a float holds no more than the microsecond."""
    return max(0.0, round(end - start, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line; `at` in unix seconds. `attributes` hold everything else, under the names of the contract."""

    at: float
    text: str
    severity: str = ""
    service: str = ""
    trace_id: str = ""
    event: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """The program `client` called the program `server` so many times."""

    client: str
    server: str
    count: float


class TraceStore(Protocol):
    """A store of traces. Periods are in unix seconds."""

    def find(self, search: SpanSearch, start: float, end: float, limit: int) -> list[Trace]:
        """At most `limit` traces with a span that the search wants, newest first."""

    def trace(self, trace_id: str) -> list[Span]:
        """Every span of a trace, each once; nothing where the trace is gone."""

    def services(self, search: SpanSearch, start: float, end: float) -> list[str]:
        """Names of the programs that sent spans; a store may name more than those that the search wants."""

    def calls(self, search: SpanSearch, start: float, end: float) -> list[Call] | None:
        """Which program called which in traces that the search wants; None where series in Prometheus say so."""

    def link(self, trace_id: str) -> str:
        """Where a person sees a trace."""


class LogStore(Protocol):
    """A store of lines."""

    def lines(self, search: LineSearch, start: float, end: float, limit: int) -> list[LogLine]:
        """At most `limit` lines of a period in unix seconds that the search wants, newest first."""
