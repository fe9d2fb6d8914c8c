"""Kinds of worlds in which something breaks without a version."""

import random
from collections.abc import Callable
from dataclasses import replace

from support.worlds.healthy import Fields, fleet, innocents
from support.worlds.model import MODEL, TOOL, Cause, Change, Effect, Fault, State
from support.worlds.parts import EFFECTS, evaluated, of_place, onset, size_of
from support.worlds.systems import entity_of, runs


def slow_machine(rng: random.Random, fields: Fields) -> Fields:
    at = onset(rng, fields)
    fields["changes"] = innocents(rng, fields, at=at)
    return of_place(fields, Fault(Effect.MACHINE_SLOW, "", size_of(rng, Effect.MACHINE_SLOW), at), Cause(at))


def outage(rng: random.Random, fields: Fields) -> Fields:
    at, name = onset(rng, fields), entity_of(rng, fields, TOOL)
    effect = rng.choice(EFFECTS[TOOL])
    if rng.random() < 0.5:
        fields["changes"] = tuple(c for c in innocents(rng, fields) if c.entity != name)
    return of_place(fields, Fault(effect, name, size_of(rng, effect), at), Cause(at, tool=name))


def among_deployments(rng: random.Random, fields: Fields, count: int = 12, least: float = 0.5) -> Fields:
    """One version after the other, of the tool itself too; the outage comes between two."""
    name = entity_of(rng, fields, TOOL)
    old, steps = runs(fields, TOOL, name), []
    at = fields["seconds"] * rng.uniform(0.3, 0.6)
    borders = sorted(rng.uniform(5, fields["seconds"] - 5) for _ in range(count))
    for number, border in enumerate(borders):
        if abs(border - at) > (4 if count < 50 else 0.3):
            steps.append(Change(TOOL, name, old, f"9.{number}.{rng.randint(0, 9)}", border))
            old = steps[-1].new
    fields["changes"] = (*steps, *(fleet(rng, fields, 8) if count < 50 else ()))
    fault = Fault(Effect.TOOL_FAILS, name, rng.uniform(least, 0.9), at)
    return of_place(fields, fault, Cause(at, tool=name))


def one_user(rng: random.Random, fields: Fields) -> Fields:
    """A tool that only one of its two agents cannot use any more."""
    at, name = onset(rng, fields), fields["agents"][0].tools[0]
    second = fields["agents"][1]
    fields["agents"] = (
        fields["agents"][0],
        replace(second, tools=tuple(dict.fromkeys((name, *second.tools)))),
        *fields["agents"][2:],
    )
    user = rng.choice(fields["agents"][:2]).name
    fault = Fault(Effect.TOOL_FAILS, name, rng.uniform(0.4, 0.9), at, user=user)
    return of_place(fields, fault, Cause(at, tool=name, agent=user))


def provider(rng: random.Random, fields: Fields, *, everywhere: bool = False) -> Fields:
    at, name = onset(rng, fields), "" if everywhere else entity_of(rng, fields, MODEL)
    effect = rng.choice((Effect.MODEL_FAILS, Effect.MODEL_SLOW))
    if rng.random() < 0.5:
        fields["changes"] = tuple(c for c in innocents(rng, fields) if c.entity != name)
    return of_place(fields, Fault(effect, name, size_of(rng, effect), at), Cause(at, agent=name))


def drift(effect: Effect) -> Callable[[random.Random, Fields], Fields]:
    def draw(rng: random.Random, fields: Fields) -> Fields:
        at = onset(rng, fields)
        if effect is Effect.NEW_TYPES:
            evaluated(fields, "")
            fields["types"] = ("question", "order")
        size = size_of(rng, effect) if effect is Effect.TOKENS else rng.uniform(0.3, 0.7)
        told = None if effect is Effect.TASK_FAILS else True
        return of_place(fields, Fault(effect, "", size, at), Cause(at, drift=told))

    return draw


def cost(rng: random.Random, fields: Fields) -> Fields:
    at, name = onset(rng, fields), entity_of(rng, fields, MODEL)
    effect = rng.choice((Effect.TOKENS, Effect.MODEL_DEAR))
    return of_place(fields, Fault(effect, name, size_of(rng, effect), at), Cause(at, agent=name))


def short(rng: random.Random, fields: Fields) -> Fields:
    at, name = fields["seconds"] * rng.uniform(0.3, 0.5), entity_of(rng, fields, TOOL)
    fault = Fault(Effect.TOOL_FAILS, name, rng.uniform(0.5, 0.95), at, until=at + rng.uniform(25, 60))
    return of_place(fields, fault, Cause(at, tool=name, state=State.OVER))
