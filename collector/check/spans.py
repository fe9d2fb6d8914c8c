"""Spans as a check reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from collector import search
from collector.signals import INFERENCE, ROLE_TASK, Attr, Operation, Place

SERVER: Final = "server"
INTERNAL: Final = "internal"
# The name that an SDK makes up for a program without one.
_UNKNOWN_SERVICE: Final = "unknown_service"
NO_SERVICE: Final = "(no service.name)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span as it is stored. `kind` is internal, server, client ...; `end` is in unix seconds."""

    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    failed: bool
    end: float
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]

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
        )

    @property
    def service(self) -> str:
        """Name of the program; a stand-in where it has none."""
        return str(self.resource[Attr.SERVICE_NAME]) if self.has(Attr.SERVICE_NAME, Place.RESOURCE) else NO_SERVICE

    @property
    def agent(self) -> str:
        """Name of the agent at work; empty where the span does not say."""
        return str(self.attributes.get(Attr.AGENT_NAME, ""))

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

    def has(self, attr: Attr, place: Place) -> bool:
        """Whether the attribute is where it belongs, with a value."""
        value = (self.resource if place is Place.RESOURCE else self.attributes).get(attr)
        if attr is Attr.SERVICE_NAME and str(value).startswith(_UNKNOWN_SERVICE):
            return False
        return value is not None and value != ""


Trace = Sequence[Span]


@dataclass(slots=True)
class Tally:
    """How many of some spans are bad, with the trace of the first bad one."""

    count: int = 0
    of: int = 0
    trace_id: str = ""

    def add(self, span: Span, *, is_bad: bool) -> None:
        """Count one span."""
        self.of += 1
        if is_bad:
            self.count += 1
            self.trace_id = self.trace_id or span.trace_id
