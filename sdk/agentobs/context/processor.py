"""Hands an agent's name, prompt and graph down to the spans of its models and tools, in the agent's own process.

OpenTelemetry attributes do not flow from parent to child, and a collector sees one span at a time. So spans are linked
when they start, and when one ends it gets what its ancestors know by then; it is passed on as a new, read-only span.
What a framework says itself is never overwritten, but placeholders. Not here: what single spans say (`dialects`).
"""

import logging
import weakref
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from agentobs.context import detached, inside, mcp, mcp_client, retries, runs, stated, twice
from agentobs.context.dialects import Role
from agentobs.context.held import Held
from agentobs.context.lineage import Inherited, Node, inherited, node_of
from agentobs.contract import Attr

_log = logging.getLogger(__name__)
_AGENT: Final[str] = Attr.AGENT_NAME.value
_OPERATION: Final[str] = Attr.OPERATION.value
_MCP_METHOD: Final[str] = Attr.MCP_METHOD.value
_ATTEMPT: Final[str] = Attr.RETRY_ATTEMPT.value
_FEW: Final = 1024


class AgentContextProcessor(SpanProcessor):
    """Wraps the processor that exports: `AgentContextProcessor(BatchSpanProcessor(exporter))`.

    Spans that it cannot read pass unchanged: an error here costs an attribute, never a span or the program.
    """

    def __init__(self, inner: SpanProcessor) -> None:
        self._inner = inner
        self._nodes: dict[int, weakref.ref[Node]] = {}
        self._sweep_at = _FEW
        self._held = Held(self._let_go)
        self._told = False
        self._sees_mcp = mcp_client.wrap()

    @property
    def wrapped(self) -> SpanProcessor:
        """The processor that exports."""
        return self._inner

    def wrap(self, inner: SpanProcessor) -> None:
        """Pass spans on to another processor from now on."""
        self._inner = inner

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Link the span to its parent's, and set what the program has stated of its agent."""
        try:
            stated.put_on(span, parent_context)
            self._link(span, parent_context)
        except Exception as error:  # noqa: BLE001 telemetry must not break the program
            self._tell(error)
        self._inner.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Pass the span on with what its ancestors know, and what has waited for it."""
        node = self._node(span.context.span_id) if span.context is not None else None
        if node is None:
            self._inner.on_end(span)
            return
        node.end(span)
        self._pass(span, node, may_wait=True, is_new=True)
        for waiting, its_node in self._held.released_by(node):
            self._pass(waiting, its_node, may_wait=True)

    def shutdown(self) -> None:
        """Let go what is held back, and end the wrapped processor."""
        self._let_go()
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Let go what is held back, and flush the wrapped processor."""
        self._let_go()
        return self._inner.force_flush(timeout_millis)

    def _let_go(self) -> None:
        for span, node in self._held.all():
            self._pass(span, node, may_wait=False)

    def _pass(self, span: ReadableSpan, node: Node, *, may_wait: bool, is_new: bool = False) -> None:
        try:
            known = inherited(node)
            if is_new:
                inside.tell(node, span, known.outer)
            waits_for = known.waits_for or _silent_around(node)
            if may_wait and waits_for is not None and self._held.hold(span, node, waits_for):
                return
            span = _enriched(span, node, known)
        except Exception as error:  # noqa: BLE001 telemetry must not break the program
            self._tell(error)
        self._inner.on_end(span)

    def _link(self, span: Span, context: Context | None) -> None:
        above = trace.get_current_span(context)
        parent = node_of(above)
        if parent is None and span.parent is not None:
            parent = self._node(span.parent.span_id)
        is_root = parent is None
        if parent is None and span.parent is None:
            parent = detached.current()
        node = node_of(span)  # where each exporter is wrapped by itself, another one has been here
        if node is None:
            node = Node(span, parent, context, is_root=is_root)
            span._agentobs = node  # type: ignore[attr-defined]  # noqa: SLF001 lives and dies with the span
        self._nodes[span.context.span_id] = weakref.ref(node)
        if len(self._nodes) > self._sweep_at:
            self._sweep()
        detached.note(node)
        if not self._sees_mcp and _MCP_METHOD in node.attributes:
            self._sees_mcp = mcp_client.wrap()  # the first requests of a client are about its server, not yet calls

    def _node(self, span_id: int) -> Node | None:
        found = self._nodes.get(span_id)
        return found() if found is not None else None

    def _sweep(self) -> None:
        """Forget the ids of what is gone: rarely and all at once costs less than each by itself."""
        for span_id, node in list(self._nodes.items()):
            if node() is None:
                self._nodes.pop(span_id, None)
        self._sweep_at = max(_FEW, 2 * len(self._nodes))

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning("agentobs: a span passes without its agent's name: %r (told once)", error)


def _silent_around(node: Node) -> Node | None:
    """The span around a call that may be the same call, if it will say so only at its end."""
    if node.role is Role.MODEL:
        return twice.waits_for(node)
    return mcp.waits_for(node) if node.role is Role.MCP else None


def _enriched(span: ReadableSpan, node: Node, known: Inherited) -> ReadableSpan:
    attributes, kind = node.attributes, span.kind
    added = {key: value for key, value in known.values.items() if attributes.get(key) != value}
    role = node.role
    if role is Role.MCP and (call := mcp.as_tool_call(node, kind)):
        added.update(call)
        role, kind = Role.TOOL, SpanKind.INTERNAL
    if role is Role.TOOL or role is Role.MODEL:
        added.update(_of_call(span, node, role, known))
    elif role is Role.AGENT or node.is_root:
        added.update(runs.outcome(node, failed=span.status.status_code is StatusCode.ERROR))
        if role is Role.AGENT:
            added.update(twice.agent(node))
    return _with(span, added, kind) if added else span


def _of_call(span: ReadableSpan, node: Node, role: Role, known: Inherited) -> dict[str, Any]:
    """What only calls get: a mark where the call counts elsewhere, else the number of its attempt."""
    agent, outer = str(known.values.get(_AGENT, "")), known.outer
    if role is Role.MODEL:
        found = twice.model(node, outer)
        number = retries.of_model(node, span, agent) if _OPERATION not in found else None
    else:
        found = {**inside.learnt(node), **twice.tool(node, outer)}
        failed = bool(node.learnt) or retries.has_failed(span, node.attributes)
        number = retries.of_tool(node, span, agent, node.topmost, failed=failed) if _OPERATION not in found else None
    if number is not None:
        found[_ATTEMPT] = number
    return found


def _with(span: ReadableSpan, added: Mapping[str, Any], kind: SpanKind) -> ReadableSpan:
    """An ended span with more attributes; its counts of what was dropped are kept."""
    known = span._attributes  # noqa: SLF001 the public property wraps it
    inner = getattr(known, "_dict", None)
    merged: Any = {**(inner if isinstance(inner, dict) else known or {}), **added}
    if isinstance(known, BoundedAttributes) and isinstance(inner, dict):
        # Exchanged as a whole, because an exporter of somebody else may be reading the old ones.
        known._dict = merged  # noqa: SLF001 values were cleaned when they were set
        if kind is span.kind:
            return span
        merged = known
    elif isinstance(known, BoundedAttributes):
        merged = BoundedAttributes(attributes=merged, max_value_len=known.max_value_len)
        merged.dropped = known.dropped
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=merged,
        events=span._events,  # noqa: SLF001 the public property copies, and forgets how many were dropped
        links=span._links,  # noqa: SLF001
        kind=kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
