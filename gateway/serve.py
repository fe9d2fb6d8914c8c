"""The way in: one MCP endpoint per tool server, `/mcp/<server>`, in both eras of the protocol.

Only tools are passed on. Never `json_response`: with it the SDK does not notice that a caller has left.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import mcp_types
from mcp import MCPError
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.dispatcher import ProgressFnT
from opentelemetry import context, propagate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from agentobs.guard.codes import RefusedError
from agentobs.guard.decide import Call
from gateway.calls import Gate
from gateway.identity import Caller, Identify, IdentityError, agent_of
from gateway.upstream import Upstream, ended

_SESSIONS: Final = 2000
_IDLE_S: Final = 300.0
_LIST_TTL_MS: Final = 5000
_AGAIN_S: Final = 5
_COMPLETE: Final = {"resultType": "complete"}  # what the new era demands of every result, and an old server leaves out
_CALLER: Final = "agentobs.caller"
# What a caller says of its own connection is not for the server behind; trace context is written anew.
_OWN_META: Final = ("progressToken", "progress_token", "traceparent", "tracestate", "baggage")
_OWN_PREFIX: Final = "io.modelcontextprotocol/"


@dataclass(slots=True)
class Endpoint:
    """One tool server's endpoint."""

    upstream: Upstream
    gate: Gate
    sessions: StreamableHTTPSessionManager = field(init=False)

    def __post_init__(self) -> None:
        """A server of the SDK whose two handlers ask the gate."""
        name = self.upstream.name
        server: Server[Any] = Server(
            name,
            version=self.upstream.server.version or "",
            on_list_tools=self._list,  # type: ignore[arg-type]  # raw, so that nothing of a definition is lost
            on_call_tool=self._call,  # type: ignore[arg-type]
            cache_hints={"tools/list": CacheHint(ttl_ms=_LIST_TTL_MS, scope="private")},
            get_tool_input_schema=self._schema,
        )
        server.middleware.append(_with_baggage)
        self.sessions = StreamableHTTPSessionManager(
            server,
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            session_idle_timeout=_IDLE_S,
            max_sessions=_SESSIONS,
        )

    async def _list(self, ctx: ServerRequestContext[Any], _params: object) -> dict[str, Any]:
        caller = _caller(ctx)
        agent = agent_of(caller, context.get_current())
        return _COMPLETE | {"tools": [dict(tool) for tool in self.gate.visible(self.upstream.name, agent, caller)]}

    async def _call(self, ctx: ServerRequestContext[Any], params: mcp_types.CallToolRequestParams) -> dict[str, Any]:
        caller = _caller(ctx)
        call = Call(agent_of(caller, context.get_current()), self.upstream.name, params.name, params.arguments or {})
        try:
            return _COMPLETE | await self.gate.call(call, caller, _outgoing(ctx.params or {}), _progress(ctx))
        except RefusedError as error:
            refusal = error.refusal
            raise MCPError(int(refusal.code), refusal.message, refusal.data() or None) from None

    def _schema(self, name: str) -> Mapping[str, Any] | None:
        found = next((tool for tool in self.upstream.listing.tools if tool.get("name") == name), {})
        return found.get("inputSchema")


