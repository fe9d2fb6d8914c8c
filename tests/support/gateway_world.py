"""A gateway on loopback with tool servers behind it, and callers of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from mcp import MCPError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from agentobs.guard import document
from gateway.calls import Gate
from gateway.identity import HEADER, HeaderIdentity
from gateway.serve import Application
from gateway.upstream import Upstream
from support.tool_server import ToolServer, served


@dataclass
class World:
    """The gateway's address and inside, and the servers behind it."""

    address: str
    gate: Gate
    servers: dict[str, ToolServer] = field(default_factory=dict)

    @asynccontextmanager
    async def client(self, agent: str = "executor", server: str = "bench", **options: Any) -> AsyncIterator[Client]:
        headers = {HEADER: agent} | options.pop("headers", {})
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(
                streamable_http_client(f"{self.address}/mcp/{server}", http_client=http),
                cache=None,
                **{"mode": "auto"} | options,
            ) as client,
        ):
            yield client

    async def post(self, body: Any, server: str = "bench", **headers: str) -> httpx2.Response:
        sent = {"accept": "application/json, text/event-stream", "content-type": "application/json", HEADER: "executor"}
        async with httpx2.AsyncClient(timeout=30) as http:
            content = body if isinstance(body, bytes) else None
            return await http.post(
                f"{self.address}/mcp/{server}",
                headers={name: value for name, value in (sent | headers).items() if value},
                **({"content": content} if content is not None else {"json": body}),
            )


@asynccontextmanager
async def world(tools: dict[str, Any], **more: Any) -> AsyncIterator[World]:
    """A gateway whose executor may call `tools` of the server `bench`; `more` goes into the policy.

    `servers` names other addresses, `gate` settings of the gate, `environ` variables, `identify` another door.
    """
    servers = {name: ToolServer(name) for name in more.pop("behind", ("bench",))}
    elsewhere, settings, environ = more.pop("servers", {}), more.pop("gate", {}), more.pop("environ", {})
    identify = more.pop("identify", HeaderIdentity())
    async with AsyncExitStack() as stack:
        entries = {}
        for name, one in servers.items():
            base = await stack.enter_async_context(served(one.server().streamable_http_app()))
            entries[name] = {"url": f"{base}/mcp"}
        for name, entry in elsewhere.items():
            entries[name] = entries.get(name, {}) | entry
        granted = {name if "/" in name else f"bench/{name}": rule for name, rule in tools.items()}
        raw = {"version": 1, "servers": entries, "agents": {"executor": {"tools": granted}}}
        policy = document.read(raw | more, "policy.yaml")
        upstreams = {name: Upstream(name, one, environ=environ) for name, one in policy.servers.items()}
        gate = Gate(document=lambda: policy, upstreams=upstreams, **settings)
        address = await stack.enter_async_context(served(Application(gate, identify).starlette()))
        await asyncio.gather(*(upstreams[name].ready() for name in servers))
        yield World(address, gate, servers)


async def refused(call: Any) -> MCPError:
    """The error that a call ends with."""
    try:
        found = await call
    except MCPError as error:
        return error
    raise AssertionError(f"not refused: {found}")


def code(error: MCPError) -> int:
    return error.error.code


async def until(holds: Callable[[], object], timeout_s: float = 40) -> None:
    """Wait until a condition holds, which no event tells."""
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 as said
            await asyncio.sleep(0.01)
