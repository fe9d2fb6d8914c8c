"""What kinds of worlds are made of: when it breaks, how badly, and what is then true."""

import random
from dataclasses import replace
from typing import Any, Final

from support.worlds.healthy import Fields, innocents
from support.worlds.model import GRAPH, MODEL, PROMPT, TOOL, Cause, Change, Effect, Fault, State, Truth

EFFECTS: Final = {
    TOOL: (Effect.TOOL_FAILS, Effect.TOOL_SLOW, Effect.TOOL_TIMES_OUT),
    PROMPT: (Effect.BAD_ANSWERS, Effect.AGENT_FAILS, Effect.TOKENS),
    MODEL: (Effect.MODEL_SLOW, Effect.MODEL_DEAR, Effect.MODEL_FAILS, Effect.BAD_ANSWERS),
    GRAPH: (Effect.LOOPS,),
}
_SIZES: Final = {
    Effect.TOOL_SLOW: (2.5, 6.0), Effect.MODEL_SLOW: (2.0, 5.0), Effect.MODEL_DEAR: (1.8, 5.0),
    Effect.TOKENS: (1.8, 4.0), Effect.LOOPS: (2.2, 4.0),
    Effect.BAD_ANSWERS: (0.3, 0.7), Effect.MACHINE_SLOW: (2.0, 4.0),
}  # fmt: skip
_CHANCE: Final = (0.25, 0.9)


def onset(rng: random.Random, fields: Fields) -> float:
    return float(fields["seconds"]) * rng.uniform(0.3, 0.6)


def size_of(rng: random.Random, effect: Effect) -> float:
    return rng.uniform(*_SIZES.get(effect, _CHANCE))


def evaluated(fields: Fields, name: str) -> None:
    fields["agents"] = tuple(
        replace(agent, evaluated=1.0) if name in {"", agent.name} else agent for agent in fields["agents"]
    )


def cause_of(change: Change, state: State = State.OPEN) -> Cause:
    return Cause(change.at, change.dimension, change.entity, change.new, change.old, state=state)


def broken(
    rng: random.Random, fields: Fields, effect: Effect, change: Change, *, state: State = State.OPEN, **more: Any
) -> Fields:
    """Fields with a bad version, and innocents beside it."""
    entity = "" if change.dimension == GRAPH else change.entity
    if effect is Effect.BAD_ANSWERS:
        evaluated(fields, entity)
    size = more.pop("size", None) or size_of(rng, effect)
    fault = Fault(effect, entity, size, change.at, change, **more)
    beside = innocents(rng, fields, besides=[change]) if rng.random() < 0.5 else ()
    return {
        **fields,
        "changes": (*fields.get("changes", ()), change, *beside),
        "faults": (*fields.get("faults", ()), fault),
        "truth": Truth((*known(fields), cause_of(change, state))),
    }


def known(fields: Fields) -> tuple[Cause, ...]:
    return fields["truth"].causes if "truth" in fields else ()


def of_place(fields: Fields, fault: Fault, cause: Cause) -> Fields:
    return {**fields, "faults": (fault,), "truth": Truth((cause,))}
