"""Ask an MCP server for its tools, over HTTP or by starting it."""

import asyncio
import shlex
from typing import Any, Final

from mcp import MCPError, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

from delivery.errors import DeliveryError

_PATIENCE_S: Final = 30.0


async def listed(server: str) -> dict[str, Any]:
    """Name, version and tools of a server, every page of its list. Raises DeliveryError."""
    try:
        return await asyncio.wait_for(_listed(server), _PATIENCE_S)
    except TimeoutError:
        raise DeliveryError(f"the MCP server {server!r} did not answer within {_PATIENCE_S:g} s") from None
    except (MCPError, OSError, ExceptionGroup) as error:
        raise DeliveryError(f"the MCP server {server!r} cannot be asked: {_first(error)}") from None


async def _listed(server: str) -> dict[str, Any]:
    async with Client(_transport(server), mode="auto") as client:
        info = client.server_info
        if info is None or not info.version:
            raise DeliveryError(f"the MCP server {server!r} says no version of itself, so nothing can be pinned")
        tools: list[Any] = []
        cursor: str | None = None
        while True:
            page = await client.list_tools(cursor=cursor)
            tools += [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in page.tools]
            cursor = page.next_cursor
            if not cursor:
                return {"server": {"name": info.name, "version": info.version}, "tools": tools}


def _transport(server: str) -> Any:  # noqa: ANN401 an address, or a transport of the SDK
    if server.startswith(("http://", "https://")):
        return server
    command, *arguments = shlex.split(server)
    return stdio_client(StdioServerParameters(command=command, args=arguments))


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
