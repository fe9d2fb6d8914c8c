"""Put all cases to a system, several at a time: a run that breaks or hangs is a result, and the others go on."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mcp.server import Server

from delivery.golden import criteria, egress, replay
from delivery.golden.dataset import Case, Dataset
from delivery.golden.matching import Player
from delivery.golden.observed import Observation, observe
from delivery.golden.results import Result
from delivery.golden.systems import CaseRun, Reply, System

_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How cases are run. `vary_seed`: every run has its own seed; otherwise runs of a case are alike.

    `online` lets the system open connections to other machines.
    """

    jobs: int = 8
    limit_s: float = 60.0
    vary_seed: bool = False
    online: bool = False


@dataclass(slots=True)
class Runner:
    """Runs cases of one dataset against one system, which is entered already."""

    dataset: Dataset
    system: System
    settings: Settings = field(default_factory=Settings)
    keep: Callable[[Result], None] = lambda _: None
    _players: dict[str, Player] = field(default_factory=dict)
    _servers: dict[str, Server[Any]] = field(default_factory=dict)

    async def play(self, cases: Iterable[Case], runs: Iterable[int], done: Collection[Result] = ()) -> list[Result]:
        """All results, those that are done already among them, in the order of cases and runs."""
        finished = {(result.case, result.run): result for result in done}
        wanted = [(case, run) for run in runs for case in cases]
        places = asyncio.Semaphore(self.settings.jobs)

        async def one(case: Case, run: int) -> Result:
            async with places:
                result = await self.once(case, run)
                self.keep(result)
                return result

        offline: AbstractContextManager[None] = nullcontext() if self.settings.online else egress.closed()
        with offline:
            new = [one(case, run) for case, run in wanted if (case.example.id, run) not in finished]
            for result in await asyncio.gather(*new):
                finished[result.case, result.run] = result
        return [finished[case.example.id, run] for case, run in wanted]

    async def once(self, case: Case, run: int) -> Result:
        """One run; one that raised or sent no telemetry is tried again, for that may be the machine's doing."""
        tries = 0
        while True:
            tries += 1
            began = time.monotonic()
            player = self._player(case)
            given = self._given(case, run, player)
            if player is not None:
                self._players[given.key] = player
            try:
                reply = await self.system.run(given, player, self.settings.limit_s)
            finally:
                self._players.pop(given.key, None)
            seen = _seen(reply, player, 1000 * (time.monotonic() - began))
            if not (reply.again or seen.invalid.startswith("no telemetry")) or tries == _TRIES:
                return Result.of(case.example.id, run, seen, criteria.score(case.example, seen), tries)

    def _player(self, case: Case) -> Player | None:
        if case.example.tape is None:
            return None
        tape = self.dataset.tapes[case.example.tape]
        return Player(tape, {name: self.dataset.surfaces[digest] for name, digest in tape.servers.items()})

    def _given(self, case: Case, run: int, player: Player | None) -> CaseRun:
        frozen = case.example.context
        return CaseRun(
            case=case.example.id,
            run=run,
            input=case.example.input,
            seed=frozen.seed + run if self.settings.vary_seed else frozen.seed,
            now=frozen.now,
            task_type=frozen.task_type,
            servers=self._of(player.tape.servers) if player else {},
        )

    def _of(self, servers: Mapping[str, str]) -> dict[str, Server[Any]]:
        for digest in servers.values():
            if digest not in self._servers:
                self._servers[digest] = replay.server(self.dataset.surfaces[digest], self._players)
        return {name: self._servers[digest] for name, digest in servers.items()}


def _seen(reply: Reply, player: Player | None, ms: float) -> Observation:
    """What a run did. A call that no tape answers is the first thing to say: what came after it is its doing."""
    invalid = str(player.misses[0]) if player and player.misses else reply.invalid
    asked = player.asked if player else ()
    seen = observe(reply.spans, reply.events, answer=reply.answer, invalid=invalid, asked=asked, ms=ms)
    notes = [*player.drift, *(f"recorded, not called: {name}" for name in player.unused())] if player else []
    if reply.missing:
        notes.append("some spans came too late to be counted")
    return replace(seen, notes=tuple(notes))
