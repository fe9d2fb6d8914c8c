"""Kinds of worlds in which nothing broke, though much may happen."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from support.worlds.model import GRAPH, MODEL, PROMPT, TOOL, Change, Effect, Fault, Restart, Slow, Traffic
from support.worlds.systems import changed, entity_of

Fields = dict[str, Any]


def innocents(
    rng: random.Random, fields: Fields, *, besides: Sequence[Change] = (), at: float | None = None
) -> tuple[Change, ...]:
    """One to three version changes that harm nobody, of other entities and not of an agent whose other version is bad.

    Often at the same moment: what then tells them apart is only whose KPIs get worse.
    """
    taken = {change.entity for change in besides}
    moment = besides[0].at if besides else at
    found = []
    for dimension in rng.sample((TOOL, PROMPT, MODEL, GRAPH), rng.choice((1, 1, 2, 3))):
        entity = entity_of(rng, fields, dimension, frozenset(taken))
        if entity in taken:
            continue
        taken.add(entity)
        same = moment is not None and moment > 0 and rng.random() < 0.6
        when = moment if same and moment is not None else fields["seconds"] * rng.uniform(0.15, 0.85)
        found.append(changed(rng, fields, dimension, entity, when, share=rng.choice((1.0, 1.0, 0.25))))
    return tuple(found)


def fleet(rng: random.Random, fields: Fields, count: int) -> tuple[Change, ...]:
    """A new version of nearly everything, one after the other."""
    found: dict[tuple[str, str], Change] = {}
    for _ in range(count):
        dimension = rng.choice((PROMPT, MODEL, GRAPH))
        entity = entity_of(rng, fields, dimension)
        when = fields["seconds"] * rng.uniform(0.1, 0.9)
        found.setdefault((dimension, entity), changed(rng, fields, dimension, entity, when))
    return tuple(found.values())


def _still(_: random.Random, fields: Fields) -> Fields:
    return fields


def _deployments(rng: random.Random, fields: Fields) -> Fields:
    return {**fields, "changes": innocents(rng, fields)}


def _many_deployments(rng: random.Random, fields: Fields) -> Fields:
    return {**fields, "changes": fleet(rng, fields, 10)}


def _bursts(rng: random.Random, fields: Fields) -> Fields:
    """Failures come in bursts of seconds, from the beginning to the end; with a deployment or without."""
    name, at, found = entity_of(rng, fields, TOOL), rng.uniform(0, 40), []
    size, length, pause = rng.uniform(0.2, 0.7), rng.uniform(2, 8), rng.uniform(20, 50)
    while at < fields["seconds"]:
        found.append(Fault(Effect.TOOL_FAILS, name, size, at, until=at + rng.uniform(0.5, 1.5) * length))
        at += length + rng.expovariate(1 / pause)
    changes = innocents(rng, fields) if rng.random() < 0.5 else ()
    return {**fields, "bursts": tuple(found), "changes": changes}


def _slow_calls(rng: random.Random, fields: Fields) -> Fields:
    """One to three calls that run out of time, after ten to sixty seconds."""
    calls = tuple(
        Slow(entity_of(rng, fields, TOOL), fields["seconds"] * rng.uniform(0.3, 0.9), rng.uniform(10, 60))
        for _ in range(rng.randint(1, 3))
    )
    changes = innocents(rng, fields) if rng.random() < 0.5 else ()
    return {**fields, "slow_calls": calls, "changes": changes}


def _traffic(rng: random.Random, fields: Fields) -> Fields:
    """Traffic that grows, falls or swings, as in a day or a week."""
    rate = fields["traffic"].rate
    wave = Traffic(rate, depth=rng.uniform(0.4, 0.8), period=fields["seconds"] * rng.uniform(0.5, 2))
    return {**fields, "traffic": rng.choice((wave, Traffic(rate, ends=rng.choice((0.3, 2.5)))))}


def _restart(rng: random.Random, fields: Fields) -> Fields:
    """The collector restarts once or twice; some agents with it, on a new version."""
    moments = sorted(fields["seconds"] * rng.uniform(0.2, 0.85) for _ in range(rng.choice((1, 1, 2))))
    restarts, last = [], 0.0
    for at in moments:
        if at > last + 20:
            last = at
            restarts.append(Restart(at, rng.uniform(1, 8), renamed=rng.random() < 0.5))
    changes = innocents(rng, fields, at=moments[0]) if rng.random() < 0.3 else ()
    return {**fields, "restarts": tuple(restarts), "changes": changes}


def _come_and_go(rng: random.Random, fields: Fields) -> Fields:
    """An agent is replaced by another one, of another name and just as good."""
    agents, at = list(fields["agents"]), fields["seconds"] * rng.uniform(0.3, 0.7)
    leaves = rng.randrange(len(agents))
    successor = replace(agents[leaves], name=agents[leaves].name + "-2", comes=at)
    agents[leaves : leaves + 1] = [replace(agents[leaves], goes=at), successor]
    return {**fields, "agents": tuple(agents)}


HEALTHY: Final[dict[str, Callable[[random.Random, Fields], Fields]]] = {
    "healthy": _still,
    "healthy, deployments": _deployments,
    "healthy, many deployments": _many_deployments,
    "healthy, bursts of errors": _bursts,
    "healthy, a few very slow calls": _slow_calls,
    "healthy, traffic changes": _traffic,
    "healthy, restarts": _restart,
    "healthy, agents come and go": _come_and_go,
}
