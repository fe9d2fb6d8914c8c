"""A KPI of one window with its uncertainty, and the chance that a difference of two is chance. Pure.

Which statistics hold depends on what is counted:
- shares of events: Wilson's interval, Fisher's exact test;
- counts per event: the exact Poisson interval (Garwood 1936), the conditional binomial test;
- means of a histogram: Student's t, with the spread estimated from the buckets, and Welch's test;
- everything else (tokens and plan steps come in bundles, costs have no spread on record): Student's t over the parts of
  the window, as for a ratio estimator (Cochran 1977, 6.4), and Welch's test.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import scipy

from alerts.catalogue import Direction, Kpi, Unit
from alerts.catalogue.readiness import CONFIDENCE

MIN_PARTS: Final = 5
"""Parts of a window with events; fewer give no spread worth a number."""


class Method(StrEnum):
    """Where an interval comes from."""

    WILSON = "wilson"
    POISSON = "exact poisson"
    HISTOGRAM = "student, spread of the histogram"
    PARTS = "student, spread over the window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted of a KPI in one window at one set of labels.

    `buckets` are `(upper bound, cumulative count)` of its histogram, `parts` are `(numerator, denominator)` of equal
    parts of the window; each only where the KPI's method needs it.
    """

    numerator: float
    denominator: float
    buckets: Sequence[tuple[float, float]] = ()
    parts: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its interval; `error` is its standard error with `freedom` degrees, None where none is known."""

    value: float
    low: float | None
    high: float | None
    error: float | None
    freedom: float | None
    method: Method


def method_of(kpi: Kpi) -> Method:
    """The statistics that hold for a KPI."""
    if kpi.histogram is not None:
        return Method.HISTOGRAM
    above, below = kpi.numerator, kpi.denominator
    if above.series == below.series and below.where.items() <= above.where.items():
        return Method.WILSON
    return Method.POISSON if kpi.unit is Unit.PER_CALL else Method.PARTS


def estimate(kpi: Kpi, counted: Counted) -> Estimate:
    """Value and interval of a KPI; `counted` must have events."""
    events = counted.denominator
    value = counted.numerator / events
    method = method_of(kpi)
    match method:
        case Method.WILSON:
            return _share(value, events)
        case Method.POISSON:
            return _rate(counted.numerator, events)
        case Method.HISTOGRAM:
            return _student(value, _histogram_error(value, counted), max(events - 1, 1), method)
        case Method.PARTS:
            used = [part for part in counted.parts if part[1] > 0]
            return _student(value, _parts_error(value, used), max(len(used) - 1, 1), method)


def _share(value: float, events: float) -> Estimate:
    ends = scipy.stats.binomtest(round(value * events), round(events)).proportion_ci(CONFIDENCE, method="wilson")
    error = math.sqrt(value * (1 - value) / events)
    return Estimate(
        value=value, low=float(ends.low), high=float(ends.high), error=error, freedom=None, method=Method.WILSON
    )


def _rate(count: float, events: float) -> Estimate:
    tail = (1 - CONFIDENCE) / 2
    low = float(scipy.stats.chi2.ppf(tail, 2 * count)) / 2 if count > 0 else 0.0
    high = float(scipy.stats.chi2.ppf(1 - tail, 2 * count + 2)) / 2
    return Estimate(
        value=count / events,
        low=low / events,
        high=high / events,
        error=math.sqrt(count) / events,
        freedom=None,
        method=Method.POISSON,
    )


def _student(value: float, error: float | None, freedom: float, method: Method) -> Estimate:
    if error is None:
        return Estimate(value=value, low=None, high=None, error=None, freedom=None, method=method)
    reach = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    return Estimate(value=value, low=value - reach, high=value + reach, error=error, freedom=freedom, method=method)


def _histogram_error(value: float, counted: Counted) -> float | None:
    """Spread between and within buckets, as if values were even inside each; scaled to the mean that is known."""
    ordered = sorted(counted.buckets)
    events = ordered[-1][1] if ordered else 0.0
    if events < 2:  # noqa: PLR2004 one value has no spread
        return None
    cells = []
    for (lower, before), (upper, upto) in pairwise([(0.0, 0.0), *ordered]):
        top = 2 * lower if math.isinf(upper) else upper
        cells.append(((lower + top) / 2, top - lower, upto - before))
    middle = sum(at * count for at, _, count in cells) / events
    if middle <= 0:
        return None
    squares = sum(count * ((at - middle) ** 2 + width**2 / 12) for at, width, count in cells)
    return math.sqrt(squares / (events - 1) / events) * value / middle


def _parts_error(value: float, parts: Sequence[tuple[float, float]]) -> float | None:
    if len(parts) < MIN_PARTS:
        return None
    residuals = sum((above - value * below) ** 2 for above, below in parts)
    return math.sqrt(len(parts) / (len(parts) - 1) * residuals) / sum(below for _, below in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two sides of a comparison, as far as a baseline's file keeps it."""

    numerator: float
    denominator: float
    error: float | None
    freedom: float | None

    @property
    def value(self) -> float:
        """The KPI."""
        return self.numerator / self.denominator


def chance_of_worse(kpi: Kpi, before: Side, after: Side) -> float | None:
    """One-sided p: how often equal KPIs would look this much worse or more. None where no spread is known."""
    lower_is_better = kpi.direction is Direction.LOWER_IS_BETTER
    match method_of(kpi):
        case Method.WILSON:
            table = np.array([[side.numerator, side.denominator - side.numerator] for side in (after, before)])
            worse = _worse(lower_is_better=lower_is_better)
            return float(scipy.stats.fisher_exact(table.round().astype(int), alternative=worse).pvalue)
        case Method.POISSON:
            return _poisson_p(before, after, lower_is_better=lower_is_better)
        case _:
            return _welch_p(before, after, lower_is_better=lower_is_better)


def _poisson_p(before: Side, after: Side, *, lower_is_better: bool) -> float:
    """Given how many there were in all, the part of `after` is binomial."""
    total = round(before.numerator + after.numerator)
    if not total:
        return 1.0
    expected = after.denominator / (before.denominator + after.denominator)
    worse = _worse(lower_is_better=lower_is_better)
    return float(scipy.stats.binomtest(round(after.numerator), total, expected, alternative=worse).pvalue)


def _worse(*, lower_is_better: bool) -> Literal["greater", "less"]:
    """The side on which a KPI gets worse."""
    return "greater" if lower_is_better else "less"


def _welch_p(before: Side, after: Side, *, lower_is_better: bool) -> float | None:
    if before.error is None or after.error is None or before.freedom is None or after.freedom is None:
        return None
    worse = after.value - before.value if lower_is_better else before.value - after.value
    squares = before.error**2, after.error**2
    if not sum(squares):
        return 0.0 if worse > 0 else 1.0
    freedom = sum(squares) ** 2 / (squares[0] ** 2 / before.freedom + squares[1] ** 2 / after.freedom)
    return float(scipy.stats.t.sf(worse / math.sqrt(sum(squares)), freedom))
