"""Kinds of worlds in which something is new, and fails from its first call or works well."""

import random
from collections.abc import Callable
from dataclasses import replace

from support.worlds.healthy import Fields, innocents
from support.worlds.model import MODEL, NAMED, PROMPT, Cause, Change, Effect, Fault, Tool, Truth
from support.worlds.parts import broken, cause_of, evaluated, of_place, onset
from support.worlds.systems import entity_of, runs, version

_FAILS = (0.35, 0.95)


def _beside(rng: random.Random, fields: Fields, at: float) -> Fields:
    """Half of the time other versions come at the same moment: with a new tool mostly a prompt that calls it."""
    return {**fields, "changes": innocents(rng, fields, at=at) if rng.random() < 0.5 else ()}


def _with_tool(fields: Fields, made: Tool, callers: tuple[str, ...]) -> Fields:
    agents = tuple(
        replace(agent, tools=(*agent.tools, made.name)) if agent.name in callers else agent
        for agent in fields["agents"]
    )
    return {**fields, "tools": (*fields["tools"], made), "agents": agents}


def tool(rng: random.Random, fields: Fields) -> Fields:
    """One agent starts to call a tool that nobody called before."""
    at = onset(rng, fields)
    fields = _beside(rng, fields, at)
    made = replace(rng.choice(fields["tools"]), name="brand.new", version=version(rng), comes=at)
    fields = _with_tool(fields, made, (rng.choice(fields["agents"]).name,))
    effect = rng.choice((Effect.TOOL_FAILS, Effect.TOOL_TIMES_OUT))
    return of_place(fields, Fault(effect, made.name, rng.uniform(*_FAILS), at), Cause(at, tool=made.name, new=True))


def _renamed_tool(rng: random.Random, fields: Fields, at: float) -> tuple[Fields, str]:
    old = rng.choice(fields["tools"])
    made = replace(old, name=f"{old.name}.v2", version=version(rng), comes=at)
    tools = tuple(replace(one, goes=at) if one is old else one for one in fields["tools"])
    callers = tuple(agent.name for agent in fields["agents"] if old.name in agent.tools)
    return _with_tool({**fields, "tools": tools}, made, callers), made.name


def renamed_tool(rng: random.Random, fields: Fields) -> Fields:
    """A tool goes and one of another name comes in its place."""
    at = onset(rng, fields)
    fields, name = _renamed_tool(rng, _beside(rng, fields, at), at)
    fault = Fault(Effect.TOOL_FAILS, name, rng.uniform(*_FAILS), at)
    return of_place(fields, fault, Cause(at, tool=name, new=True))


def agent(rng: random.Random, fields: Fields) -> Fields:
    """An agent more in every task."""
    at = onset(rng, fields)
    fields = _beside(rng, fields, at)
    made = replace(rng.choice(fields["agents"]), name="brand-new", prompt=version(rng), comes=at)
    fields = {**fields, "agents": (*fields["agents"], made)}
    effect = rng.choice((Effect.AGENT_FAILS, Effect.MODEL_FAILS))
    return of_place(fields, Fault(effect, made.name, rng.uniform(*_FAILS), at), Cause(at, agent=made.name, new=True))


def _renamed_prompt(rng: random.Random, fields: Fields, at: float) -> Change:
    name = entity_of(rng, fields, PROMPT)
    return Change(PROMPT, name, runs(fields, PROMPT, name), f"{name}-next{NAMED}{version(rng)}", at)


def renamed_prompt(rng: random.Random, fields: Fields) -> Fields:
    """An agent gets a prompt of another name, in its first version."""
    change = _renamed_prompt(rng, fields, onset(rng, fields))
    made = broken(rng, fields, rng.choice((Effect.BAD_ANSWERS, Effect.AGENT_FAILS)), change)
    cause = replace(cause_of(change), version=change.new.rpartition(NAMED)[2], previous=f"{change.entity} {change.old}")
    return {**made, "truth": Truth((cause,))}


def model(rng: random.Random, fields: Fields) -> Fields:
    """An agent that worked by rules gets a model."""
    at, name = onset(rng, fields), entity_of(rng, fields, MODEL)
    evaluated(fields, "")
    fields = {**fields, "agents": tuple(replace(a, thinks=at) if a.name == name else a for a in fields["agents"])}
    cause = Cause(at, MODEL, name, runs(fields, MODEL, name), "none")
    return of_place(fields, Fault(Effect.MODEL_FAILS, name, rng.uniform(*_FAILS), at), cause)


def healthy(rng: random.Random, fields: Fields) -> Fields:
    """A tool and a prompt of new names, as good as what they replace."""
    at = fields["seconds"] * rng.uniform(0.2, 0.8)
    fields, _ = _renamed_tool(rng, fields, at)
    return {**fields, "changes": (_renamed_prompt(rng, fields, at if rng.random() < 0.5 else at / 2),)}


KINDS: dict[str, Callable[[random.Random, Fields], Fields]] = {
    "new tool fails": tool,
    "renamed tool fails": renamed_tool,
    "new agent fails": agent,
    "prompt of a new name fails": renamed_prompt,
    "first model fails": model,
}
