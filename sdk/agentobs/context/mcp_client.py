"""Calls of MCP tools, seen where they are made: their spans know neither the arguments nor that the tool failed.

The client of the MCP SDK (FastMCP's uses it) answers a failed tool with an ordinary result, and most frameworks pass
it on as one. So `ClientSession.call_tool` is wrapped, once and only where the SDK is in use: inside a framework's tool
span that span learns what failed; where no span says tool, one is opened, so that the call counts.
"""

import functools
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from agentobs.context import detached
from agentobs.context.dialects import LANGCHAIN, Role
from agentobs.context.lineage import Node, node_of
from agentobs.contract import Attr, Operation

SCOPE: Final = "agentobs.context"
_TOOL_ERROR: Final = "tool_error"
_WRAPPED: Final = "_agentobs_wrapped"
_CallTool = Callable[..., Awaitable[Any]]


def wrap() -> bool:
    """Wrap the client of the MCP SDK if the program uses it; return whether it is wrapped now."""
    module = sys.modules.get("mcp.client.session")
    session = getattr(module, "ClientSession", None)
    call_tool = getattr(session, "call_tool", None)
    if session is None or call_tool is None:
        return False
    if not hasattr(call_tool, _WRAPPED):
        session.call_tool = _wrapped(cast("_CallTool", call_tool))
    return True


def _wrapped(call_tool: _CallTool) -> _CallTool:
    @functools.wraps(call_tool)
    async def called(session: object, name: str, arguments: Any = None, *rest: Any, **options: Any) -> Any:  # noqa: ANN401 whatever the SDK takes and gives
        call = functools.partial(call_tool, session, name, arguments, *rest, **options)
        hidden = detached.current()
        around = _tool_around(hidden if hidden is not None else node_of(trace.get_current_span()), name)
        if around is not None and around.role is not Role.AGENT:
            return await _told(around.live, call())
        # Nobody is known who calls, or a framework that has a span of its own for this somewhere: none is added.
        if around is None or hidden is not None:
            return await call()
        attributes = {Attr.OPERATION.value: Operation.EXECUTE_TOOL.value, Attr.TOOL_NAME.value: name}
        tracer = trace.get_tracer(SCOPE)
        with tracer.start_as_current_span(f"{Operation.EXECUTE_TOOL} {name}", attributes=attributes) as span:
            node = node_of(span)
            if node is not None:
                node.arguments = digest(arguments)
            return await _told(span, call())

    setattr(called, _WRAPPED, True)
    return called


async def _told(span: Span | None, call: Awaitable[Any]) -> Any:  # noqa: ANN401 whatever the SDK gives
    """The result of a call; its span says what failed, if it does not say so itself."""
    try:
        result = await call
    except Exception as error:
        _fail(span, _kind(error))
        raise
    # Both names: the field was renamed between the generations of the SDK.
    if getattr(result, "is_error", False) is True or getattr(result, "isError", False) is True:
        _fail(span, _TOOL_ERROR)
    return result


def _fail(span: Span | None, kind: str) -> None:
    if span is None:
        return
    node = node_of(span)
    if node is not None and Attr.ERROR_TYPE.value in node.attributes:
        return
    span.set_attribute(Attr.ERROR_TYPE.value, kind)
    if node is not None and node.scope == SCOPE:
        span.set_status(Status(StatusCode.ERROR))


def _kind(error: Exception) -> str:
    text = f"{type(error).__name__} {error}".lower()
    return "timeout" if "timeout" in text or "timed out" in text else type(error).__qualname__


def _tool_around(node: Node | None, name: str) -> Node | None:
    """The span that stands for a call already, a framework's or a protocol's; the agent's, if there is none."""
    while node is not None and node.role not in (Role.WORKFLOW, Role.HANDOFF):
        # LangChain says only at the end that a span is a tool's, but names it after the tool.
        if node.role in (Role.TOOL, Role.AGENT) or (node.scope == LANGCHAIN and node.name == name):
            return node
        node = node.parent
    return None


def digest(arguments: object) -> str:
    """What tells the arguments of two calls apart, without their content."""
    text = json.dumps(arguments, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
