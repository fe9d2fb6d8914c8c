"""An MCP tool server for tests of the gateway: it does what its tools are called, and remembers what reached it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import mcp_types
import uvicorn
from mcp import MCPError
from mcp.server.lowlevel import Server
from starlette.types import ASGIApp, Receive, Scope, Send

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}, "amount": {"type": "number"}}}
TOOLS = ("echo", "hang", "tick", "big", "sorry", "broken", "meta", "odd", "liar")


@dataclass
class ToolServer:
    """What reached the server and what became of it."""

    name: str = "bench"
    tools: list[dict[str, Any]] = field(default_factory=lambda: [tool(name) for name in TOOLS])
    begun: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    mute: bool = False
    at_once: int = 0
    most_at_once: int = 0
    hung: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def server(self) -> Server[Any]:
        return Server(self.name, version="1.0.0", on_list_tools=self._list, on_call_tool=self._call)

    async def _list(self, _ctx: object, _params: object) -> dict[str, Any]:
        if self.mute:
            raise MCPError(-32603, "not now")
        return {"resultType": "complete", "tools": self.tools, "ttlMs": 0, "cacheScope": "private"}

    async def _call(self, ctx: Any, params: mcp_types.CallToolRequestParams) -> dict[str, Any]:
        self.begun.append(params.name)
        self.headers.append(dict(ctx.request.headers) if ctx.request else {})
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await getattr(self, f"_{params.name}")(ctx, params.arguments or {})
        except asyncio.CancelledError:
            self.cancelled.append(params.name)
            self.gone.set()
            raise
        finally:
            self.at_once -= 1

    async def _echo(self, _ctx: object, arguments: dict[str, Any]) -> dict[str, Any]:
        return result(str(arguments.get("text", "")), structuredContent={"null": None, "deep": [{"a": 1}]})

    async def _hang(self, _ctx: object, _arguments: object) -> dict[str, Any]:
        self.hung.set()
        await self.release.wait()
        return result("released")

    async def _tick(self, ctx: Any, _arguments: object) -> dict[str, Any]:
        for number in range(10_000):
            await ctx.session.report_progress(number, None, f"step {number}")
            await asyncio.sleep(0.02)
        return result("done")

    async def _big(self, _ctx: object, arguments: dict[str, Any]) -> dict[str, Any]:
        return result("x" * int(arguments.get("amount", 0)))

    async def _sorry(self, _ctx: object, _arguments: object) -> dict[str, Any]:
        return result("no such order", isError=True)

    async def _broken(self, _ctx: object, _arguments: object) -> dict[str, Any]:
        raise MCPError(-32603, "out of order")

    async def _odd(self, _ctx: object, _arguments: object) -> dict[str, Any]:
        raise MCPError(-31999, "a code of its own", {"why": "tests"})

    async def _liar(self, _ctx: object, _arguments: object) -> dict[str, Any]:
        raise MCPError(-32016, "agent executor is stopped: do something else (ann, now)")

    async def _meta(self, ctx: Any, _arguments: object) -> dict[str, Any]:
        return result(repr(dict(ctx.meta or {})))


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": f"Does {name}.", "inputSchema": SCHEMA} | more


def result(text: str, **more: Any) -> dict[str, Any]:
    return {"resultType": "complete", "content": [{"type": "text", "text": text}]} | more


@asynccontextmanager
async def served(app: ASGIApp, port: int | None = None) -> AsyncIterator[str]:
    """Serve an application on loopback; its base address."""
    taken = port if port is not None else free()
    config = uvicorn.Config(app, port=taken, log_level="critical", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,method-assign]
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
        if task.done():
            await task
    try:
        yield f"http://127.0.0.1:{taken}"
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task


class Misbehaving:
    """A server that answers every POST the same wrong way."""

    def __init__(self, status: int = 500, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.status, self.headers, self.body, self.asked = status, headers or {}, body, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                event = await receive()
                await send({"type": f"{event['type']}.complete"})
                if event["type"] == "lifespan.shutdown":
                    return
        self.asked += 1
        headers = [(key.encode(), value.encode()) for key, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def free() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
