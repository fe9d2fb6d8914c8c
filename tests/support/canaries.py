"""Canaries that are made up: tasks of sessions with given shares of bad ones, looked at each 15 s by the real rules."""

import json
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.random import Generator

from alerts.statistics import Outcomes
from delivery.environments.state import WHOLE
from delivery.releases.diff import Change
from delivery.releases.document import Dim, GraphPin, ModelPin, PromptPin, ToolPin
from delivery.rollout import (
    TASKS,
    Action,
    Decision,
    Ledger,
    Plan,
    Reading,
    Sides,
    Tick,
    Watched,
    begin,
    decide,
    from_json,
    to_json,
)

EVERY_S: Final = 15.0
HOURS_4: Final = 960
_PAST: Final = 100_000
_SPREAD: Final = 120


_SHA: Final = "0" * 64


def changed(dimension: Dim, version: str, *, agent: str | None = None, tool: str | None = None) -> Change:
    """Another version than before."""
    pin: PromptPin | ModelPin | ToolPin | GraphPin
    match dimension:
        case Dim.PROMPT:
            pin = PromptPin(name=agent or "prompt", version=version, sha256=_SHA)
        case Dim.MODEL:
            pin = ModelPin(id=version)
        case Dim.TOOL:
            pin = ToolPin(version=version, schema_sha256=_SHA)
        case Dim.GRAPH:
            pin = GraphPin(workflow="support", version=version, sha256=_SHA)
    return Change(dimension=dimension, before=None, after=pin, agent=agent, tool=tool)


def plan(*keys: str, past: float = 0.04, **rest: object) -> Plan:
    """A plan whose guardrails (tasks alone where none is named) had this share of bad events before."""
    watched = {key: Watched(Outcomes(past * _PAST, _PAST)) for key in keys or (TASKS,)}
    fields = {
        "id": "c7",
        "environment": "prod",
        "candidate": "a81e00c4d9f2",
        "stable": "3f9ac1d07b52",
        "began": 1_700_000_000.0,
        "changes": (changed(Dim.PROMPT, "13", agent="executor"),),
        "watched": watched,
        "tasks_per_session": 1.0,
        **rest,
    }
    return Plan(**fields)  # type: ignore[arg-type]


@dataclass(frozen=True)
class World:
    """How many tasks a minute both tracks have together, and which share of them is bad on each.

    `size` tasks belong to one session, of which each has its own share (beta-distributed, correlation `alike`), as
    sessions are: spread over time, always on one track.
    """

    stable: float
    canary: float
    per_minute: float = 60.0
    size: int = 1
    alike: float = 0.0
    drift: float = 0.0
    """Added to both shares, little by little over the time that is played."""


@dataclass(frozen=True)
class Played:
    """How it ended: the last decision, tasks of the canary until then, looks."""

    decision: Decision
    tasks: float
    looks: int
    shares: tuple[int, ...]


def play(world: World, plan_: Plan, rng: Generator, *, share: int = 500, looks: int = HOURS_4) -> Played:
    """Look until something is decided for good, it can be promoted, or time is up; advance where that is decided.

    The first guardrail is the world's; of the others both tracks do what stable does, each by itself.
    """
    state, shares = begin(plan_, share), [share]
    healthy = replace(world, canary=world.stable)
    arrivals = {key: _Arrivals(world if key == TASKS else healthy, rng, looks) for key in plan_.watched}
    decision, look = None, 0
    for look in range(1, looks + 1):
        reading = Reading({key: each.until(look, shares[-1] / WHOLE) for key, each in arrivals.items()})
        found = decide(plan_, state, Tick(elapsed_s=EVERY_S, share=shares[-1], reading=reading), Ledger())
        state, decision = found.state, found.decision
        if decision.action is Action.ADVANCE:
            shares.append(decision.share)
        elif decision.action is not Action.HOLD:
            break
    assert decision is not None
    return Played(decision, arrivals[TASKS].canary, look, tuple(shares))


class _Arrivals:
    """Tasks of both tracks: those of a session come within half an hour of its start."""

    def __init__(self, world: World, rng: Generator, looks: int) -> None:
        self._world, self._rng, self._looks = world, rng, looks
        self._due = np.zeros((looks + _SPREAD + 1, 4))  # bad tasks and tasks of stable, then of the canary
        self._sum = np.zeros(4)

    @property
    def canary(self) -> float:
        """Tasks of the canary so far."""
        return float(self._sum[3])

    def until(self, look: int, share: float) -> Sides:
        """Counts since the beginning; new sessions come to the canary with this share (0 to 1)."""
        for track, (level, part) in enumerate(((self._world.stable, 1 - share), (self._world.canary, share))):
            self._begin(look, 2 * track, level + self._world.drift * look / self._looks, part)
        self._sum += self._due[look]
        return Sides(Outcomes(*self._sum[:2].tolist()), Outcomes(*self._sum[2:].tolist()))

    def _begin(self, look: int, column: int, level: float, part: float) -> None:
        world, rng = self._world, self._rng
        sessions = rng.poisson(world.per_minute * EVERY_S / 60 * part / world.size)
        if world.size == 1:
            self._due[look, column] += rng.binomial(sessions, level)
            self._due[look, column + 1] += sessions
            return
        weight = 1 / world.alike - 1
        own = rng.beta(level * weight, (1 - level) * weight, sessions)
        when = look + rng.integers(0, _SPREAD, (sessions, world.size))
        bad = rng.random((sessions, world.size)) < own[:, None]
        np.add.at(self._due, (when[bad], column), 1)
        np.add.at(self._due, (when, column + 1), 1)


class Story:
    """A canary told look by look: counts are added up, and each look is decided by what is stored of the one before."""

    def __init__(self, plan_: Plan | None = None, *, share: int = 500, ledger: Ledger | None = None) -> None:
        self.plan, self.share, self.ledger = plan_ or plan(), share, ledger or Ledger()
        self.state = begin(self.plan, share)
        self.counts = dict.fromkeys(self.plan.watched, Sides())

    def look(
        self,
        stable: tuple[float, float] = (0, 0),
        canary: tuple[float, float] = (0, 0),
        *,
        elapsed_s: float = EVERY_S,
        missing: tuple[str, ...] = (),
        **others: tuple[tuple[float, float], tuple[float, float]],
    ) -> Decision:
        """Look with so many more bad events and events of all guardrails, or `key=(stable, canary)` of one."""
        for key, known in self.counts.items():
            old, new = others.get(key, (stable, canary))
            self.counts[key] = known + Sides(Outcomes(*old), Outcomes(*new))
        return self.read({key: sides for key, sides in self.counts.items() if key not in missing}, elapsed_s)

    def read(self, counts: dict[str, Sides] | None, elapsed_s: float = EVERY_S) -> Decision:
        """Look at what a store says, or at no answer. What is stored is read back each time."""
        reading = None if counts is None else Reading(counts)
        tick = Tick(elapsed_s=elapsed_s, share=self.share, reading=reading)
        found = decide(self.plan, from_json(json.loads(json.dumps(to_json(self.state)))), tick, self.ledger)
        assert found.state == from_json(to_json(found.state))
        assert (found.state.began, found.state.watched) == (self.plan.began, self.plan.watched)
        self.state = found.state
        return found.decision

    def looks(self, number: int, *args: object, **kwargs: object) -> Decision:
        """Look so often with the same additions; the last decision."""
        for _ in range(number):
            decision = self.look(*args, **kwargs)  # type: ignore[arg-type]
        return decision
