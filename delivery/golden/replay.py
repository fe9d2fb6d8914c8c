"""MCP servers that answer from tapes: one per server for all cases, each call routed to its run by baggage.

The MCP SDK's own low-level server, so that results go out word by word. Over a pipe the baggage comes in `_meta`, in
one process it is the caller's own context.
"""

from collections.abc import Mapping
from typing import Any, Final

import mcp_types
from mcp import MCPError
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from opentelemetry import baggage, propagate

from delivery.golden.matching import Miss, Player
from delivery.golden.tape import Surface

CASE: Final = "agentobs.case"
"""The key of the baggage that says which run of which case a call belongs to."""
RUN_SCOPE: Final = "agentobs.golden.run"
"""Where a request over HTTP keeps the run that its address names."""
TAPE_MISS: Final = -32099


def server(surface: Surface, players: Mapping[str, Player]) -> Server[Any]:
    """A server that looks like the recorded one, for all runs."""

    async def listed(_: ServerRequestContext[Any], __: Any) -> mcp_types.ListToolsResult:  # noqa: ANN401 MCP's hook
        return mcp_types.ListToolsResult(tools=[mcp_types.Tool.model_validate(tool) for tool in surface.tools])

    async def called(
        ctx: ServerRequestContext[Any], params: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        player = players.get(run_of(ctx))
        if player is None:
            raise MCPError(TAPE_MISS, "this call belongs to no case: its baggage lacks agentobs.case")
        found = player.answer(surface.name, params.name, params.arguments or {})
        if isinstance(found, Miss):
            raise MCPError(TAPE_MISS, str(found))
        if found.error is not None:
            raise MCPError(found.error.code, found.error.message, found.error.data)
        return mcp_types.CallToolResult.model_validate(found.result)

    return Server(surface.name, version=surface.version, on_list_tools=listed, on_call_tool=called)


def run_of(ctx: ServerRequestContext[Any, Any]) -> str:
    """Which run a request belongs to: by its address, its `_meta`, the context it is made in."""
    if (addressed := getattr(ctx.request, "scope", {}).get(RUN_SCOPE)) is not None:
        return str(addressed)
    carried = baggage.get_baggage(CASE, propagate.extract({**ctx.meta})) if ctx.meta else None
    return str(carried or baggage.get_baggage(CASE) or "")
