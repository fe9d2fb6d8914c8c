"""A request of the MCP protocol that no tool span surrounds is the tool call itself."""

from typing import Any, Final

from opentelemetry.trace import SpanKind

from agentobs.context.dialects import Role
from agentobs.context.lineage import Node
from agentobs.contract import Attr, Operation

_CALL: Final = "tools/call"
_NAMED: Final = f"MCP send {_CALL} "


def as_tool_call(node: Node, kind: SpanKind) -> dict[str, Any]:
    """Return the attributes that make a client's `tools/call` span a tool call, nothing where another span is it."""
    if kind is not SpanKind.CLIENT or node.attributes.get(Attr.MCP_METHOD.value) != _CALL:
        return {}
    above = node.nearest(Role.TOOL, Role.MCP, Role.AGENT, Role.WORKFLOW)
    if above is not None and above.role in (Role.TOOL, Role.MCP):
        return {}
    added: dict[str, Any] = {
        Attr.OPERATION.value: Operation.EXECUTE_TOOL.value,
        Attr.MCP_TOOL_CALL.value: True,  # the collector knows it by this from spans inside a server
    }
    if Attr.TOOL_NAME.value not in node.attributes and node.name.startswith(_NAMED):
        added[Attr.TOOL_NAME.value] = node.name.removeprefix(_NAMED)
    return added


def waits_for(node: Node) -> Node | None:
    """The span around a request that may turn out to be the tool's: one that has not said anything yet."""
    outer = node.parent
    return outer if outer is not None and not outer.ended and not outer.attributes else None
