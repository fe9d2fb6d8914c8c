"""Spans as a check reads them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentobs.contract import INFERENCE, ROLE_TASK, Attr, Operation, Place
from collector import search, unread

SERVER: Final = "server"
INTERNAL: Final = "internal"
# The name that an SDK makes up for a program without one.
_UNKNOWN_SERVICE: Final = "unknown_service"
NO_SERVICE: Final = "(no service.name)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span as it is stored. `kind` is internal, server, client ...; `start` and `end` are in unix seconds.

    `alias` stands for the agent's name where many names differ in an id only.
    """

    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    failed: bool
    end: float
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    name: str = ""
    scope: str = ""
    start: float = 0.0
    alias: str = ""

    @classmethod
    def of(cls, span: search.Span) -> "Span":
        """The span that a store answered."""
        return cls(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id,
            kind=span.kind,
            failed=span.failed,
            end=span.end,
            attributes=span.attributes,
            resource=span.resource,
            name=span.name,
            scope=span.scope,
            start=span.start,
        )

    @property
    def service(self) -> str:
        """Name of the program; a stand-in where it has none."""
        return str(self.resource[Attr.SERVICE_NAME]) if self.has(Attr.SERVICE_NAME, Place.RESOURCE) else NO_SERVICE

    @property
    def agent(self) -> str:
        """Name of the agent at work; empty where the span does not say."""
        return self.alias or str(self.attributes.get(Attr.AGENT_NAME) or "")

    @property
    def places(self) -> frozenset[Place]:
        """What this span is in the contract; nothing for a span that no KPI reads."""
        operation = self.attributes.get(Attr.OPERATION)
        found = {
            Place.TASK: self.attributes.get(Attr.SPAN_ROLE) == ROLE_TASK,
            Place.AGENT: operation == Operation.INVOKE_AGENT,
            Place.MODEL: operation in set(INFERENCE),
            Place.TOOL: operation == Operation.EXECUTE_TOOL and self.kind == INTERNAL,
            Place.MCP: Attr.MCP_METHOD in self.attributes,
        }
        return frozenset(place for place, is_here in found.items() if is_here)

    @property
    def is_unread(self) -> bool:
        """Whether it promises a call or an agent and no KPI reads it."""
        return unread.is_unread(self.attributes, self.kind, self.scope)

    def has(self, attr: Attr, place: Place) -> bool:
        """Whether the attribute is where it belongs, with a value."""
        value = (self.resource if place is Place.RESOURCE else self.attributes).get(attr)
        if attr is Attr.SERVICE_NAME and str(value).startswith(_UNKNOWN_SERVICE):
            return False
        return value is not None and value != ""


Trace = Sequence[Span]


@dataclass(frozen=True, slots=True)
class Tree:
    """The spans of one trace by their ids, to go from a span to what it is part of."""

    by_id: Mapping[str, Span]

    @classmethod
    def of(cls, trace: Trace) -> "Tree":
        """The tree of a trace."""
        return cls({span.span_id: span for span in trace})

    def above(self, span: Span) -> Iterator[Span]:
        """Its parent, the parent of that, and so on; a loop of parents ends where it began."""
        seen = {span.span_id}
        while (found := self.by_id.get(span.parent_id)) is not None and found.span_id not in seen:
            seen.add(found.span_id)
            yield found
            span = found


@dataclass(slots=True)
class Tally:
    """How many of some spans are bad, with the trace of the first bad one: the fields of a `Finding` about them."""

    count: int = 0
    of: int = 0
    trace_id: str = ""
    example: str = ""

    def add(self, span: Span, *, is_bad: bool) -> None:
        """Count one span."""
        self.of += 1
        if is_bad:
            self.count += 1
            self.trace_id = self.trace_id or span.trace_id
            self.example = self.example or span.name
