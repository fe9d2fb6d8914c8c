"""Version changes: when did an entity start to run another version than before, and is it still running? Pure.

A version is in use in a column if calls ran it. It is gone when so many calls ran others that it would hardly have been
missed by chance: a rare canary, or a lull, is not taken for a series of deployments.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from agentobs.contract import ABSENT, Label
from alerts.catalogue import AGENT_SUCCESS, DIMENSIONS, Dimension
from runbooks.why.reading import Reader
from runbooks.why.spans import Numbers, Span

_RETURNED: Final = 10.0
"""Fewer calls of an old version after its end are stragglers, not its return."""
_MISSED: Final = 1e-4
"""A version is gone when its silence has at most this chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """From `since` (unix seconds) on, `entity` ran `version`; before it, and at first beside it, `previous`.

    `until` is when its use ended, None while it runs. `later` are the versions that replaced it since, `current` is
    what runs now. `from_start` says that it ran already when the window began, beside `previous`.
    """

    dimension: Dimension
    entity: tuple[str, ...]
    version: str
    previous: str
    since: float
    until: float | None = None
    later: tuple[str, ...] = ()
    from_start: bool = False
    previous_since: float = 0.0

    @property
    def current(self) -> str:
        """The version that the entity runs now."""
        return self.later[-1] if self.later else self.version

    @property
    def taken_back(self) -> bool:
        """Whether its use ended and the version before it runs again."""
        return self.until is not None and (not self.later or self.later[-1] == self.previous)

    @property
    def place(self) -> dict[Label, str]:
        """Label values of the entity."""
        return dict(zip(self.dimension.entity, self.entity, strict=True))

    def where(self, version: str) -> dict[Label, str]:
        """What selects one version of the entity from a store."""
        return {**self.place, self.dimension.version: version}

    @property
    def name(self) -> str:
        """The tool, agent or workflow whose version it is."""
        own = self.place
        return own.get(Label.TOOL) or own.get(Label.AGENT) or own.get(Label.WORKFLOW) or ""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One version in use, from its first to its last column; `over` if it is gone after that."""

    version: str
    first: int
    last: int
    over: bool


def find(reader: Reader) -> list[VersionChange]:
    """Every change of every entity, the oldest first of each: also those that were taken back."""
    found: list[VersionChange] = []
    for dimension in DIMENSIONS:
        entities: dict[tuple[str, ...], dict[str, Numbers]] = defaultdict(dict)
        for labels, counts in reader.rows(dimension.counted):
            entity = tuple(
                reader.span.environment if label is Label.ENVIRONMENT else labels.get(label, ABSENT)
                for label in dimension.entity
            )
            version = labels.get(dimension.version, ABSENT)
            if version != ABSENT and _is_named(dimension, entity):
                known = entities[entity]
                known[version] = known[version] + counts if version in known else counts
        for entity, versions in entities.items():
            found += _of_entity(dimension, entity, versions, reader.span)
    return [_earlier(reader, change) for change in found]


def _earlier(reader: Reader, change: VersionChange) -> VersionChange:
    """A graph's change as its agents show it: they are counted while the first task that runs it is still at work."""
    if change.dimension.version is not Label.GRAPH_VERSION or change.from_start:
        return change
    here = {change.dimension.version: change.version}
    rows = [counts for labels, counts in reader.rows(AGENT_SUCCESS.denominator) if here.items() <= labels.items()]
    used = np.flatnonzero(np.sum(rows, axis=0)).tolist() if rows else []
    # Only a little: a version may have run before, in another workflow.
    since = float(reader.span.edges[used[0]]) if used else change.since
    return replace(change, since=since) if change.previous_since < since < change.since else change


def _is_named(dimension: Dimension, entity: Iterable[str]) -> bool:
    """Whether this is somebody's version. Telemetry without an environment is one environment of its own."""
    named = zip(dimension.entity, entity, strict=True)
    return all(value != ABSENT for label, value in named if label is not Label.ENVIRONMENT)