async def _with_baggage(ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
    """The caller's baggage for all that happens inside: the SDK takes its trace and leaves that out."""
    carried = propagate.extract(dict(ctx.meta or {}), context.get_current())
    inside = context.get_current()
    for key, value in _baggage(carried).items():
        inside = context.set_value(key, value, inside)
    token = context.attach(inside)
    try:
        return await call_next(ctx)
    finally:
        with contextlib.suppress(ValueError):
            token.var.reset(token)


def _baggage(carried: context.Context) -> dict[str, Any]:
    return {key: value for key, value in carried.items() if key.startswith("baggage")}


def _caller(ctx: ServerRequestContext[Any]) -> Caller:
    request = ctx.request
    found = request.scope.get(_CALLER) if isinstance(request, Request) else None
    return found if isinstance(found, Caller) else Caller(frozenset(), "nobody")


def _outgoing(params: Mapping[str, Any]) -> dict[str, Any]:
    meta = {
        key: value
        for key, value in (params.get("_meta") or {}).items()
        if key not in _OWN_META and not key.startswith(_OWN_PREFIX)
    }
    rest = {key: value for key, value in params.items() if key != "_meta"}
    return {**rest, "_meta": meta} if meta else rest


def _progress(ctx: ServerRequestContext[Any]) -> ProgressFnT | None:
    if not ctx.meta or ctx.meta.get("progress_token") is None:
        return None

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        await ctx.session.report_progress(progress, total, message)

    return tell


@dataclass(slots=True)
class Application:
    """The ASGI application: who calls, then the endpoint of the server that is asked for."""

    gate: Gate
    identify: Identify
    beside: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext
    figures: Callable[[], str] = lambda: ""
    draining: bool = False
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    _answering: int = 0
    endpoints: dict[str, Endpoint] = field(init=False)

    def __post_init__(self) -> None:
        """One endpoint per server of the policy."""
        self.idle.set()
        self.endpoints = {name: Endpoint(one, self.gate) for name, one in self.gate.upstreams.items()}

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count one request until its answer is out; `idle` is set while there is none."""
        self._answering += 1
        self.idle.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self.idle.set()

    def starlette(self) -> Starlette:
        """The application with its routes; servers are connected while it runs."""
        return Starlette(
            routes=[
                Route("/live", _live),
                Route("/ready", self._ready),
                Route("/metrics", self._metrics),
                Route("/mcp/{server}", _Mcp(self)),
            ],
            lifespan=self._lifespan,
        )

    async def _ready(self, _request: Request) -> Response:
        found = {name: one.fault or "connected" for name, one in self.gate.upstreams.items()}
        return JSONResponse({"servers": found})

    async def _metrics(self, _request: Request) -> Response:
        return PlainTextResponse(self.figures(), media_type="text/plain; version=0.0.4")

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for endpoint in self.endpoints.values():
                await stack.enter_async_context(endpoint.sessions.run())
            tasks = [asyncio.create_task(one.run(), name=f"server-{name}") for name, one in self.gate.upstreams.items()]
            tasks.append(asyncio.create_task(self.gate.watch_kills(), name="kill-switch"))
            try:
                async with self.beside():
                    yield
            finally:
                await ended(tasks)


@dataclass(slots=True)
class _Mcp:
    """An ASGI application, not a function: the SDK answers with streams of its own."""

    application: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if self.application.draining:
            again = {"Retry-After": str(_AGAIN_S)}
            await JSONResponse({"error": "the gateway is stopping"}, 503, headers=again)(scope, receive, send)
            return
        try:
            caller = await self.application.identify(request.headers, request.client.host if request.client else "")
        except IdentityError as error:
            self.application.gate.teller.stranger()
            await _unknown_caller(str(error))(scope, receive, send)
            return
        endpoint = self.application.endpoints.get(scope["path_params"]["server"])
        if endpoint is None:
            await JSONResponse({"error": "no such server"}, 404)(scope, receive, send)
            return
        scope[_CALLER] = caller
        # A session belongs to who opened it; the SDK compares this.
        scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=caller.subject, scopes=[]))
        # A stream that a client only listens to is no request that waits.
        with self.application.answering() if scope["method"] == "POST" else contextlib.nullcontext():
            await endpoint.sessions.asgi_app(scope, receive, send)


async def _live(_request: Request) -> Response:
    return JSONResponse({"live": True})


def _unknown_caller(message: str) -> Response:
    return JSONResponse(
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32010, "message": message}},
        401,
        headers={"WWW-Authenticate": 'Bearer realm="agentobs-gateway"'},
    )
