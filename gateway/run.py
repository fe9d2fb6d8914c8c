"""The gateway as a process: policy, switch, servers and the way in, joined and served until SIGTERM."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from agentobs import emit
from agentobs import pins as pins_of_releases
from agentobs.errors import AgentobsError
from agentobs.guard.ledger import Ledger
from agentobs.guard.release import ReleaseSwitch, Switches
from agentobs.guard.switch import FileSwitch, Stopped
from gateway.calls import Gate
from gateway.figures import Figures
from gateway.identity import Identify
from gateway.pins import Pins
from gateway.pins import load as load_pins
from gateway.policy import PolicyFile
from gateway.raw import Listing
from gateway.serve import Application
from gateway.tape import Recorder, Replayed
from gateway.tape import load as load_tape
from gateway.telemetry import Teller
from gateway.upstream import Upstream

_RELOAD_S: Final = 1.0
_DRAIN_S: Final = 30
_LEAVE_S: Final = 1
_MOST_AT_ONCE: Final = 2000  # requests; more are answered 503

_log = logging.getLogger(__name__)


class GatewayError(AgentobsError):
    """A gateway that cannot run; the message names what is wrong and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one gateway process runs. Without an `endpoint` it emits nothing.

    `enforce` blocks tools that drifted, and what costs money while the ledger cannot be used.
    """

    policy: Path
    host: str
    port: int
    folder: Path
    switch: Path | None = None
    releases: bool = False
    ledger: Path | None = None
    record: Path | None = None
    replay: Path | None = None
    environment: str = "local"
    enforce: bool = True
    endpoint: str | None = None
    version: str = "0.1.0"


def serve(settings: Settings, identify: Identify) -> None:
    """Serve until SIGTERM: no new calls, half a minute for those that run, then they are cancelled.

    Raises PolicyError before anything is served.
    """
    policy = PolicyFile(settings.policy)
    application = assemble(policy, settings, identify)
    telemetry = _telemetry(settings)
    logging.getLogger("mcp").setLevel(logging.ERROR)  # it warns of each request that it refuses
    config = uvicorn.Config(
        application.starlette(),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_LEAVE_S,
    )
    # uvicorn ends well and raises the signal once more, which would end us before the telemetry is sent.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    recorder = application.gate.recorder
    try:
        _Server(config, application).run(sockets=[_socket(settings.host, settings.port)])
    finally:
        if recorder:
            recorder.close()
        if telemetry:
            telemetry.shutdown()


class _Server(uvicorn.Server):
    """Ends when the answers are out: uvicorn's own end cuts some streams at once, and waits for others in vain."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Remember the loop, which a signal's handler does not know."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Refuse new calls, wait for those that run; at the second signal end at once."""
        if self._application.draining or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._application.draining = True
        self._loop.call_soon_threadsafe(self._begin_drain, sig)

    def _begin_drain(self, sig: int) -> None:
        self._drain = asyncio.create_task(self._drained(sig), name="drain")

    async def _drained(self, sig: int) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._application.idle.wait(), _DRAIN_S)
        super().handle_exit(sig, None)


def assemble(policy: PolicyFile, settings: Settings, identify: Identify) -> Application:
    """The application of a policy. Raises PolicyError for a missing credential, PinError, TapeError."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    document = policy.document
    teller = Teller()
    reviewed = load_pins(policy.path.parent / document.pins) if document.pins else None
    pins = Pins(reviewed, enforce=settings.enforce, told=teller.drifted)
    teller.version_of = lambda server, _tool: pins.versions.get(server, "")

    recorder = Recorder(settings.record) if settings.record else None

    def listed(upstream: Upstream, listing: Listing) -> None:
        pins.listed(upstream.name, upstream.server.version, listing)
        if recorder:
            recorder.listed(upstream.name, listing)

    tape = load_tape(settings.replay) if settings.replay else None
    upstreams: dict[str, Upstream] = {
        name: Upstream(name, server, output=settings.folder / f"{name}.output.txt", on_listing=listed)
        if tape is None
        else Replayed(name, server, on_listing=listed, player=tape)
        for name, server in document.servers.items()
    }
    held = pins_of_releases.configure(environment=settings.environment) if settings.releases else None
    switch = Switches(
        FileSwitch(settings.switch) if settings.switch else Stopped(),
        ReleaseSwitch(held, closed=settings.enforce) if held else Stopped(),
    )
    gate = Gate(
        document=lambda: policy.document,
        upstreams=upstreams,
        switch=switch,
        drift=pins.drift,
        teller=teller,
        ledger=Ledger(settings.ledger) if settings.ledger else None,
        closed=settings.enforce,
        recorder=recorder,
    )
    figures = Figures(gate, policy, pins)
    return Application(gate, identify, beside=lambda: _reloading(policy), figures=figures.text)


@asynccontextmanager
async def _reloading(policy: PolicyFile) -> AsyncIterator[None]:
    task = asyncio.create_task(_reload(policy), name="policy")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _reload(policy: PolicyFile) -> None:
    servers, told = policy.document.servers, ""
    while True:
        await asyncio.sleep(_RELOAD_S)
        if policy.reload():
            _log.warning("policy %s is read anew", policy.path)
            if policy.document.servers != servers:
                _log.warning("servers changed; the gateway connects to them when it is started again")
        if policy.fault and policy.fault != told:
            _log.error("the last good policy stays: %s", policy.fault)
        told = policy.fault


def _telemetry(settings: Settings) -> emit.Telemetry | None:
    if settings.endpoint is None:
        return None
    return emit.configure(
        service="agentobs-gateway",
        version=settings.version,
        environment=settings.environment,
        endpoint=settings.endpoint,
    )


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise GatewayError(f"{host}:{port} cannot be taken: {error.strerror}; fix: --port with another") from None
    return taken
