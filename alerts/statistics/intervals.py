"""Two-sided confidence intervals of shares, rates and their differences."""

import functools
import math

import scipy

Bounds = tuple[float, float]


def wilson(bad: float, events: float, level: float) -> Bounds:
    """Score interval of a share. Source: Wilson 1927."""
    whole = max(1, round(events))
    share, reach = min(round(bad), whole) / whole, _normal(level)
    middle, squared = share + reach**2 / (2 * whole), reach**2 / whole
    half = reach * math.sqrt(share * (1 - share) / whole + squared / (4 * whole))
    # What rounding leaves beyond 0 and 1 is no share.
    return max(0.0, (middle - half) / (1 + squared)), min(1.0, (middle + half) / (1 + squared))


@functools.cache
def _normal(level: float) -> float:
    """How many standard errors a two-sided interval reaches."""
    return float(scipy.stats.norm.ppf((1 + level) / 2))


def newcombe(bad_before: float, before: float, bad_after: float, after: float, level: float) -> Bounds:
    """Interval of the difference of two shares, after minus before. Source: Newcombe 1998, method 10."""
    old, new = bad_before / before, bad_after / after
    old_low, old_high = wilson(bad_before, before, level)
    new_low, new_high = wilson(bad_after, after, level)
    down, up = math.hypot(new - new_low, old_high - old), math.hypot(new_high - new, old - old_low)
    return new - old - down, new - old + up


def poisson(count: float, level: float) -> Bounds:
    """Interval of an expected count. Source: Garwood 1936."""
    tail = (1 - level) / 2
    low = float(scipy.stats.chi2.ppf(tail, 2 * count)) / 2 if count > 0 else 0.0
    return low, float(scipy.stats.chi2.ppf(1 - tail, 2 * count + 2)) / 2


def student(value: float, error: float, freedom: float, level: float) -> Bounds:
    """Interval of a mean with its standard error and degrees of freedom. Source: Student 1908."""
    reach = float(scipy.stats.t.ppf((1 + level) / 2, freedom)) * error
    return value - reach, value + reach


def ratio_of_rates(
    count_before: float, before: float, count_after: float, after: float, level: float
) -> tuple[float | None, float | None]:
    """Interval of the growth of a rate, `after / before - 1`; None where it has no bound.

    Source: Clopper and Pearson 1934, for the part of all counts that came after.
    """
    total = round(count_before) + round(count_after)
    if not total:
        return None, None
    found = scipy.stats.binomtest(round(count_after), total).proportion_ci(level)
    exposure = before / after

    def growth(share: float) -> float | None:
        return share / (1 - share) * exposure - 1 if share < 1 else None

    return growth(float(found.low)), growth(float(found.high))
