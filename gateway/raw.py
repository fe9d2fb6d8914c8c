"""What a tool server says, word by word: models of the SDK in between would drop what they do not know."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import mcp_types
from mcp.client import Client
from mcp.shared.dispatcher import ProgressFnT
from pydantic import TypeAdapter

_PAGES: Final = 100  # a list that never ends must end
_JSON: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a server says of itself: its tools as they came, its instructions and version, and when."""

    tools: tuple[Mapping[str, Any], ...] = ()
    instructions: str = ""
    version: str = ""
    at: float = 0.0


class _Asked(mcp_types.Request[dict[str, Any], str]):
    """A request whose parameters go out as they came in."""


async def raw(
    client: Client, method: str, params: dict[str, Any], progress: ProgressFnT | None = None
) -> dict[str, Any]:
    """Ask, and return the result as it came. Raises MCPError."""
    request = _Asked(method=method, params=params)
    return await client.session.send_request(request, _JSON, progress_callback=progress)  # type: ignore[type-var]


async def listing_of(client: Client) -> Listing:
    """All pages of a server's tools, and what else it says of itself. Raises MCPError."""
    tools: list[Mapping[str, Any]] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await raw(client, "tools/list", {"cursor": cursor} if cursor else {})
        tools += [tool for tool in page.get("tools", []) if isinstance(tool, dict)]
        cursor = page.get("nextCursor")
        if not cursor:
            break
    if any("x-mcp-header" in str(tool) for tool in tools):
        await client.session.list_tools()  # teaches the client which arguments go into headers
    info = client.server_info
    return Listing(
        tools=tuple(tools),
        instructions=client.instructions or "",
        version=info.version if info else "",
        at=time.monotonic(),
    )
