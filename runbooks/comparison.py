"""Before against after, for one KPI: is it worse, how much, and is that more than chance? Pure.

Shares: Fisher's exact test, Newcombe's interval. Rates of events: the exact conditional (binomial) test for Poisson
counts, Clopper-Pearson interval. Means: Student's t on quotients of sums with a spread proportional to the mean. All
one-sided with mid-p. `dispersion` says how much more events scatter than independent ones (1 where it is not known; for
means the squared coefficient of variation): bursts count for less.
"""

import math
from dataclasses import dataclass
from typing import Final

import scipy

from alerts.catalogue import FALSE_ALARMS, MIN_EVENTS, POWER, SIGNIFICANT_Z, Direction, Kpi, Unit

_SMALLEST_P: Final = 1e-300
_COVERED: Final = 0.95


@dataclass(frozen=True, slots=True)
class Reading:
    """A KPI over one period: quotient of two increases."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """The KPI, or None where nothing happened."""
        return self.numerator / self.denominator if self.denominator > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One KPI before and after. `z` is the one-sided p-value as standard errors: positive means worse.

    `low` and `high` bound the change for the worse (as `worsening`) with 95 % confidence; None where there is no bound.
    """

    kpi: Kpi
    before: Reading
    after: Reading
    z: float
    low: float | None = None
    high: float | None = None
    dispersion: float = 1.0

    @property
    def p(self) -> float:
        """How often chance alone looks at least as bad, not corrected for other comparisons."""
        return float(scipy.stats.norm.sf(self.z))

    @property
    def worsening(self) -> float:
        """Change for the worse: absolute for a ratio, as a share of the old value otherwise; negative is better."""
        before, after = self.before.value, self.after.value
        if before is None or after is None:
            return 0.0
        change = after - before if self.kpi.direction is Direction.LOWER_IS_BETTER else before - after
        if self.kpi.unit is Unit.RATIO:
            return change
        if before <= 0:
            return math.inf if change > 0 else 0.0
        return change / before

    @property
    def is_regression(self) -> bool:
        """Worse by more than the KPI tolerates and by more than chance explains."""
        return self.z >= SIGNIFICANT_Z and self.worsening >= self.kpi.tolerance

    def is_regression_among(self, comparisons: int) -> bool:
        """The same when this is the worst of so many comparisons (Bonferroni)."""
        return self.p * comparisons <= FALSE_ALARMS and self.worsening >= self.kpi.tolerance

    def events_needed(self, comparisons: int = 1) -> int:
        """Events on each side that prove an effect of this size, with the power of the catalogue."""
        before, after = self.before.value, self.after.value
        if before is None or after is None or before == after:
            return 0
        z = float(scipy.stats.norm.isf(FALSE_ALARMS / comparisons)) + float(scipy.stats.norm.isf(1 - POWER))
        match self.kpi.unit:
            case Unit.RATIO:
                # Half an event keeps a perfect side from looking certain.
                shares = [(r.numerator + 0.5) / (r.denominator + 1) for r in (self.before, self.after)]
                variance = sum(share * (1 - share) for share in shares)
            case Unit.PER_CALL:
                variance = before + after
            case _:
                variance = before**2 + after**2
        return math.ceil(z**2 * variance * self.dispersion / (after - before) ** 2)


def compare(
    kpi: Kpi, before: Reading, after: Reading, dispersion: float = 1.0, freedom: float = math.inf
) -> Comparison | None:
    """Compare two periods; None where either holds too few events to say anything.

    `freedom` are the degrees of freedom that `dispersion` was estimated with.
    """
    if min(before.denominator, after.denominator) < MIN_EVENTS:
        return None
    higher_is_worse = kpi.direction is Direction.LOWER_IS_BETTER
    match kpi.unit:
        case Unit.RATIO:
            bad = [_bad(reading, dispersion, higher_is_worse=higher_is_worse) for reading in (before, after)]
            p, bounds = _p_of_shares(*bad), _bounds_of_shares(*bad)
        case Unit.PER_CALL:
            counts = [Reading(r.numerator / dispersion, r.denominator / dispersion) for r in (before, after)]
            p, bounds = _p_of_rates(*counts), _bounds_of_rates(*counts)
        case _:
            sign = 1 if higher_is_worse else -1
            p = _p_of_means(before, after, dispersion, freedom, sign)
            bounds = _bounds_of_means(before, after, dispersion, freedom, sign)
    z = float(scipy.stats.norm.isf(min(max(p, _SMALLEST_P), 1 - 1e-15)))
    return Comparison(kpi=kpi, before=before, after=after, z=z, low=bounds[0], high=bounds[1], dispersion=dispersion)


