"""Read: first versions of something that nobody ran before: a prompt of a new name, the first model of an agent.

Their agent ran before, so what it did then is what they are compared with.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from agentobs.contract import ABSENT, Label
from alerts.catalogue import AGENT_SUCCESS, DIMENSIONS, MIN_EVENTS, Dimension
from runbooks.why.changes import Entities, VersionChange, entities_of, is_named
from runbooks.why.reading import Reader
from runbooks.why.spans import Numbers, Span
from runbooks.why.stretches import Stretch, cut, is_missed, ran_before

_BY_KEY = {dimension.key: dimension for dimension in DIMENSIONS}


def find(reader: Reader) -> list[VersionChange]:
    """The first version of each prompt whose agent ran another one before, and of each model where it called none."""
    prompt, model = _BY_KEY["prompt"], _BY_KEY["model"]
    return [*_prompts(prompt, entities_of(reader, prompt), reader.span), *_models(model, reader)]


def _prompts(dimension: Dimension, entities: Entities, span: Span) -> Iterator[VersionChange]:
    agents: dict[tuple[str, ...], Entities] = {}
    for entity, versions in entities.items():
        agents.setdefault(entity[:-1], {})[entity] = versions
    for prompts in agents.values():
        runs = {entity: _sum(versions) for entity, versions in prompts.items()}
        total = _sum(runs)
        for entity, versions in prompts.items():
            if is_named(dimension, entity):
                yield from _took_over(dimension, entity, versions, prompts, (total, span))


def _took_over(
    dimension: Dimension,
    entity: tuple[str, ...],
    versions: Mapping[str, Numbers],
    prompts: Entities,
    among: tuple[Numbers, Span],
) -> Iterator[VersionChange]:
    total, span = among
    uses = sorted(
        (use for version, counts in versions.items() for use in cut(version, counts, total)), key=lambda use: use.first
    )
    first = uses[0]
    if first.version == ABSENT or ran_before(_sum(versions), total, first):
        return
    before = [
        (other, use)
        for other, theirs in prompts.items()
        if other != entity
        for version, counts in theirs.items()
        for use in cut(version, counts, total)
        if use.first < first.first
    ]
    # What ended when it came; where nothing did, what runs beside it.
    replaced, old = max(
        before, key=lambda pair: (pair[1].over and pair[1].last + 1 >= first.first, min(pair[1].last, first.first))
    )
    later = tuple(dict.fromkeys(use.version for use in uses[1:] if use.last > first.last))
    back = (old.version,) if first.over and not later and old.last > first.last else ()
    yield VersionChange(
        dimension=dimension,
        entity=entity,
        version=first.version,
        previous=old.version,
        since=float(span.edges[first.first]),
        until=float(span.edges[first.last + 1]) if first.over else None,
        later=later or back,
        previous_since=float(span.edges[old.first]),
        replaces=replaced,
    )


def _models(dimension: Dimension, reader: Reader) -> Iterator[VersionChange]:
    """An agent that had run without a model: how its model does, nothing can be compared with."""
    runs: dict[str, Numbers] = {}
    for labels, counts in reader.rows(AGENT_SUCCESS.denominator):
        agent = labels.get(Label.AGENT, ABSENT)
        runs[agent] = runs[agent] + counts if agent in runs else counts
    for entity, versions in entities_of(reader, dimension).items():
        total = runs.get(entity[-1])
        if not is_named(dimension, entity) or ABSENT in versions or total is None:
            continue
        used = _sum(versions) > 0
        first, last = map(int, np.flatnonzero(used)[[0, -1]])
        enough = total[:first].sum() >= MIN_EVENTS
        if enough and is_missed(used, total > 0, slice(first, None), slice(first)):
            began = {version: int(np.flatnonzero(counts)[0]) for version, counts in versions.items()}
            version = min(began, key=lambda each: began[each])
            yield _first(dimension, entity, Stretch(version, first, last, over=False), reader.span)


def _first(dimension: Dimension, entity: tuple[str, ...], use: Stretch, span: Span) -> VersionChange:
    since = float(span.edges[use.first])
    return VersionChange(
        dimension=dimension, entity=entity, version=use.version, previous=ABSENT, since=since, previous_since=span.start
    )


def _sum(counts: Mapping[str, Numbers] | Mapping[tuple[str, ...], Numbers]) -> Numbers:
    return np.asarray(np.sum([*counts.values()], axis=0))
