"""Recording one case: it is run against live MCP servers, and what they answer becomes its tape.

Whole results are kept: `isError`, `structuredContent`, the server's version in `_meta`.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import mcp_types
from mcp import MCPError
from mcp.client import Client
from mcp.server import Server
from mcp.server.context import ServerRequestContext

from delivery.golden.replay import run_of
from delivery.golden.systems import CaseRun, Reply, System
from delivery.golden.tape import Call, Failure, Surface, Tape, written


@dataclass(slots=True)
class Recorder:
    """The live servers, their surfaces, and the calls of every run that is being recorded."""

    clients: Mapping[str, Client]
    surfaces: dict[str, Surface] = field(default_factory=dict)
    _servers: dict[str, Server[Any]] = field(default_factory=dict)
    _calls: dict[str, list[Call]] = field(default_factory=dict)

    async def begin(self) -> None:
        """Ask every server what it is."""
        for name, client in self.clients.items():
            self.surfaces[name] = await surface_of(name, client)
            self._servers[name] = self._recorded(name)

    async def record(self, system: System, case: CaseRun, limit_s: float) -> tuple[Reply, Tape]:
        """Run one case and keep what the servers answered."""
        given = CaseRun(
            case=case.case, run=case.run, input=case.input, seed=case.seed, now=case.now, task_type=case.task_type,
            servers=self._servers,
        )  # fmt: skip
        self._calls[given.key] = []
        reply = await system.run(given, None, limit_s)
        digests = {name: written(surface)[0] for name, surface in self.surfaces.items()}
        return reply, Tape(servers=digests, calls=tuple(self._calls.pop(given.key)))

    def _recorded(self, name: str) -> Server[Any]:
        surface, client = self.surfaces[name], self.clients[name]

        async def listed(_: ServerRequestContext[Any], __: Any) -> mcp_types.ListToolsResult:  # noqa: ANN401 MCP's hook
            return mcp_types.ListToolsResult(tools=[mcp_types.Tool.model_validate(tool) for tool in surface.tools])

        async def called(
            ctx: ServerRequestContext[Any], params: mcp_types.CallToolRequestParams
        ) -> mcp_types.CallToolResult:
            arguments, began = params.arguments or {}, time.monotonic()

            def keep(**what: Any) -> None:  # noqa: ANN401 of the model's own fields
                ms = round(1000 * (time.monotonic() - began))
                made = Call(server=name, tool=params.name, arguments=arguments, ms=ms, **what)
                self._calls.get(run_of(ctx), []).append(made)

            try:
                result = await client.call_tool(params.name, arguments)
            except MCPError as error:
                keep(error=Failure(code=error.error.code, message=error.error.message, data=error.error.data))
                raise
            keep(result=plain(result))
            return result

        return Server(surface.name, version=surface.version, on_list_tools=listed, on_call_tool=called)


def plain(result: mcp_types.CallToolResult) -> dict[str, Any]:
    """A result as it went over the wire."""
    made: dict[str, Any] = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return made


async def surface_of(name: str, client: Client) -> Surface:
    """What a server says of itself, all pages of its tools."""
    tools: list[mcp_types.Tool] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    info = client.server_info
    return Surface(
        name=name,
        version=info.version if info else "",
        protocol=client.protocol_version or "",
        tools=tuple(tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools),
    )


async def opened(stack: AsyncExitStack, servers: Mapping[str, Any]) -> dict[str, Client]:
    """Clients of servers: an MCP server of this process, a command, or an address."""
    return {name: await stack.enter_async_context(Client(server)) for name, server in servers.items()}


def files_of(tapes: Sequence[Tape], surfaces: Sequence[Surface]) -> dict[str, bytes]:
    """The files of a folder `tapes`, by their names."""
    both: list[Tape | Surface] = [*tapes, *surfaces]
    return dict(map(written, both))
