"""One KPI on two sides: which test holds, what it says, and what it would have seen. Pure.

The methods are those of `alerts.statistics`, which `why` uses too. Only where a file has no more than a mean with its
error are means compared: bundles (tokens, plan steps, money per call), and histograms of a file without buckets.
"""

from dataclasses import dataclass
from enum import StrEnum

from alerts import statistics
from alerts.catalogue import MIN_EVENTS, Direction, Kpi
from alerts.statistics import Buckets, Counts, Kind, Method, histograms


class Basis(StrEnum):
    """Where a p-value comes from."""

    SHARE = "bad events: Fisher's exact test"
    RATE = "counts: exact test of two Poisson rates"
    TAIL = "events beyond a bound: Fisher's exact test"
    MEANS = "means: Welch's t test"
    MEANS_ONLY = "means: Welch's t test, as no buckets of both sides are known; record the baseline again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two sides of a comparison, as far as a baseline's file keeps it."""

    numerator: float
    denominator: float
    error: float | None = None
    freedom: float | None = None
    buckets: Buckets = ()

    @property
    def value(self) -> float:
        """The KPI."""
        return self.numerator / self.denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a test says. `p` is one-sided and for this comparison alone.

    `bound` is the value beyond which an event of a histogram is bad; `made` is None where means were compared.
    """

    kpi: Kpi
    before: Side
    after: Side
    test: Basis
    p: float
    bound: float | None = None
    made: statistics.Comparison | None = None

    @property
    def matters(self) -> bool:
        """Worse by more than is tolerated, with as many bad events as a verdict needs."""
        if self.made is not None:
            return self.made.matters
        return self.kpi.worsening(self.before.value, self.after.value) >= self.kpi.tolerance

    def detectable(self, level: float) -> float | None:
        """The worsening of the KPI that is found with the power of the catalogue, infinite where none is.

        None where it is not known: it would be a share of nothing.
        """
        if self.made is None:
            return self._detectable_mean(level)
        old, events = self.made.before, self.made.after.events
        if self.test is Basis.RATE:
            rate = statistics.detectable_rate(old.bad, old.events, events, level)
            return rate / old.share - 1 if old.share else None
        share = statistics.detectable_share(old.bad, old.events, events, level)
        if self.bound is None or share > 1:
            return share - old.share
        return histograms.growth(self.kpi, self.before.buckets, self.bound, share)

    def _detectable_mean(self, level: float) -> float | None:
        sides = (self.before, self.after)
        if self.kpi.is_share:
            # Half an event keeps the error of a perfect share above zero.
            old, new = (max(side.error or 0.0, 0.5 / side.denominator) for side in sides)
            return statistics.detectable_mean((old, new), level)
        old, new = (side.error or 0.0 for side in sides)
        difference = statistics.detectable_mean((old, new), level)
        return difference / self.before.value if self.before.value > 0 else None


def judge(kpi: Kpi, before: Side, after: Side) -> Judgement | None:
    """Compare two sides of a KPI; None where there are too few events, or where no spread is known."""
    if min(before.denominator, after.denominator) < MIN_EVENTS:
        return None
    match statistics.method_of(kpi):
        case Method.WILSON | Method.POISSON:
            test = Basis.SHARE if statistics.kind_of(kpi) is Kind.SHARE else Basis.RATE
            old, new = (statistics.counts_of(kpi, side.numerator, side.denominator) for side in (before, after))
            return _by_counts(kpi, (before, after), (old, new), test)
        case Method.HISTOGRAM:
            bound = statistics.tail(kpi, before.buckets, after.buckets)
            if bound is None:
                return _by_means(kpi, before, after, Basis.MEANS_ONLY)
            old, new = (_beyond(kpi, side, bound) for side in (before, after))
            return _by_counts(kpi, (before, after), (old, new), Basis.TAIL, bound)
        case Method.PARTS:
            return _by_means(kpi, before, after, Basis.MEANS)


def _beyond(kpi: Kpi, side: Side, bound: float) -> Counts:
    bad, events = statistics.beyond(kpi, side.buckets, bound)
    return Counts(bad, events, side.value, side.denominator)


def _by_counts(
    kpi: Kpi, sides: tuple[Side, Side], counts: tuple[Counts, Counts], test: Basis, bound: float | None = None
) -> Judgement | None:
    made = statistics.compare(kpi, *counts)
    if made is None:
        return None
    return Judgement(kpi=kpi, before=sides[0], after=sides[1], test=test, p=made.p, bound=bound, made=made)


def _by_means(kpi: Kpi, before: Side, after: Side, test: Basis) -> Judgement | None:
    if before.error is None or after.error is None or before.freedom is None or after.freedom is None:
        return None
    sign = 1 if kpi.direction is Direction.LOWER_IS_BETTER else -1
    difference = sign * (after.value - before.value)
    p = statistics.chance_of_means(difference, (before.error, after.error), (before.freedom, after.freedom))
    return Judgement(kpi=kpi, before=before, after=after, test=test, p=p)
