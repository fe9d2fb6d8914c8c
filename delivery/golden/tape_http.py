"""Tape servers over HTTP on this machine, for systems in other processes: an address for each run and server."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from mcp.server import Server
from starlette.types import ASGIApp, Receive, Scope, Send

from delivery.golden.replay import RUN_SCOPE


@dataclass(slots=True)
class TapesOverHttp:
    """Serves while it is entered, on a free port."""

    port: int = 0
    _apps: dict[int, ASGIApp] = field(default_factory=dict)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _server: uvicorn.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen on the loopback interface only."""
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        settings = uvicorn.Config(self._dispatch, log_level="critical", interface="asgi3", lifespan="off", ws="none")
        self._server = uvicorn.Server(settings)
        self._tasks.append(asyncio.create_task(self._server.serve(sockets=[listening])))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, and let every session end."""
        self._stop.set()
        if self._server is not None:
            self._server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def addresses(self, servers: Mapping[str, Server[Any]], run: str) -> dict[str, str]:
        """The address of every server for one run."""
        for server in servers.values():
            if id(server) not in self._apps:
                await self._mount(server)
        return {name: f"http://127.0.0.1:{self.port}/{id(server)}/{run}/mcp" for name, server in servers.items()}

    async def _mount(self, server: Server[Any]) -> None:
        self._apps[id(server)] = server.streamable_http_app(stateless_http=True, json_response=True)
        ready = asyncio.Event()

        async def keep() -> None:
            # Entered and left by the same task, as its groups of tasks ask for.
            async with server.session_manager.run():
                ready.set()
                await self._stop.wait()

        self._tasks.append(asyncio.create_task(keep()))
        await ready.wait()

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        number, _, rest = str(scope["path"]).lstrip("/").partition("/")
        app = self._apps.get(int(number)) if number.isdigit() else None
        if app is None or not rest.endswith("/mcp"):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app({**scope, "path": "/mcp", "raw_path": b"/mcp", RUN_SCOPE: rest.removesuffix("/mcp")}, receive, send)
