"""A tape server over a pipe, for agents that start their tools: `python -m delivery.golden.stdio ADDRESS`.

It hands every request on to the tapes that the replay serves over HTTP, and adds nothing.
"""

import asyncio
import sys
from typing import Any

import mcp_types
from mcp.client import Client
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server


async def serve(address: str) -> None:
    """Serve until the pipe is closed."""
    async with Client(address) as tapes:
        known = tapes.server_info

        async def listed(_: ServerRequestContext[Any], __: Any) -> mcp_types.ListToolsResult:  # noqa: ANN401 MCP's hook
            return await tapes.list_tools()

        async def called(
            _: ServerRequestContext[Any], params: mcp_types.CallToolRequestParams
        ) -> mcp_types.CallToolResult:
            return await tapes.call_tool(params.name, params.arguments)

        server = Server(
            known.name if known else "tape",
            version=known.version if known else "",
            on_list_tools=listed,
            on_call_tool=called,
        )
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