def _of_entity(
    dimension: Dimension, entity: tuple[str, ...], versions: Mapping[str, Numbers], span: Span
) -> Iterator[VersionChange]:
    if len(versions) <= 1:
        return
    total = np.sum([*versions.values()], axis=0)
    stretches = sorted(
        (stretch for version, counts in versions.items() for stretch in _stretches(version, counts, total)),
        key=lambda stretch: (stretch.first, stretch.last),
    )
    start = int(np.flatnonzero(total)[0])
    # What ran from the start is not new, but for all that ran beside the busiest of it.
    oldest = max(
        (s for s in stretches if s.first == start), key=lambda s: float(versions[s.version][: s.last + 1].sum())
    )
    beside = [s for s in stretches if s is not oldest and _ran_before(versions[s.version], total, s)]
    for stretch in beside:
        # Which of two that ran from the start is the new one nobody knows: either may be the worse.
        yield _made(dimension, entity, stretch, oldest, (), span, from_start=True)
        if stretch.last >= oldest.first:
            yield _made(dimension, entity, oldest, stretch, (), span, from_start=True)
    for number, stretch in enumerate(stretches):
        before = _before(stretch, stretches[:number], oldest)
        if stretch is oldest or stretch in beside or before is None:
            continue
        later = [s.version for s in stretches[number + 1 :] if s.first > stretch.first and s.last > stretch.last]
        back = [before.version] if stretch.over and before.last > stretch.last else []
        after = tuple(dict.fromkeys(later or back))
        yield _made(dimension, entity, stretch, before, after, span, from_start=False)


def _made(  # noqa: PLR0913, PLR0917 the fields of a change
    dimension: Dimension,
    entity: tuple[str, ...],
    stretch: _Stretch,
    before: _Stretch,
    later: tuple[str, ...],
    span: Span,
    *,
    from_start: bool,
) -> VersionChange:
    return VersionChange(
        dimension=dimension,
        entity=entity,
        version=stretch.version,
        previous=before.version,
        since=float(span.edges[stretch.first]),
        until=float(span.edges[stretch.last + 1]) if stretch.over else None,
        later=later,
        from_start=from_start,
        previous_since=float(span.edges[before.first]),
    )


def _ran_before(counts: Numbers, total: Numbers, stretch: _Stretch) -> bool:
    """Whether a version may well have run before its first call in the window: the calls before it are too few."""
    if counts[: stretch.first].any():
        return False
    return not _is_gone(counts, total, stretch.first, stretch.last, float(total[: stretch.first].sum()))


def _before(stretch: _Stretch, earlier: list[_Stretch], oldest: _Stretch) -> _Stretch | None:
    """What ran before: of the versions that began earlier, the one that was in use last, the newest of them."""
    others = [s for s in (*earlier, oldest) if s.version != stretch.version and s.first <= stretch.first]
    running = [s for s in others if s.last >= stretch.first]
    if running:
        return max(running, key=lambda s: s.first)
    return max(others, key=lambda s: s.last, default=None)


def _stretches(version: str, counts: Numbers, total: Numbers) -> Iterator[_Stretch]:
    """Cut the uses of one version where it was gone and others ran instead."""
    used = np.flatnonzero(counts)
    others = np.concatenate([[0.0], np.cumsum(total - counts)])
    first = last = int(used[0])
    for column in map(int, used[1:]):
        if _is_gone(counts, total, first, last, others[column] - others[last + 1]):
            if counts[column:].sum() < _RETURNED and not others[-1] - others[column] < _RETURNED:
                break  # calls that were in flight when another version took over
            yield _Stretch(version, first, last, over=True)
            first = column
        last = column
    yield _Stretch(version, first, last, over=_is_gone(counts, total, first, last, others[-1] - others[last + 1]))


def _is_gone(counts: Numbers, total: Numbers, first: int, last: int, without: float) -> bool:
    """Whether so many calls without it cannot be chance, given its share of the calls while it was in use."""
    own, every = float(counts[first : last + 1].sum()), float(total[first : last + 1].sum())
    share = min(0.99, own / (every + 1))
    return without * math.log1p(-share) < math.log(_MISSED)
