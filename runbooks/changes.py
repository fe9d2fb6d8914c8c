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
"""A version counts as gone after this many of its own usual intervals, at least `_QUIET_STEPS` steps, without use
while another version was in use: a rare canary is not taken for a series of deployments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChange:
    """From `since` (unix seconds) on, `entity` ran `version`; before it ran `previous`, from `previous_since` on.

    `last_use` is when any version of the entity was last seen at work.
    """

    dimension: Dimension
    entity: tuple[str, ...]
    version: str
    previous: str
    since: float
    previous_since: float
    last_use: float

    def where(self, version: str) -> dict[Label, str]:
        """Label values that select one version of the entity."""
        return {**dict(zip(self.dimension.entity, self.entity, strict=True)), self.dimension.version: version}


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
        if later - earlier > quiet and any(earlier < other < later for other in others):
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
    """Return, for every entity, the change to the version it runs now; entities that never changed are absent.

    `start` is where the timeline begins; `step` is the distance of its points in seconds, and so the precision of
    `since`.
    """
    entities: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for series in activity:
        entity = tuple(series.labels.get(label, ABSENT) for label in dimension.entity)
        version = series.labels.get(dimension.version, ABSENT)
        if version != ABSENT and _is_named(dimension, entity):
            entities[entity][version].extend(uses(series.points, start, step))
    changes = []
    for entity, versions in entities.items():
        stretches = _stretches(versions, step)
        # A canary that was taken back is in the past, however recent its start.
        latest = max((s.end for s in stretches), default=0.0)
        in_use = [s for s in stretches if s.end >= latest - s.quiet]
        now = max(in_use, key=lambda stretch: stretch.start, default=None)
        before = max(
            (s for s in stretches if now and s.start < now.start and s.version != now.version),
            key=lambda stretch: stretch.end,
            default=None,
        )
        if now is None or before is None:
            continue
        changes.append(
            VersionChange(
                dimension=dimension,
                entity=entity,
                version=now.version,
                previous=before.version,
                since=now.start,
                previous_since=before.start,
                last_use=latest,
            )
        )
    return changes
