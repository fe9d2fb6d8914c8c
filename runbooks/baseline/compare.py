"""A baseline against now, or a canary against what is stable: what got worse, by more than is tolerated and by chance.

Every KPI at every set of labels is one test. Chance is shared out over all of them (Holm 1979), so that forty KPIs do
not accuse a good release.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import scipy
from pydantic import Field

from alerts.catalogue import CATALOGUE, DIAGNOSED, Direction, Kpi
from alerts.catalogue.readiness import FAMILY_LEVEL, MIN_COMPARED
from alerts.recording.tracks import JUDGED
from alerts.source import MetricsSource
from collector.signals import Label, Track
from runbooks.baseline.document import Baseline
from runbooks.baseline.estimate import Counted, Method, Side, chance_of_worse, estimate, method_of
from runbooks.baseline.reading import read
from runbooks.report import Document

_POWER: Final = 0.8
_KNOWN: Final = {kpi.key: kpi for kpi in CATALOGUE}


class Finding(StrEnum):
    """What a comparison of one KPI finds."""

    WORSE = "worse"
    NOT_WORSE = "not worse"
    TOO_FEW = "not enough data"
    GONE = "not measured any more"


class Change(Document):
    """One KPI before and after."""

    kpi: str
    title: str
    unit: str
    labels: dict[str, str]
    before: float
    before_events: float
    after: float | None
    after_events: float
    worsening: float = Field(description="Positive is worse: absolute for a ratio, else a share of the value before")
    tolerance: float = Field(description="The worsening that matters")
    p: float | None = Field(description="How often chance alone looks this much worse")
    detectable: float | None = Field(description="The smallest worsening that four of five such comparisons would find")
    finding: Finding


class Comparison(Document):
    """All KPIs before and after. Times are unix seconds."""

    before: str = Field(description="What it is compared with")
    window_start: float
    window_end: float
    changes: list[Change] = Field(description="What got worse first")

    def of(self, finding: Finding) -> list[Change]:
        """The changes with one finding."""
        return [change for change in self.changes if change.finding is finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    kpi: Kpi
    labels: Mapping[str, str]
    before: Side
    after: Side | None


def compare(baseline: Baseline, source: MetricsSource, start: float, end: float) -> Comparison:
    """The KPIs of a baseline against the same between `start` and `end` (unix seconds)."""
    return _document(f"baseline {baseline.name}", _since(baseline, source, start, end), start, end)


def compare_tracks(source: MetricsSource, environment: str, start: float, end: float) -> Comparison:
    """The KPIs that decide about a canary: the canary against what is stable in the same time."""
    pairs = [pair for kpi in JUDGED for pair in _tracks(kpi, source, environment, start, end)]
    return _document("the stable track", pairs, start, end)


def _since(baseline: Baseline, source: MetricsSource, start: float, end: float) -> Iterator[_Pair]:
    where = {Label.ENVIRONMENT: baseline.environment}
    for key in dict.fromkeys(point.kpi for point in baseline.points):
        kpi = _KNOWN.get(key)
        # What shows another KPI once more at another label would be judged twice.
        if kpi is None or not _is_compared(kpi):
            continue
        now = {slice_: _side(kpi, counted) for slice_, counted in read(source, kpi, kpi.by, where, start, end).items()}
        for point in (point for point in baseline.points if point.kpi == key):
            before = Side(numerator=point.numerator, denominator=point.events, error=point.error, freedom=point.freedom)
            after = now.get(tuple(point.labels.get(label, "") for label in kpi.by))
            yield _Pair(kpi=kpi, labels=point.labels, before=before, after=after)


def _is_compared(kpi: Kpi) -> bool:
    """What a diagnosis looks at, and what it cannot: bundles and scores have a spread here."""
    return kpi in DIAGNOSED or method_of(kpi) in {Method.HISTOGRAM, Method.PARTS}


def _tracks(kpi: Kpi, source: MetricsSource, environment: str, start: float, end: float) -> Iterator[_Pair]:
    sides: dict[Track, dict[tuple[str, ...], Side]] = {}
    for track in (Track.CANARY, Track.STABLE):
        where = {Label.ENVIRONMENT: environment, Label.TRACK: str(track)}
        counted = read(source, kpi, kpi.by, where, start, end)
        sides[track] = {slice_: _side(kpi, each) for slice_, each in counted.items()}
    for slice_, after in sides[Track.CANARY].items():
        before = sides[Track.STABLE].get(slice_)
        if before is not None:
            labels = {str(label): value for label, value in zip(kpi.by, slice_, strict=True)}
            yield _Pair(kpi=kpi, labels=labels, before=before, after=after)


def _side(kpi: Kpi, counted: Counted) -> Side:
    made = estimate(kpi, counted)
    return Side(
        numerator=counted.numerator,
        denominator=counted.denominator,
        error=made.error,
        freedom=made.freedom,
    )


def _document(before: str, pairs: Iterable[_Pair], start: float, end: float) -> Comparison:
    every = list(pairs)
    chances = [_chance(pair) for pair in every]
    accused = _holm(chances)
    level = FAMILY_LEVEL / max(1, sum(chance is not None for chance in chances))
    changes = [
        _change(pair, chance, level, accused=number in accused)
        for number, (pair, chance) in enumerate(zip(every, chances, strict=True))
    ]
    order = list(Finding)
    changes.sort(key=lambda change: (order.index(change.finding), change.p if change.p is not None else 1.0))
    return Comparison(before=before, window_start=start, window_end=end, changes=changes)


def _chance(pair: _Pair) -> float | None:
    if pair.after is None or min(pair.before.denominator, pair.after.denominator) < MIN_COMPARED:
        return None
    return chance_of_worse(pair.kpi, pair.before, pair.after)


def _holm(chances: list[float | None]) -> set[int]:
    """Which of them are beyond chance, all taken together."""
    ordered = sorted((chance, number) for number, chance in enumerate(chances) if chance is not None)
    found: set[int] = set()
    for rank, (chance, number) in enumerate(ordered):
        if chance > FAMILY_LEVEL / (len(ordered) - rank):
            break
        found.add(number)
    return found


def worsening(kpi: Kpi, before: float, after: float) -> float:
    """Positive is worse: a difference for a ratio, else a share of the value before."""
    change = after - before if kpi.direction is Direction.LOWER_IS_BETTER else before - after
    if kpi.is_share:
        return change
    return change / before if before > 0 else math.copysign(math.inf, change) if change else 0.0


def _change(pair: _Pair, chance: float | None, level: float, *, accused: bool) -> Change:
    kpi, before, after = pair.kpi, pair.before, pair.after
    worse = worsening(kpi, before.value, after.value) if after else 0.0
    if after is None:
        finding = Finding.GONE if before.denominator >= MIN_COMPARED else Finding.TOO_FEW
    elif chance is None:
        finding = Finding.TOO_FEW
    else:
        finding = Finding.WORSE if accused and worse >= kpi.tolerance else Finding.NOT_WORSE
    return Change(
        kpi=kpi.key,
        title=kpi.title,
        unit=kpi.unit,
        labels=dict(pair.labels),
        before=before.value,
        before_events=before.denominator,
        after=after.value if after else None,
        after_events=after.denominator if after else 0.0,
        worsening=worse if math.isfinite(worse) else 1e9,
        tolerance=kpi.tolerance,
        p=chance,
        detectable=_detectable(kpi, before, after, level) if after and chance is not None else None,
        finding=finding,
    )


def _detectable(kpi: Kpi, before: Side, after: Side, level: float) -> float | None:
    """Normal approximation; half an event keeps the error of a perfect share above zero."""
    if before.error is None or after.error is None:
        return None
    errors = [max(side.error or 0.0, 0.5 / side.denominator if kpi.is_share else 0.0) for side in (before, after)]
    reach = float(scipy.stats.norm.isf(level) + scipy.stats.norm.ppf(_POWER)) * math.hypot(*errors)
    if kpi.is_share:
        return reach
    return reach / before.value if before.value > 0 else None
