"""A baseline against now, or a canary against what is stable: what got worse, by more than is tolerated and by chance.

Every KPI at every set of labels is one test. Chance is shared out over all of them (Holm 1979), so that forty KPIs do
not accuse a good release. A few events suffice for `worse`; `not worse` is only said where something worse would have
been found. Not here: the tests (`judging`, `alerts.statistics`).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import Field

from agentobs.contract import Label, Track
from alerts.catalogue import BLIND, CATALOGUE, DIAGNOSED, FAMILY_LEVEL, MIN_EVENTS, Kpi
from alerts.recording.tracks import JUDGED
from alerts.source import MetricsSource
from alerts.statistics import Counted, Method, estimate, holm, method_of
from runbooks.baseline.document import Baseline, Point
from runbooks.baseline.judging import Judgement, Side, judge
from runbooks.baseline.reading import read
from runbooks.document import Document

_KNOWN: Final = {kpi.key: kpi for kpi in CATALOGUE}
_INFINITE: Final = 1e9
"""Stands for infinity in JSON."""


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
    test: str | None = Field(description="Where `p` comes from; null where nothing was compared")
    bound: float | None = Field(description="Of a histogram: an event beyond this value counts as bad")
    p: float | None = Field(description="How often chance alone looks this much worse")
    detectable: float | None = Field(
        description="The smallest worsening that four of five such comparisons would find; null where none would be,"
        " or where the value before was 0"
    )
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
            after = now.get(tuple(point.labels.get(label, "") for label in kpi.by))
            yield _Pair(kpi=kpi, labels=point.labels, before=_recorded(point), after=after)


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


def _recorded(point: Point) -> Side:
    buckets = [(math.inf if each.upper is None else each.upper, each.count) for each in point.buckets]
    return Side(
        numerator=point.numerator,
        denominator=point.events,
        error=point.error,
        freedom=point.freedom,
        buckets=buckets,
    )


def _side(kpi: Kpi, counted: Counted) -> Side:
    made = estimate(kpi, counted)
    return Side(
        numerator=counted.numerator,
        denominator=counted.denominator,
        error=made.error,
        freedom=made.freedom,
        buckets=counted.buckets,
    )


def _document(before: str, pairs: Iterable[_Pair], start: float, end: float) -> Comparison:
    every = list(pairs)
    judged = [judge(pair.kpi, pair.before, pair.after) if pair.after else None for pair in every]
    accused = holm([one.p if one else None for one in judged], FAMILY_LEVEL)
    level = FAMILY_LEVEL / max(1, sum(one is not None for one in judged))
    changes = [
        _change(pair, one, one.detectable(level) if one else None, accused=number in accused)
        for number, (pair, one) in enumerate(zip(every, judged, strict=True))
    ]
    order = list(Finding)
    changes.sort(key=lambda change: (order.index(change.finding), change.p if change.p is not None else 1.0))
    return Comparison(before=before, window_start=start, window_end=end, changes=changes)


def _finding(pair: _Pair, judged: Judgement | None, detectable: float | None, *, accused: bool) -> Finding:
    if pair.after is None:
        return Finding.GONE if pair.before.denominator >= MIN_EVENTS else Finding.TOO_FEW
    if judged is None:
        return Finding.TOO_FEW
    if accused and judged.matters:
        return Finding.WORSE
    blind = detectable is not None and detectable > BLIND * pair.kpi.tolerance
    return Finding.TOO_FEW if blind else Finding.NOT_WORSE


def _change(pair: _Pair, judged: Judgement | None, detectable: float | None, *, accused: bool) -> Change:
    kpi, before, after = pair.kpi, pair.before, pair.after
    worse = kpi.worsening(before.value, after.value) if after else 0.0
    return Change(
        kpi=kpi.key,
        title=kpi.title,
        unit=kpi.unit,
        labels=dict(pair.labels),
        before=before.value,
        before_events=before.denominator,
        after=after.value if after else None,
        after_events=after.denominator if after else 0.0,
        worsening=max(-_INFINITE, min(_INFINITE, worse)),
        tolerance=kpi.tolerance,
        test=judged.test if judged else None,
        bound=judged.bound if judged else None,
        p=judged.p if judged else None,
        detectable=detectable if detectable is not None and math.isfinite(detectable) else None,
        finding=_finding(pair, judged, detectable, accused=accused),
    )
