"""Version changes: when did an entity start to run another version than before, and is it still running? Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from agentobs.contract import ABSENT, Label
from alerts.catalogue import AGENT_SUCCESS, DIMENSIONS, Dimension
from runbooks.why.reading import Reader
from runbooks.why.spans import Numbers, Span
from runbooks.why.stretches import Stretch, cut, ran_before

Entities = dict[tuple[str, ...], dict[str, Numbers]]
"""Calls per column by entity and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """From `since` (unix seconds) on, `entity` ran `version`; before it, and at first beside it, `previous`.

    `until` is when its use ended, None while it runs. `later` are the versions that replaced it since, `current` is
    what runs now. `from_start` says that it ran already when the window began, beside `previous`. `replaces` is the
    entity of `previous` where that is another one: a prompt of another name. A first version has no previous: `none`.
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
    replaces: tuple[str, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether nothing that has a version ran before."""
        return self.previous == ABSENT

    @property
    def was(self) -> str:
        """The version before, with its name where that is another one."""
        return f"{self.replaces[-1]} {self.previous}" if self.replaces and not self.is_first else self.previous

    @property
    def now(self) -> str:
        """The version, with its name where `was` has another one."""
        return f"{self.entity[-1]} {self.version}" if self.replaces and not self.is_first else self.version

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
    def where_before(self) -> dict[Label, str]:
        """What selects the version before it from a store."""
        replaced = dict(zip(self.dimension.entity, self.replaces, strict=True)) if self.replaces else self.place
        return {**replaced, self.dimension.version: self.previous}

    @property
    def name(self) -> str:
        """The tool, agent or workflow whose version it is."""
        own = self.place
        return own.get(Label.TOOL) or own.get(Label.AGENT) or own.get(Label.WORKFLOW) or ""


def find(reader: Reader) -> list[VersionChange]:
    """Every change of every entity, the oldest first of each: also those that were taken back."""
    found: list[VersionChange] = []
    for dimension in DIMENSIONS:
        for entity, versions in entities_of(reader, dimension).items():
            if is_named(dimension, entity):
                found += _of_entity(dimension, entity, _known(versions), reader.span)
    return [_earlier(reader, change) for change in found]


def entities_of(reader: Reader, dimension: Dimension) -> Entities:
    """Calls by whose version it is and by version, also those that do not say whose or which."""
    found: Entities = defaultdict(dict)
    for labels, counts in reader.rows(dimension.counted):
        entity = tuple(
            reader.span.environment if label is Label.ENVIRONMENT else labels.get(label, ABSENT)
            for label in dimension.entity
        )
        version = labels.get(dimension.version, ABSENT)
        known = found[entity]
        known[version] = known[version] + counts if version in known else counts
    return found


def _known(versions: Mapping[str, Numbers]) -> Mapping[str, Numbers]:
    """Versions that calls name; and calls without one where they came first and ended: what runs since is a change."""
    named = {version: counts for version, counts in versions.items() if version != ABSENT}
    if len(named) == len(versions) or not named:
        return named
    uses = [*cut(ABSENT, versions[ABSENT], np.sum([*versions.values()], axis=0))]
    began = min(int(np.flatnonzero(counts)[0]) for counts in named.values())
    return versions if len(uses) == 1 and uses[0].over and uses[0].first < began else named


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


def is_named(dimension: Dimension, entity: Iterable[str]) -> bool:
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
        (stretch for version, counts in versions.items() for stretch in cut(version, counts, total)),
        key=lambda stretch: (stretch.first, stretch.last),
    )
    start = int(np.flatnonzero(total)[0])
    # What ran from the start is not new, but for all that ran beside the busiest of it.
    oldest = max(
        (s for s in stretches if s.first == start), key=lambda s: float(versions[s.version][: s.last + 1].sum())
    )
    beside = [s for s in stretches if s is not oldest and ran_before(versions[s.version], total, s)]
    for stretch in beside if oldest.version != ABSENT else ():
        # Which of two that ran from the start is the new one nobody knows: either may be the worse.
        yield _made(dimension, entity, stretch, oldest, (), span, from_start=True)
        if stretch.last >= oldest.first:
            yield _made(dimension, entity, oldest, stretch, (), span, from_start=True)
    for number, stretch in enumerate(stretches):
        before = _before(stretch, stretches[:number], oldest)
        if stretch is oldest or stretch in beside or before is None or stretch.version == ABSENT:
            continue
        later = [s.version for s in stretches[number + 1 :] if s.first > stretch.first and s.last > stretch.last]
        back = [before.version] if stretch.over and before.last > stretch.last else []
        after = tuple(dict.fromkeys(later or back))
        yield _made(dimension, entity, stretch, before, after, span, from_start=False)


def _made(  # noqa: PLR0913, PLR0917 the fields of a change
    dimension: Dimension,
    entity: tuple[str, ...],
    stretch: Stretch,
    before: Stretch,
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


def _before(stretch: Stretch, earlier: list[Stretch], oldest: Stretch) -> Stretch | None:
    """What ran before: of the versions that began earlier, the one that was in use last, the newest of them."""
    others = [s for s in (*earlier, oldest) if s.version != stretch.version and s.first <= stretch.first]
    running = [s for s in others if s.last >= stretch.first]
    if running:
        return max(running, key=lambda s: s.first)
    return max(others, key=lambda s: s.last, default=None)
