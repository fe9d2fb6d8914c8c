"""A KPI of one window with its uncertainty. Pure.

Which statistics hold depends on what is counted:
- shares of events: Wilson's interval;
- counts per event: the exact Poisson interval (Garwood 1936);
- means of a histogram: Student's t, with the spread estimated from the buckets;
- everything else (tokens and plan steps come in bundles, costs have no spread on record): Student's t over the parts of
  the window, as for a ratio estimator (Cochran 1977, 6.4).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from alerts.catalogue import CONFIDENCE, Kpi, Unit
from alerts.catalogue.wanted import narrows
from alerts.statistics import intervals
from alerts.statistics.histograms import Buckets

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
    buckets: Buckets = ()
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
    if above.series == below.series and narrows(above.where, below.where):
        return Method.WILSON
    return Method.POISSON if kpi.unit is Unit.PER_CALL else Method.PARTS


def estimate(kpi: Kpi, counted: Counted) -> Estimate:
    """Value and interval of a KPI; `counted` must have events."""
    events = counted.denominator
    value = counted.numerator / events
    method = method_of(kpi)
    match method:
        case Method.WILSON:
            low, high = intervals.wilson(counted.numerator, events, CONFIDENCE)
            error = math.sqrt(max(0.0, value * (1 - value)) / events)
            return Estimate(value=value, low=low, high=high, error=error, freedom=None, method=method)
        case Method.POISSON:
            low, high = (end / events for end in intervals.poisson(counted.numerator, CONFIDENCE))
            error = math.sqrt(counted.numerator) / events
            return Estimate(value=value, low=low, high=high, error=error, freedom=None, method=method)
        case Method.HISTOGRAM:
            return _student(value, _histogram_error(value, counted), max(events - 1, 1), method)
        case Method.PARTS:
            used = [part for part in counted.parts if part[1] > 0]
            return _student(value, _parts_error(value, used), max(len(used) - 1, 1), method)


def _student(value: float, error: float | None, freedom: float, method: Method) -> Estimate:
    if error is None:
        return Estimate(value=value, low=None, high=None, error=None, freedom=None, method=method)
    low, high = intervals.student(value, error, freedom, CONFIDENCE)
    return Estimate(value=value, low=low, high=high, error=error, freedom=freedom, method=method)


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
