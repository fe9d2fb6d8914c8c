"""Randomised faults in small made-up agent systems, and what a diagnosis should say about each.

A `Trial` is a system (agents, tools, traffic), one or two faults or none, and version changes that harm nobody; all
drawn from its seed. The truth stays here: an environment's name says nothing. How a trial becomes telemetry: `play`.
"""

import random
from dataclasses import dataclass, field
from typing import Any

AGENTS = ("router", "planner", "executor", "critic")
TOOLS = ("search", "lookup", "refund", "quote", "mailer")
USERS = {"planner": ("search", "lookup"), "executor": ("search", "refund", "quote", "mailer")}
TYPES = ("question", "order", "complaint")
NEW_TYPES = ("legal", "bulk")
SECONDS = 150.0

THIN = "thin canary"
"""Too little traffic to be sure of anything: right is to name the cause, or to say that data do not suffice."""
KINDS = {
    "tool version": 12,
    "prompt version": 12,
    "model version": 10,
    "graph version": 8,
    "tool fault, no version": 8,
    "provider fault, no version": 5,
    "data drift, no version": 7,
    "two at once": 10,
    "same agent, same moment": 5,
    THIN: 4,
    "no fault, changes": 12,
    "no fault, no change": 6,
}
"""How many trials of a kind in a hundred or so."""


@dataclass(frozen=True)
class Change:
    """A version change at `at` (share of the run). `share` of the traffic gets it: below 1 it is a canary."""

    dimension: str
    entity: str
    at: float
    share: float = 1.0
    old: str = "1"
    new: str = "2"


@dataclass(frozen=True)
class Fault:
    """What goes wrong from `at` on: with `change` only for its version, else for everybody at the entity."""

    effect: str
    entity: str
    size: float
    at: float
    change: Change | None = None


