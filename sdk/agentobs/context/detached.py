"""Spans that their framework does not make the current one: events make them, and what runs inside does not see them.

So it has another parent or none. LangChain's instrumentation can be asked for its current span; else the one that was
started last in this context, and is still open, is it.
"""

import sys
import weakref
from contextvars import ContextVar
from typing import Final

from opentelemetry import trace

from agentobs.context.dialects import CREWAI, LANGCHAIN
from agentobs.context.lineage import Node, node_of

SCOPES: Final = (LANGCHAIN, CREWAI)
_latest: ContextVar[Node | None] = ContextVar("agentobs.latest", default=None)


def note(node: Node | None) -> None:
    """Remember a span that has started, if it is one of these."""
    if node is None:
        _latest.set(None)
    elif node.scope.startswith(SCOPES):
        _latest.set(node)
        if node.parent is not None:
            node.parent.inner = weakref.ref(node)


def current() -> Node | None:
    """The open span of this kind that encloses what runs now."""
    ask = getattr(sys.modules.get(LANGCHAIN), "get_current_span", None)
    node = node_of(ask()) if ask is not None else None
    if node is None and (node := _latest.get()) is not None and (node := _open(node)) is None:
        _latest.set(None)  # what has ended is not looked through again for each root that follows
    node = _open(node)
    # LangChain tells the step that runs, not the model call inside it.
    while node is not None and (inner := node.inner() if node.inner is not None else None) and not inner.ended:
        node = inner
    return node


def _open(node: Node | None) -> Node | None:
    """A span, or the closest one around it, that has not ended."""
    while node is not None and node.ended:
        node = node.parent
    return node


def innermost() -> trace.Span:
    """The span of what runs now: the current one, or one of these below it."""
    around = trace.get_current_span()
    hidden = current()
    live = hidden.live if hidden is not None else None
    if live is None or not around.is_recording():
        return around if live is None else live
    above = hidden.parent if hidden is not None else None
    while above is not None and above is not node_of(around):
        above = above.parent
    return live if above is not None else around
