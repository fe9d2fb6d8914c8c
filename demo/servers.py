"""Tool servers seen from the agents: start, call, notice a crash, restart, stop.

Not here: what a server does with a call (`tools`).
"""

import asyncio
import contextlib
import itertools
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

import mcp_types
from mcp import MCPError, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

from demo.children import python_path
from demo.scenarios import Faults, ServerSpec
from demo.system import TOOL_TIMEOUT_S, ServerName
from demo.tools.faults import write_faults

_RESTART_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)


class ToolCallError(Exception):
    """A tool call that brought no result. `error_type` goes to telemetry; the text is for the model."""

    def __init__(self, error_type: str, text: str) -> None:
        super().__init__(text)
        self.error_type = error_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What every tool server process of a run is started with. `folder` holds fault files and tallies."""

    folder: Path
    environment: str
    endpoint: str | None
    seed: int
    time_scale: float
    on_start: Callable[[ServerName, str], None]


class Tools(Protocol):
    """A tool server as agents see it."""

    version: str
    tools: list[mcp_types.Tool]

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        """Call a tool and return its text. Raises ToolCallError for every way this can fail."""


async def text_of(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    """Call a tool and return its text. Raises ToolCallError where the tool failed, MCPError where the call did."""
    result = await client.call_tool(tool, arguments, read_timeout_seconds=TOOL_TIMEOUT_S)
    text = "".join(part.text for part in result.content if isinstance(part, mcp_types.TextContent))
    if result.is_error:
        raise ToolCallError("tool_error", text)
    return text


@dataclass(slots=True)
class ToolServer:
    """One deployed tool server; restarts its process when it dies."""

    name: ServerName
    spec: ServerSpec
    launch: Launch
    version: str = ""
    tools: list[mcp_types.Tool] = field(default_factory=list)
    tallies: list[Path] = field(default_factory=list)
    _client: Client | None = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _broken: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _keeper: asyncio.Task[None] | None = None
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def start(self) -> None:
        """Start the process and wait until it answers. Raises RuntimeError when it cannot be started at all."""
        write_faults(self._faults, self.spec.faults)
        self._keeper = asyncio.create_task(self._keep(), name=f"keeper-{self.name}")
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._keeper, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            raise RuntimeError(
                f"tool server {self.name} did not start; the end of its output:\n{self._output.read_text()[-2000:]}"
            ) from self._keeper.exception()

    def set_faults(self, faults: Faults) -> None:
        """Change the faults of the running process."""
        write_faults(self._faults, faults)

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        """Call a tool and return its text. Raises ToolCallError for every way this can fail."""
        if self._client is None:
            raise ToolCallError("ConnectionError", f"{self.name} is not running")
        try:
            return await text_of(self._client, tool, arguments)
        except MCPError as error:
            raise self._translated(error) from error

    async def stop(self) -> None:
        """Close the pipe and wait for the process to end."""
        self._stopping = True
        self._broken.set()
        if self._keeper is not None:
            with contextlib.suppress(Exception):
                await self._keeper

    @property
    def _faults(self) -> Path:
        return self.launch.folder / f"{self.name}-{self.spec.version}.faults.json"

    @property
    def _output(self) -> Path:
        return self.launch.folder / f"{self.name}-{self.spec.version}.output.txt"

    def _translated(self, error: MCPError) -> ToolCallError:
        code = error.error.code
        if code == mcp_types.REQUEST_TIMEOUT:
            return ToolCallError("TimeoutError", f"no answer within {TOOL_TIMEOUT_S:g} s")
        if code == mcp_types.CONNECTION_CLOSED:
            self._client = None
            self._broken.set()
            return ToolCallError("ConnectionError", f"{self.name} went away")
        return ToolCallError(str(code), error.error.message)

    async def _keep(self) -> None:
        while not self._stopping:
            self._broken.clear()
            # The server's log lines go out as telemetry; its raw output would only garble the progress display.
            with self._output.open("a", encoding="utf-8") as output:
                await self._serve_once(output)
            if not self._stopping:
                _log.error("tool server %s %s died; it is restarted", self.name, self.version)
                await asyncio.sleep(_RESTART_PAUSE_S)

    async def _serve_once(self, output: TextIO) -> None:
        async with Client(stdio_client(self._parameters(), errlog=output), mode="auto") as client:
            self.tools = (await client.list_tools()).tools
            info = client.server_info
            self.version = info.version if info else self.spec.version
            self._client = client
            self._ready.set()
            self.launch.on_start(self.name, self.version)
            await self._broken.wait()
            self._client = None

    def _parameters(self) -> StdioServerParameters:
        number = next(self._numbers)
        tally = self.launch.folder / f"{self.name}-{self.spec.version}-{number}.tally.json"
        self.tallies.append(tally)
        arguments = [
            *("-m", "demo.tools", self.name, "--version-label", self.spec.version),
            *("--environment", self.launch.environment, "--faults", str(self._faults), "--tally", str(tally)),
            *("--seed", str(self.launch.seed + number), "--time-scale", str(self.launch.time_scale)),
        ]
        if self.launch.endpoint is not None:
            arguments += ["--endpoint", self.launch.endpoint]
        # The SDK hands on next to nothing of our own variables; those of OpenTelemetry hold tokens and certificates.
        telemetry = {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
        env = {"PYTHONPATH": python_path(), **telemetry}
        return StdioServerParameters(command=sys.executable, args=arguments, env=env)
