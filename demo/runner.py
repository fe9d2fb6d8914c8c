"""Run a scenario: start tool servers, send requests at a rate, make the change, stop cleanly.

One process's share of a run; several shares together are `workers`. Not here: what a task does (`workflow`).
"""

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentobs import pins as pinning
from agentobs.contract import Outcome
from agentobs.pins import Client
from demo import agents
from demo.scenarios import HEALTHY, SCENARIOS, Conditions, ServerSpec
from demo.servers import Launch, ToolServer
from demo.state import World
from demo.system import SERVICE, ServerName
from demo.truth import Truth
from demo.versions import SERVERS, conditions_of
from demo.workflow import Desk, Ended, conversation_of, handle
from demo.workload import request

_MAX_TRACES: Final = 20
# Together below the five seconds after which people press Ctrl-C again.
_CANCEL_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One run. `rate` is in tasks per second over all workers, 0 for as fast as `concurrency` per worker allows."""

    scenario: str = "healthy"
    tasks: int = 100
    rate: float = 5.0
    seed: int = 1
    endpoint: str | None = None
    environment: str = "local"
    change_at: float = 0.5
    time_scale: float = 1.0
    concurrency: int = 40
    content: bool = False
    worker: int = 0
    workers: int = 1
    managed: str = ""
    """Snapshot file or address of the release controller: what runs is what it says, and `scenario` does not count."""

    @property
    def change_number(self) -> int:
        """Number of the first task after the change."""
        return round(self.tasks * self.change_at)


@dataclass(slots=True, kw_only=True)
class Share:
    """What one worker did. `traces`: (failed, after the change, trace id)."""

    truth: Truth
    outcomes: Counter[str] = field(default_factory=Counter)
    traces: list[tuple[bool, bool, str]] = field(default_factory=list)
    changed_at: float | None = None
    telemetry_lost: int = 0

    def document(self) -> dict[str, Any]:
        """Return the form that goes from a worker to the process that started it."""
        return {
            "counts": self.truth.document(),
            "outcomes": dict(self.outcomes),
            "traces": self.traces,
            "changed_at": self.changed_at,
            "telemetry_lost": self.telemetry_lost,
        }


class Runner:
    """Runs one share. `on_task` is called after each task."""

    def __init__(self, options: Options, on_task: Callable[[Ended], None] | None = None) -> None:
        self._options = options
        self._on_task = on_task
        self._truth = Truth(environment=options.environment, service=SERVICE)
        self.share = Share(truth=self._truth)
        self._deployed: list[ToolServer] = []
        self._standby: dict[tuple[ServerName, str], ToolServer] = {}
        self._client: Client | None = None
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End early: no new tasks, running ones are cancelled, everything is still counted and cleaned up."""
        self._stop.set()

    async def run(self) -> Share:
        """Run to the end or until `stop`. Raises RuntimeError when a tool server cannot be started."""
        self._client = await asyncio.to_thread(_follow, self._options) if self._options.managed else None
        with tempfile.TemporaryDirectory(prefix="agentobs-demo-") as folder:
            launch = self._launch(Path(folder))
            try:
                # What the change brings is started too: a deployment costs its users no time.
                await self._start(launch, self._specs())
                await self._send(self._deploy(HEALTHY))
            finally:
                if self._client is not None:
                    self._client.close()
                await asyncio.gather(*(server.stop() for server in self._deployed))
            for server in self._deployed:
                self._collect(server)
        return self.share

    def _launch(self, folder: Path) -> Launch:
        def started(name: ServerName, version: str) -> None:
            self._truth.process_start(name, version)

        options = self._options
        return Launch(
            folder=folder,
            environment=options.environment,
            endpoint=options.endpoint,
            seed=options.seed * 1000 + options.worker * 100,
            time_scale=options.time_scale,
            on_start=started,
        )

    def _specs(self) -> list[tuple[ServerName, ServerSpec]]:
        """The servers that a run may need; a managed one every version that there is."""
        if self._client is not None:
            return [(name, spec) for name, versions in SERVERS.items() for spec in versions.values()]
        stages = (HEALTHY, SCENARIOS[self._options.scenario].after)
        return [each for conditions in stages for each in conditions.servers.items()]

    async def _start(self, launch: Launch, specs: list[tuple[ServerName, ServerSpec]]) -> None:
        """Start every server once."""
        for name, spec in specs:
            self._standby.setdefault((name, spec.version), ToolServer(name, spec, launch))
        self._deployed = [*self._standby.values()]
        await asyncio.gather(*(server.start() for server in self._deployed))

    def _deploy(self, conditions: Conditions) -> World:
        """Take the servers that the conditions name: a new version is another process, new faults are not."""
        servers = {name: self._standby[name, spec.version] for name, spec in conditions.servers.items()}
        for name, server in servers.items():
            server.set_faults(conditions.servers[name].faults)
        return World(conditions, servers)

    async def _send(self, world: World) -> None:
        options = self._options
        scenario = SCENARIOS[options.scenario]
        desk = Desk(
            agents=agents.build(content=options.content),
            truth=self._truth,
            seed=options.seed,
            time_scale=options.time_scale,
        )
        places = asyncio.Semaphore(options.concurrency)
        running: set[asyncio.Task[None]] = set()
        began = time.monotonic()
        for number in range(options.worker, options.tasks, options.workers):
            if self.share.changed_at is None and number >= options.change_number and scenario.after is not HEALTHY:
                world = self._deploy(scenario.after)
                self.share.changed_at = time.time()
            if await self._wait_for_turn(began, number, places):
                break
            if self._client is not None:
                world = self._managed(desk, number, self._client)
            task = asyncio.create_task(self._one(desk, number, world, places))
            running.add(task)
            task.add_done_callback(running.discard)
        await self._finish(running)

    def _managed(self, desk: Desk, number: int, client: Client) -> World:
        """What the release says for the conversation of a task."""
        pins = client.pins(conversation_of(desk.seed, number))
        conditions = conditions_of(pins)
        servers = {name: self._standby[name, spec.version] for name, spec in conditions.servers.items()}
        return World(conditions, servers, pins)

    async def _wait_for_turn(self, began: float, number: int, places: asyncio.Semaphore) -> bool:
        """Wait for the time and a free place of the next task; True when the run is to stop instead."""
        due = began + number / self._options.rate if self._options.rate else 0.0
        pause = due - time.monotonic()
        if pause > 0:
            await _first(self._stop.wait(), asyncio.sleep(pause))
        if not self._stop.is_set():
            await _first(self._stop.wait(), places.acquire())
        return self._stop.is_set()

    async def _one(self, desk: Desk, number: int, world: World, places: asyncio.Semaphore) -> None:
        changed = self.share.changed_at is not None
        try:
            ended = await handle(desk, request(desk.seed, number, world.conditions), world)
        except asyncio.CancelledError:
            self.share.outcomes[Outcome.CANCELLED] += 1
            raise
        finally:
            places.release()
        self.share.outcomes[ended.outcome] += 1
        self.share.traces.append((ended.outcome is not Outcome.SUCCESS, changed, ended.trace_id))
        if self._on_task is not None:
            self._on_task(ended)

    async def _finish(self, running: set[asyncio.Task[None]]) -> None:
        if not running:
            return
        await _first(self._stop.wait(), asyncio.wait(set(running)))
        left = set(running)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_CANCEL_S)

    def _collect(self, server: ToolServer) -> None:
        for tally in server.tallies:
            served = json.loads(tally.read_text(encoding="utf-8"))
            self._truth.served(server.name, server.version, served["calls"])
            self.share.telemetry_lost += served["telemetry_lost"]


def best_traces(traces: list[tuple[bool, bool, str]]) -> list[str]:
    """Return up to 20 trace ids: failed after the change first, then failed, then the rest."""
    ordered = sorted(traces, key=lambda trace: (not trace[0], not trace[1]))
    return [trace_id for _, _, trace_id in ordered[:_MAX_TRACES]]


def _follow(options: Options) -> Client:
    """Hold the pins of the environment. Raises NoSnapshotError where there is nothing to run."""
    source = {"url": options.managed} if "://" in options.managed else {"file": options.managed}
    client = pinning.configure(environment=options.environment, instance=f"demo-{options.worker}", **source)
    client.wait()
    return client


async def _first(*waits: Any) -> None:  # noqa: ANN401 any awaitables
    """Wait for the first of several; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
