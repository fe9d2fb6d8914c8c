"""Spans of the MCP protocol: the Python SDK's own and those of FastMCP.

One tool call over MCP is up to five spans: the agent's, FastMCP's and the SDK's on the client side, the same two on the
server side. The agent's INTERNAL `execute_tool` span is the tool call; spans of the protocol never are, except where a
program calls a tool without any span above it.
"""

from typing import Any, Final

from agentobs.contract import Attr, Operation
from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import IS_ROOT, IS_TOOL, NAME, SCOPE, span

TOOLS_CALL: Final = "tools/call"
IS_FASTMCP: Final = f'{SCOPE} == "fastmcp"'
_CLIENT_SPAN: Final = f"MCP send {TOOLS_CALL} "


def groups() -> list[dict[str, Any]]:
    """Statement groups of MCP spans."""
    is_call = f'{span(Attr.MCP_METHOD)} == "{TOOLS_CALL}"'
    is_client = "span.kind == SPAN_KIND_CLIENT"
    by_itself = span(Attr.MCP_TOOL_CALL)
    alone = f"{is_call} and {is_client} and {IS_ROOT}"
    return [
        steps.group(
            # The SDK's client span has the tool only in its name.
            *steps.fill(
                Attr.TOOL_NAME,
                f'TrimPrefix({NAME}, "{_CLIENT_SPAN}")',
                where=f'{is_client} and HasPrefix({NAME}, "{_CLIENT_SPAN}")',
            ),
            # A FastMCP server opens INTERNAL spans inside its SERVER span; `agentobs.context` marks what is a call.
            f'delete_key(span.attributes, "{Attr.OPERATION}")'
            f" where {IS_FASTMCP} and {IS_TOOL} and span.kind == SPAN_KIND_INTERNAL and {by_itself} == nil",
            steps.become(Operation.EXECUTE_TOOL, alone),
            f"set(span.kind, SPAN_KIND_INTERNAL) where {alone}",
            # The version of a server is the version of its tools: MCP has none per tool.
            *steps.fill(
                Attr.TOOL_VERSION,
                ottl.attribute("resource", Attr.SERVICE_VERSION),
                where="span.kind == SPAN_KIND_SERVER",
            ),
            when=steps.present(Attr.MCP_METHOD),
        )
    ]
