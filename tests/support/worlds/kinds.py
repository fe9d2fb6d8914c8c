"""All kinds of worlds by name, and one of them drawn from a seed and a number."""

import random
from collections.abc import Callable
from typing import Final

from support.worlds import newcomers, unversioned, versions
from support.worlds.healthy import HEALTHY, Fields
from support.worlds.model import GRAPH, MODEL, PROMPT, TOOL, Effect, Traffic, Truth, World
from support.worlds.systems import system

_CANARY: Final = (0.05, 0.35)
Draw = Callable[[random.Random, Fields], Fields]
FAULTY: Final[dict[str, Draw]] = {
    "tool version fails": versions.version(TOOL, Effect.TOOL_FAILS),
    "tool version slow": versions.version(TOOL, Effect.TOOL_SLOW),
    "tool version times out": versions.version(TOOL, Effect.TOOL_TIMES_OUT),
    "prompt version: bad answers": versions.version(PROMPT, Effect.BAD_ANSWERS),
    "prompt version: agent fails": versions.version(PROMPT, Effect.AGENT_FAILS),
    "prompt version: tokens grow": versions.version(PROMPT, Effect.TOKENS),
    "prompt version: only tasks fail": versions.only_tasks,
    "model version slow": versions.version(MODEL, Effect.MODEL_SLOW),
    "model version dear": versions.version(MODEL, Effect.MODEL_DEAR),
    "model version fails": versions.version(MODEL, Effect.MODEL_FAILS),
    "model version: bad answers": versions.version(MODEL, Effect.BAD_ANSWERS),
    "graph version loops": versions.version(GRAPH),
    "canary of a tool": versions.version(TOOL, share=_CANARY),
    "canary of a prompt": versions.version(PROMPT, share=_CANARY),
    "canary of a model": versions.version(MODEL, share=_CANARY),
    "canary of a graph": versions.version(GRAPH, share=_CANARY),
    "two versions from the start": versions.from_the_start,
    "two at once": versions.two,
    "masked by a slow machine": versions.masked,
    "slow machine": unversioned.slow_machine,
    "rollback": versions.rollback,
    "rollback of a canary": lambda rng, fields: versions.rollback(rng, fields, rng.uniform(0.1, 0.35)),
    "fixed by a later version": versions.fixed,
    "tool outage": unversioned.outage,
    "outage among deployments": unversioned.among_deployments,
    "outage with 100 versions": lambda rng, fields: unversioned.among_deployments(rng, fields, 100),
    "one agent fails with a shared tool": unversioned.one_user,
    "provider fault of one agent": unversioned.provider,
    "provider fault everywhere": lambda rng, fields: unversioned.provider(rng, fields, everywhere=True),
    "drift: new types": unversioned.drift(Effect.NEW_TYPES),
    "drift: larger inputs": unversioned.drift(Effect.TOKENS),
    "only tasks fail": unversioned.drift(Effect.TASK_FAILS),
    "cost without a version": unversioned.cost,
    "weak, low traffic": versions.weak((0.5, 1.0)),
    "weak, high traffic": versions.weak((4.0, 6.0)),
    "ramp": versions.ramp,
    "short outage that is over": unversioned.short,
    "same agent, same moment": versions.same_agent,
    "young fault in a long window": versions.young,
    **newcomers.KINDS,
}
QUIET: Final[dict[str, Draw]] = {**HEALTHY, "healthy, new names": newcomers.healthy}
KINDS: Final[dict[str, Draw]] = {**QUIET, **FAULTY}


def draw(seed: int, number: int, kind: str, seconds: float | None = None) -> World:
    """The world of a seed, a number and a kind; of so many seconds at 0.5 to 3 tasks a second, if asked for."""
    rng = random.Random(f"{seed}/{number}/{kind}")
    fields = system(rng)
    if seconds is not None:
        fields |= {"seconds": seconds, "traffic": Traffic(rng.uniform(0.5, 3.0))}
    fields = KINDS[kind](rng, fields)
    return World(seed=seed, number=number, kind=kind, **{"truth": Truth(), **fields})