@dataclass
class Trial:
    """One environment. `text` is for people who read the table of results; `played` counts its tasks so far."""

    environment: str
    kind: str
    rate: float
    faults: list[Fault]
    innocents: list[Change]
    noise: random.Random
    slow: float = 1.0
    played: int = 0
    base: dict[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        return [*(fault.change for fault in self.faults if fault.change), *self.innocents]

    @property
    def text(self) -> str:
        found = []
        for fault in self.faults:
            of = f"{fault.change.dimension} {fault.change.share:.0%}" if fault.change else "no version"
            found.append(f"{fault.effect} of {fault.entity or 'all'} x{fault.size:.2f} ({of}) at {fault.at:.2f}")
        beside = ", ".join(f"{c.dimension} of {c.entity or 'all'} at {c.at:.2f}" for c in self.innocents)
        return f"{'; '.join(found) or 'nothing'}{f' | innocent: {beside}' if beside else ''} | {self.rate:.1f}/s"


def _tool_fault(rng: random.Random, tool: str, at: float, change: Change | None) -> Fault:
    effect = rng.choice(("tool fails", "tool fails", "tool times out", "tool is slow"))
    size = rng.uniform(2.5, 6) if effect == "tool is slow" else rng.uniform(0.15, 0.6)
    return Fault(effect, tool, size, at, change)


def _agent_fault(rng: random.Random, agent: str, at: float, change: Change) -> Fault:
    if change.dimension == "prompt":
        effects = ("answers are bad", "answers are bad", "tokens grow", "agent fails")
    else:
        effects = ("model is slow", "answers are bad", "model is dear", "model fails")
    effect = rng.choice(effects)
    sizes = {
        "answers are bad": (0.25, 0.6),
        "tokens grow": (1.8, 4),
        "agent fails": (0.15, 0.5),
        "model is slow": (1.8, 5),
        "model is dear": (1.8, 5),
        "model fails": (0.15, 0.5),
    }
    return Fault(effect, agent, rng.uniform(*sizes[effect]), at, change)


def _guilty(rng: random.Random, dimension: str, at: float, besides: str = "") -> Fault:
    share = rng.choice((1.0, 1.0, 0.35))
    if dimension == "tool":
        tool = rng.choice([tool for tool in TOOLS if tool != besides])
        return _tool_fault(rng, tool, at, Change("tool", tool, at, share))
    if dimension == "graph":
        return Fault("loops", "", rng.uniform(2.2, 4), at, Change("graph", "", at, share))
    agent = rng.choice([agent for agent in AGENTS if agent != besides])
    return _agent_fault(rng, agent, at, Change(dimension, agent, at, share))


def _faults(rng: random.Random, kind: str) -> list[Fault]:
    at = rng.uniform(0.3, 0.65)
    match kind:
        case "tool version" | "prompt version" | "model version" | "graph version":
            return [_guilty(rng, kind.split(maxsplit=1)[0], at)]
        case "tool fault, no version":
            return [_tool_fault(rng, rng.choice(TOOLS), at, None)]
        case "provider fault, no version":
            effect, size = rng.choice((("model fails", rng.uniform(0.15, 0.5)), ("model is slow", rng.uniform(2, 5))))
            return [Fault(effect, rng.choice(AGENTS), size, at)]
        case "data drift, no version":
            effect, size = rng.choice((("new types", rng.uniform(0.3, 0.7)), ("inputs grow", rng.uniform(2, 6))))
            return [Fault(effect, "", size, at)]
        case "two at once":
            first = _guilty(rng, rng.choice(("tool", "prompt", "model")), at)
            later = at if rng.random() < 0.5 else at + rng.uniform(0.08, 0.2)
            second = _guilty(rng, rng.choice(("tool", "prompt", "model")), later, besides=first.entity)
            return [first, second]
        case "same agent, same moment":
            agent = rng.choice(AGENTS)
            return [Fault("answers are bad", agent, rng.uniform(0.3, 0.6), at, Change("prompt", agent, at))]
        case "thin canary":
            change = Change("prompt", rng.choice(AGENTS), at, 0.1)
            return [Fault("answers are bad", change.entity, 0.3, at, change)]
        case _:
            return []


def _innocents(rng: random.Random, kind: str, faults: list[Fault]) -> list[Change]:
    if kind == "same agent, same moment":
        return [Change("model", faults[0].entity, faults[0].at)]
    if kind == "no fault, no change" or (faults and rng.random() < 0.35):
        return []
    taken = {(fault.change.dimension, fault.change.entity) for fault in faults if fault.change}
    # What another version of the same agent did at the same moment nobody can tell; that is a kind of its own.
    agents = [agent for agent in AGENTS if agent not in {fault.entity for fault in faults}]
    found = []
    for dimension in rng.sample(("tool", "prompt", "model", "graph"), rng.choice((1, 1, 2, 3))):
        entity = {"tool": rng.choice(TOOLS), "graph": ""}.get(dimension, rng.choice(agents))
        if (dimension, entity) in taken:
            continue
        same = bool(faults) and rng.random() < 0.6
        at = faults[0].at if same else rng.uniform(0.2, 0.8)
        found.append(Change(dimension, entity, at, rng.choice((1.0, 1.0, 0.25))))
    return found


def draw(seed: int, number: int, kind: str) -> Trial:
    """The trial of a seed, a number and a kind."""
    rng = random.Random(f"{seed}/{number}/{kind}")
    faults = _faults(rng, kind)
    return Trial(
        environment=f"t{seed}-{number:03d}",
        kind=kind,
        rate=rng.uniform(1.0, 1.4) if kind == THIN else rng.uniform(1.5, 3.5),
        faults=faults,
        innocents=_innocents(rng, kind, faults),
        noise=random.Random(f"{seed}/{number}/noise"),
        base={
            "tool fails": {tool: rng.uniform(0.005, 0.03) for tool in TOOLS},
            "tool s": {tool: rng.uniform(0.05, 0.8) for tool in TOOLS},
            "model fails": {agent: rng.uniform(0.002, 0.02) for agent in AGENTS},
            "model s": {agent: rng.uniform(0.3, 2.5) for agent in AGENTS},
            "tokens": {agent: rng.uniform(400, 3000) for agent in AGENTS},
            "bad answers": {agent: rng.uniform(0.02, 0.07) for agent in AGENTS},
        },
    )


def draw_all(seed: int, scale: float = 1.0) -> list[Trial]:
    """Trials of every kind, as many as `KINDS` says times `scale`."""
    kinds = [kind for kind, count in KINDS.items() for _ in range(max(1, round(count * scale)))]
    return [draw(seed, number, kind) for number, kind in enumerate(kinds)]
