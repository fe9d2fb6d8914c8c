"""Version changes: when did an entity start to run another version than before? Pure functions over activity.

A version is in use at a step when its activity counter rose. Deploying an old version again is a change too,
so a rollback is seen as one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from alerts.catalogue import Dimension
from alerts.source import Series
from collector.signals import ABSENT, Label

_QUIET_STEPS: Final = 3
_QUIET_INTERVALS: Final = 5
_QUIET_USES: Final = 10
"""A version counts as gone after this many of its own usual intervals, at least `_QUIET_STEPS` steps, without use while
other versions were in use so many times: a rare canary, or a lull, is not taken for a series of deployments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """From `since` (unix seconds) on, `entity` ran `version`; before it ran `previous`, from `previous_since` on.

    `last_use` is when any version of the entity was last seen at work. `later` are the versions that replaced `version`
    since, `current` is the newest in use.
    """

    dimension: Dimension
    entity: tuple[str, ...]
    version: str
    previous: str
    since: float
    previous_since: float
    last_use: float
    later: tuple[str, ...] = ()

    @property
    def current(self) -> str:
        """The version that the entity runs now."""
        return self.later[-1] if self.later else self.version

    @property
    def place(self) -> dict[Label, str]:
        """Label values of the entity."""
        return dict(zip(self.dimension.entity, self.entity, strict=True))

    def where(self, version: str) -> dict[Label, str]:
        """Label values that select one version of the entity."""
        return {**self.place, self.dimension.version: version}


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One version in use, from its first to its last use, without having been replaced in between."""

    version: str
    start: float
    end: float
    quiet: float
    """Seconds without use after which the version counts as gone."""


def uses(points: Sequence[tuple[float, float]], start: float, step: float) -> list[float]:
    """Times at which the counter moved. The value a series already has at `start` may be old, so it is no use."""
    found = []
    before = points[0][1] if points and points[0][0] < start + step else 0.0
    for at, value in points:
        if value != before and value > 0:
            found.append(at)
        before = value
    return found


def _split(version: str, times: Sequence[float], others: Sequence[float], step: float) -> Iterator[_Stretch]:
    """Cut the uses of one version where it was gone and another one ran instead."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    quiet = max(_QUIET_STEPS * step, _QUIET_INTERVALS * median(gaps)) if gaps else _QUIET_STEPS * step
    start = times[0]
    for earlier, later in pairwise(times):
        if later - earlier > quiet and sum(earlier < other < later for other in others) >= _QUIET_USES:
            yield _Stretch(version, start, earlier, quiet)
            start = later
    yield _Stretch(version, start, times[-1], quiet)


def _stretches(versions: Mapping[str, list[float]], step: float) -> list[_Stretch]:
    found: list[_Stretch] = []
    for version, times in versions.items():
        others = [at for other, moments in versions.items() if other != version for at in moments]
        if times:
            found.extend(_split(version, sorted(times), others, step))
    return found


def _is_named(dimension: Dimension, entity: Sequence[str]) -> bool:
    """Whether this is somebody's version. Telemetry without an environment is one environment of its own."""
    named = zip(dimension.entity, entity, strict=True)
    return all(value != ABSENT for label, value in named if label is not Label.ENVIRONMENT)


def find(dimension: Dimension, activity: Iterable[Series], start: float, step: float) -> list[VersionChange]:
    """Return, for every entity, the changes that led to the version it runs now, oldest first.

    Entities that never changed are absent, and so is a version that was tried and taken back: it is in the past,
    however recent its start. `start` is where the timeline begins; `step` is the distance of its points in seconds, and
    so the precision of `since`.
    """
    entities: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for series in activity:
        entity = tuple(series.labels.get(label, ABSENT) for label in dimension.entity)
        version = series.labels.get(dimension.version, ABSENT)
        if version != ABSENT and _is_named(dimension, entity):
            entities[entity][version].extend(uses(series.points, start, step))
    return [
        change
        for entity, versions in entities.items()
        for change in _of_entity(dimension, entity, _stretches(versions, step))
    ]


def _of_entity(dimension: Dimension, entity: tuple[str, ...], stretches: list[_Stretch]) -> list[VersionChange]:
    latest = max((stretch.end for stretch in stretches), default=0.0)
    in_use = [stretch for stretch in stretches if stretch.end >= latest - stretch.quiet]
    now = max(in_use, key=lambda stretch: stretch.start, default=None)
    if now is None:
        return []
    led_here = sorted((s for s in stretches if s.start <= now.start), key=lambda stretch: stretch.start)
    found = []
    for number, stretch in enumerate(led_here[1:], start=1):
        before = max((s for s in led_here[:number] if s.version != stretch.version), key=lambda s: s.end, default=None)
        if before is not None:
            found.append(
                VersionChange(
                    dimension=dimension,
                    entity=entity,
                    version=stretch.version,
                    previous=before.version,
                    since=stretch.start,
                    previous_since=before.start,
                    last_use=latest,
                    later=tuple(s.version for s in led_here[number + 1 :]),
                )
            )
    return found