_Bounds = tuple[float | None, float | None]


def _bad(reading: Reading, dispersion: float, *, higher_is_worse: bool) -> Reading:
    """Bad events of all, in whole events after thinning by the dispersion."""
    worse = reading.numerator if higher_is_worse else reading.denominator - reading.numerator
    return Reading(round(max(worse, 0.0) / dispersion), max(1, round(reading.denominator / dispersion)))


def _p_of_shares(before: Reading, after: Reading) -> float:
    bad, total = before.numerator + after.numerator, before.denominator + after.denominator
    chance = scipy.stats.hypergeom(int(total), int(min(bad, total)), int(after.denominator))
    return float(chance.sf(after.numerator) + 0.5 * chance.pmf(after.numerator))


def _bounds_of_shares(before: Reading, after: Reading) -> _Bounds:
    """Newcombe's hybrid score interval of the difference of two shares."""
    old, new = before.numerator / before.denominator, after.numerator / after.denominator
    (old_low, old_high), (new_low, new_high) = _wilson(before), _wilson(after)
    difference = new - old
    return difference - math.hypot(new - new_low, old_high - old), difference + math.hypot(
        new_high - new, old - old_low
    )


def _wilson(reading: Reading) -> tuple[float, float]:
    found = scipy.stats.binomtest(
        int(min(reading.numerator, reading.denominator)), int(reading.denominator)
    ).proportion_ci(confidence_level=_COVERED, method="wilson")
    return float(found.low), float(found.high)


def _p_of_rates(before: Reading, after: Reading) -> float:
    chance = scipy.stats.binom(
        round(before.numerator + after.numerator), after.denominator / (before.denominator + after.denominator)
    )
    seen = round(after.numerator)
    return float(chance.sf(seen) + 0.5 * chance.pmf(seen))


def _bounds_of_rates(before: Reading, after: Reading) -> _Bounds:
    events = round(before.numerator + after.numerator)
    if not events:
        return None, None
    found = scipy.stats.binomtest(min(round(after.numerator), events), events).proportion_ci(confidence_level=_COVERED)
    exposure = before.denominator / after.denominator

    def growth(share: float) -> float | None:
        return share / (1 - share) * exposure - 1 if share < 1 else None

    return growth(float(found.low)), growth(float(found.high))


def _p_of_means(before: Reading, after: Reading, dispersion: float, freedom: float, sign: int) -> float:
    pooled = (before.numerator + after.numerator) / (before.denominator + after.denominator)
    if pooled <= 0:
        return 0.5
    difference = after.numerator / after.denominator - before.numerator / before.denominator
    error = pooled * math.sqrt(dispersion * (1 / before.denominator + 1 / after.denominator))
    return float(scipy.stats.t.sf(sign * difference / error, freedom))


def _bounds_of_means(before: Reading, after: Reading, dispersion: float, freedom: float, sign: int) -> _Bounds:
    if before.numerator <= 0 or after.numerator <= 0:
        return None, None
    middle = math.log(after.numerator / after.denominator * before.denominator / before.numerator)
    error = math.sqrt(dispersion * (1 / before.denominator + 1 / after.denominator))
    reach = error * float(scipy.stats.t.isf((1 - _COVERED) / 2, freedom))
    low, high = sorted(sign * math.expm1(end) for end in (middle - reach, middle + reach))
    return low, high
