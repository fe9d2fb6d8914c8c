"""One tool server seen from the gateway: a connection that is kept, mended when it breaks, and asked for its tools.

A server that cannot be reached harms nobody but its own callers. Not here: whether a call may be made (`calls`).
"""

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import mcp_types
from mcp import MCPError, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.dispatcher import ProgressFnT

from agentobs.guard.codes import Code, Policy, Refusal, RefusedError
from agentobs.guard.document import PolicyError, Server
from gateway.raw import Listing, listing_of, raw
from gateway.transport import ContainedTransport

PINNED_FOR_S: Final = 60.0  # how often the definitions are read again
_STARTS_PER_MINUTE: Final = 6
_START_S: Final = 20.0
_AGAIN_S: Final = 8.0  # longer than the SDK takes to end a child that does not want to
_PAUSES_S: Final = (0.2, 1.0, 5.0)
_LARGEST: Final = 16_000_000  # bytes of any answer, whatever a policy says
_OURS: Final = (-32019, -32010)
_LOST: Final = ("Session terminated", "Session not found")
_TOO_LARGE: Final = "byte limit"  # the SDK's words about an event beyond it

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Upstream:
    """A tool server by its entry in the policy. `run` keeps the connection until it is cancelled."""

    name: str
    server: Server
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    output: Path | None = None
    on_listing: Callable[["Upstream", Listing], None] = lambda _upstream, _listing: None
    listing: Listing = field(default_factory=Listing)
    fault: str = "not connected yet"
    starts: int = 0
    _client: Client | None = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _broken: asyncio.Event = field(default_factory=asyncio.Event)
    _stale: asyncio.Event = field(default_factory=asyncio.Event)
    _started: deque[float] = field(default_factory=lambda: deque(maxlen=_STARTS_PER_MINUTE))

    def __post_init__(self) -> None:
        """A credential that is not there is told before the first call fails. Raises PolicyError."""
        if self.server.credential and not self.environ.get(self.server.credential):
            raise PolicyError(
                f"servers.{self.name}.credential: the variable {self.server.credential} is not set; expected the token "
                f"of {self.name} in it"
            )

    @property
    def connected(self) -> bool:
        """Whether a call can be sent now."""
        return self._client is not None

    async def run(self) -> None:
        """Connect, keep, connect again; at most six times a minute."""
        failures = 0
        while True:
            await self._not_too_often()
            began = time.monotonic()
            self._broken.clear()
            try:
                async with self._connection() as client:
                    await self._serve(client)
            except Exception as error:  # noqa: BLE001 one server's trouble is never another's
                self.fault = _words(error)
                _log.warning("tool server %s: %s", self.name, self.fault)
            finally:
                self._client = None
                self._ready.clear()
            failures = 0 if time.monotonic() - began > PINNED_FOR_S else failures + 1
            await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S)) - 1])

    async def ready(self, timeout_s: float = _START_S) -> bool:
        """Wait until the server is connected; False when it is not in time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), timeout_s)
        return self._ready.is_set()

    async def call(self, params: Mapping[str, Any], progress: ProgressFnT | None) -> dict[str, Any]:
        """Call a tool; the result as it came. Raises RefusedError (upstream, size) or the server's own MCPError."""
        client = self._client
        if client is None:
            raise self._failed(self.fault)
        try:
            result = await raw(client, "tools/call", dict(params), progress)
        except MCPError as error:
            raise self._translated(error) from error
        except Exception as error:  # a result that is none, a connection that is just closing
            raise self._failed(f"there is no result of the protocol ({type(error).__name__})") from error
        self.fault = ""
        return result

    async def refresh(self) -> Listing:
        """Ask for the tools anew. Raises RefusedError or MCPError."""
        client = self._client
        if client is None:
            raise self._failed(self.fault)
        await self._list(client)
        return self.listing

    async def _serve(self, client: Client) -> None:
        await self._list(client)
        self._client, self.fault = client, ""
        self._ready.set()
        while not self._broken.is_set():
            self._stale.clear()
            waits = [asyncio.ensure_future(event.wait()) for event in (self._broken, self._stale)]
            try:
                await asyncio.wait(waits, timeout=PINNED_FOR_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            if not self._broken.is_set():
                await self._ask_again(client)

    async def _ask_again(self, client: Client) -> None:
        """One question without an answer ends no connection: others use it. Old definitions are the pins' business."""
        try:
            await self._list(client)
            self.fault = ""
        except MCPError as error:
            self.fault = str(self._translated(error))
        except (TimeoutError, ValueError, RuntimeError) as error:
            self.fault = _words(error)
        if self.fault:
            _log.warning("tool server %s: its tools could not be read: %s", self.name, self.fault)

    async def _list(self, client: Client) -> None:
        async with asyncio.timeout(_START_S):
            self.listing = await listing_of(client)
        self.on_listing(self, self.listing)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Client]:
        self.starts += 1
        async with contextlib.AsyncExitStack() as stack:
            client = Client(await self._transport(stack), mode="auto", cache=None, message_handler=self._heard)
            async with asyncio.timeout(_START_S):
                entered = await stack.enter_async_context(client)
            yield entered

    async def _transport(self, stack: contextlib.AsyncExitStack) -> Any:  # noqa: ANN401 a transport of the SDK
        if self.server.url is None:
            command, *arguments = self.server.command
            output = stack.enter_context((self.output or Path(os.devnull)).open("a", encoding="utf-8"))
            return stdio_client(StdioServerParameters(command=command, args=arguments), errlog=output)
        token = self.environ[self.server.credential] if self.server.credential else ""
        http = httpx2.AsyncClient(
            transport=ContainedTransport(_LARGEST),
            headers={"accept-encoding": "identity"} | ({"authorization": f"Bearer {token}"} if token else {}),
            # The hard limit of each call is the policy's; this is only for what is no call.
            timeout=httpx2.Timeout(_START_S, read=None),
            trust_env=False,
            follow_redirects=False,
        )
        await stack.enter_async_context(http)
        return streamable_http_client(self.server.url, http_client=http, max_sse_event_size=_LARGEST)

    async def _heard(self, message: object) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            self._stale.set()

    async def _not_too_often(self) -> None:
        if len(self._started) == _STARTS_PER_MINUTE:
            await asyncio.sleep(max(0.0, self._started[0] + 60.0 - time.monotonic()))
        self._started.append(time.monotonic())

    def _translated(self, error: MCPError) -> Exception:
        code, message = error.error.code, error.error.message
        if _TOO_LARGE in message or code == Code.TOO_LARGE:
            return RefusedError(Refusal(Policy.SIZE, f"{self.name}: the answer is too large"))
        lost = any(words in message for words in _LOST)
        if code == mcp_types.CONNECTION_CLOSED or lost:
            if self.server.url is None or lost:
                self._client = None
                self._broken.set()
            return self._failed("the server went away")
        # Codes of refusals are ours alone: no server may say that somebody stopped it.
        if code == mcp_types.INTERNAL_ERROR or _OURS[0] <= code <= _OURS[1]:
            return self._failed(message)
        return error

    def _failed(self, what: str) -> RefusedError:
        return RefusedError(Refusal(Policy.UPSTREAM, f"{self.name}: {what}", self.name))


async def listings(servers: Mapping[str, Server], environ: Mapping[str, str] = os.environ) -> dict[str, Listing]:
    """What servers say of themselves now; one that does not answer is left out."""
    upstreams = [Upstream(name, server, environ=environ) for name, server in servers.items()]
    tasks = [asyncio.create_task(one.run()) for one in upstreams]
    try:
        await asyncio.gather(*(one.ready() for one in upstreams))
        return {one.name: one.listing for one in upstreams if one.connected}
    finally:
        await ended(tasks)


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: a client that is just closing turns a cancellation into its own error."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_S)


def _words(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
