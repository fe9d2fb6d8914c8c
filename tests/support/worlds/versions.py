"""Kinds of worlds in which a version is bad, alone or with something else."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from support.worlds.healthy import Fields
from support.worlds.model import MODEL, PROMPT, TOOL, Cause, Effect, Fault, State, Traffic, Truth
from support.worlds.parts import EFFECTS, broken, cause_of, evaluated, known, of_place, onset, size_of
from support.worlds.systems import changed, entity_of


def version(dimension: str, *effects: Effect, **options: Any) -> Callable[[random.Random, Fields], Fields]:
    """A bad version of a dimension; a canary with a share from `low` to `high`."""

    def draw(rng: random.Random, fields: Fields) -> Fields:
        low, high = options.get("share", (1.0, 1.0))
        entity = entity_of(rng, fields, dimension)
        change = changed(rng, fields, dimension, entity, onset(rng, fields), share=rng.uniform(low, high))
        return broken(rng, fields, rng.choice(effects or EFFECTS[dimension]), change)

    return draw


def only_tasks(rng: random.Random, fields: Fields) -> Fields:
    """A canary of a prompt whose work is useless, which only the outcome of the tasks shows."""
    entity = entity_of(rng, fields, PROMPT)
    change = changed(rng, fields, PROMPT, entity, onset(rng, fields), share=rng.uniform(0.2, 0.5))
    made = broken(rng, fields, Effect.TASK_FAILS, change)
    return {**made, "faults": (replace(made["faults"][0], entity="", size=rng.uniform(0.3, 0.7)),)}


def from_the_start(rng: random.Random, fields: Fields) -> Fields:
    dimension = rng.choice((TOOL, PROMPT, MODEL))
    entity = entity_of(rng, fields, dimension)
    change = changed(rng, fields, dimension, entity, 0.0, share=rng.uniform(0.25, 0.6), tracked=rng.random() < 0.3)
    return broken(rng, fields, rng.choice(EFFECTS[dimension]), change)


def two(rng: random.Random, fields: Fields) -> Fields:
    at, besides = onset(rng, fields), set[str]()
    for number in range(2):
        dimension = rng.choice((TOOL, PROMPT, MODEL))
        entity = entity_of(rng, fields, dimension, frozenset(besides))
        besides.add(entity)
        later = at if number == 0 or rng.random() < 0.5 else at + rng.uniform(15, 60)
        change = changed(rng, fields, dimension, entity, later)
        effect = rng.choice(EFFECTS[dimension])
        size = size_of(rng, effect)
        if effect is Effect.BAD_ANSWERS:
            evaluated(fields, entity)
        fields["changes"] = (*fields.get("changes", ()), change)
        fields["faults"] = (*fields.get("faults", ()), Fault(effect, entity, size, later, change))
        fields["truth"] = Truth((*known(fields), cause_of(change)))
    return fields


def masked(rng: random.Random, fields: Fields) -> Fields:
    dimension = rng.choice((TOOL, TOOL, PROMPT))
    effect = rng.choice((Effect.TOOL_FAILS,) if dimension == TOOL else (Effect.BAD_ANSWERS, Effect.AGENT_FAILS))
    change = changed(rng, fields, dimension, entity_of(rng, fields, dimension), onset(rng, fields))
    made = broken(rng, fields, effect, change)
    slow = Fault(Effect.MACHINE_SLOW, "", size_of(rng, Effect.MACHINE_SLOW), change.at)
    return {**made, "faults": (*made["faults"], slow), "truth": Truth((*made["truth"].causes, Cause(change.at)))}


def rollback(rng: random.Random, fields: Fields, share: float = 1.0) -> Fields:
    dimension = rng.choice((TOOL, TOOL, PROMPT, MODEL))
    entity = entity_of(rng, fields, dimension)
    at = fields["seconds"] * rng.uniform(0.3, 0.4)
    change = changed(rng, fields, dimension, entity, at, share=share, until=at + rng.uniform(40, 80))
    return broken(rng, fields, rng.choice(EFFECTS[dimension]), change, state=State.OVER)


def fixed(rng: random.Random, fields: Fields) -> Fields:
    made = rollback(rng, fields)
    bad = made["changes"][0]
    while (better := changed(rng, fields, bad.dimension, bad.entity, bad.until)).new == bad.new:
        pass
    return {**made, "changes": (*made["changes"], better)}


def weak(rate: tuple[float, float]) -> Callable[[random.Random, Fields], Fields]:
    def draw(rng: random.Random, fields: Fields) -> Fields:
        fields["traffic"] = Traffic(rng.uniform(*rate))
        dimension = rng.choice((TOOL, PROMPT))
        effect = Effect.TOOL_FAILS if dimension == TOOL else rng.choice((Effect.BAD_ANSWERS, Effect.AGENT_FAILS))
        entity = entity_of(rng, fields, dimension)
        change = changed(rng, fields, dimension, entity, onset(rng, fields))
        before = 0.0
        if effect is not Effect.AGENT_FAILS:
            one = next(one for one in fields["tools" if dimension == TOOL else "agents"] if one.name == entity)
            before = one.fails if dimension == TOOL else one.bad_answers
        made = broken(rng, fields, effect, change, size=before + 0.1)
        return {**made, "truth": replace(made["truth"], weak=True)}

    return draw


def ramp(rng: random.Random, fields: Fields) -> Fields:
    if rng.random() < 0.5:
        change = changed(rng, fields, TOOL, entity_of(rng, fields, TOOL), onset(rng, fields))
        return broken(rng, fields, Effect.TOOL_FAILS, change, size=rng.uniform(0.4, 0.9), ramp=60.0)
    at, name = onset(rng, fields), entity_of(rng, fields, TOOL)
    return of_place(fields, Fault(Effect.TOOL_FAILS, name, rng.uniform(0.4, 0.9), at, ramp=60.0), Cause(at, tool=name))


def same_agent(rng: random.Random, fields: Fields) -> Fields:
    name, at = entity_of(rng, fields, PROMPT), onset(rng, fields)
    evaluated(fields, name)
    both = tuple(changed(rng, fields, dimension, name, at) for dimension in (PROMPT, MODEL))
    effect = rng.choice((Effect.BAD_ANSWERS, Effect.TOKENS))
    fault = Fault(effect, name, size_of(rng, effect), at, both[0])
    return {**fields, "changes": both, "faults": (fault,), "truth": Truth(tuple(map(cause_of, both)), one_of=True)}


def young(rng: random.Random, fields: Fields) -> Fields:
    fields["seconds"] = 3600.0
    fields["traffic"] = Traffic(rng.uniform(1.0, 3.0))
    dimension = rng.choice((TOOL, PROMPT, ""))
    at = 3600.0 - rng.uniform(30, 60)
    if not dimension:
        name = entity_of(rng, fields, TOOL)
        return of_place(fields, Fault(Effect.TOOL_FAILS, name, rng.uniform(0.5, 0.9), at), Cause(at, tool=name))
    change = changed(rng, fields, dimension, entity_of(rng, fields, dimension), at)
    effect = Effect.TOOL_FAILS if dimension == TOOL else Effect.BAD_ANSWERS
    return broken(rng, fields, effect, change, size=rng.uniform(0.5, 0.9))
