"""One MCP tool server over stdio: the MCP SDK's own server, spans and context propagation.

It ends when its client closes the pipe, so a crashed client leaves no server behind.
"""

import asyncio
import functools
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from opentelemetry import baggage, context, propagate

from agentobs import emit
from agentobs.contract import Attr
from demo.system import ServerName
from demo.tools.catalogue import HINTS, functions_of
from demo.tools.faults import FaultFile
from demo.tools.tally import Call, Tally

_CRASH_EXIT: Final = 70
_HANG_S: Final = 3600.0
_WORK_S: Final = 0.06

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server process runs. Without an `endpoint` it emits nothing."""

    name: ServerName
    version: str
    environment: str
    endpoint: str | None
    faults: Path
    tally: Path
    seed: int
    time_scale: float


def serve(settings: Settings) -> None:
    """Serve until the client closes the pipe, then hand over telemetry and counts."""
    logging.getLogger("mcp").setLevel(logging.WARNING)
    telemetry = _telemetry(settings)
    tally = Tally(settings.tally)
    guard = _CallGuard(tally)
    server = MCPServer(settings.name, version=settings.version, log_level="ERROR", middleware=[guard])
    faults = FaultFile(settings.faults, settings.seed)

    def finish() -> None:
        tally.write(telemetry.shutdown(timeout_s=1.5).total if telemetry else 0)

    def crash() -> None:
        _log.critical("%s %s dies in the middle of a call", settings.name, settings.version)
        finish()
        os._exit(_CRASH_EXIT)

    for name, function in functions_of(settings.name).items():
        tool = _with_faults(function, faults, crash, settings.time_scale)
        server.add_tool(tool, name=name, description=function.__doc__, annotations=HINTS[name], structured_output=False)
    try:
        asyncio.run(server.run_stdio_async())
    finally:
        finish()


class _CallGuard:
    """Innermost server middleware: the caller's baggage for everything inside the call, and the count of the call."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    async def __call__(self, ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
        slices = {key: str(value) for key, value in baggage.get_all(propagate.extract(dict(ctx.meta or {}))).items()}
        # The SDK parents its span by the caller's context but leaves the caller's baggage out of the current one.
        inside = context.get_current()
        for key, value in slices.items():
            inside = baggage.set_baggage(key, value, inside)
        token = context.attach(inside)
        error = ""
        try:
            result = await call_next(ctx)
            error = "tool_error" if isinstance(result, dict) and result.get("isError") is True else ""
        except asyncio.CancelledError:
            # Given up by the client: the SDK would end its span without an error.
            error = "cancelled"
            emit.annotate_error(error)
            raise
        except MCPError as failure:
            error = str(failure.error.code)
            raise
        finally:
            context.detach(token)
            tool = str((ctx.params or {}).get("name", "")) if ctx.method == "tools/call" else ""
            self._tally.served(Call(method=ctx.method, tool=tool, error=error, slices=slices))
        return result


def _telemetry(settings: Settings) -> emit.Telemetry | None:
    if settings.endpoint is None:
        return None
    return emit.configure(
        service=settings.name,
        version=settings.version,
        environment=settings.environment,
        endpoint=settings.endpoint,
        start_attributes={Attr.TOOL_VERSION: settings.version},
    )


def _with_faults(
    function: Callable[..., str], faults: FaultFile, crash: Callable[[], None], time_scale: float
) -> Callable[..., Awaitable[str]]:
    @functools.wraps(function)
    async def tool(**arguments: Any) -> str:  # noqa: ANN401 the wrapped function's signature is what counts
        dies, hangs, fails = faults.next_call()
        if dies:
            crash()
        await asyncio.sleep(_HANG_S if hangs else _WORK_S * time_scale)
        if fails:
            _log.warning("%s failed: backend unavailable", function.__name__)
            raise ToolError("backend unavailable")
        return function(**arguments)

    return tool
