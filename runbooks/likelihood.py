"""How well a split of cells into normal and bad explains a KPI: likelihoods of two groups, and the scatter around them.

Shares are binomial, rates of events Poisson, means have a variance proportional to the square of the mean (the gamma
quasi-likelihood). The dispersion is Pearson's statistic per degree of freedom over time: bursts, slow machines and
other reasons why events are not independent make it large, and every test and likelihood smaller.
"""

import math
from typing import Final

import numpy as np
import scipy

from alerts.catalogue import Direction, Kpi, Unit
from alerts.source import EXPORT_DELAY_S
from runbooks.cells import Mask, Numbers, Table
from runbooks.comparison import Comparison, compare

_ENOUGH_FREEDOM: Final = 5
_LEAST_EXPECTED: Final = 1e-9
_LEAST_VARIANCE: Final = 2.0  # of the count in a batch: rarer events make Pearson's statistic a lottery
_STEADIEST: Final = 0.05  # no mean is taken to scatter less than this squared coefficient of variation


def fit(kpi: Kpi, above: Numbers, below: Numbers) -> Numbers:
    """The largest log-likelihood of each group, given the sums of its counters."""
    value = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    match kpi.unit:
        case Unit.RATIO:
            share = np.clip(value, 0.0, 1.0)
            return np.asarray(below * (scipy.special.xlogy(share, share) + scipy.special.xlogy(1 - share, 1 - share)))
        case Unit.PER_CALL:
            return np.asarray(scipy.special.xlogy(above, value) - above)
        case _:
            return np.asarray(-below * (np.log(np.maximum(value, _LEAST_EXPECTED)) + 1))


def gains(kpi: Kpi, above: Numbers, below: Numbers, bad_above: Numbers, bad_below: Numbers) -> Numbers:
    """Nats gained by each split over none; 0 where a side is empty or the bad side is not worse."""
    good_above, good_below = above - bad_above, below - bad_below
    both = (good_below > 0) & (bad_below > 0)
    old = np.divide(good_above, good_below, out=np.zeros_like(good_above), where=both)
    new = np.divide(bad_above, bad_below, out=np.zeros_like(bad_above), where=both)
    worse = new > old if kpi.direction is Direction.LOWER_IS_BETTER else new < old
    found = fit(kpi, good_above, good_below) + fit(kpi, bad_above, bad_below) - fit(kpi, above, below)
    return np.where(both & worse, np.maximum(found, 0.0), 0.0)


def of_borders(table: Table) -> Numbers:
    """Gain of a fault from each column on."""
    above, below = table.above.sum(axis=0), table.below.sum(axis=0)
    total_above, total_below = np.full_like(above, above.sum()), np.full_like(below, below.sum())
    before_above, before_below = np.cumsum(above) - above, np.cumsum(below) - below
    return gains(table.kpi, total_above, total_below, total_above - before_above, total_below - before_below)


def of_mask(table: Table, mask: Mask) -> float:
    """Gain of one split."""
    sides = [np.array([float(side)]) for side in (
        table.above.sum(), table.below.sum(), table.above[mask].sum(), table.below[mask].sum()
    )]  # fmt: skip
    return float(gains(table.kpi, *sides)[0])


def dispersion(table: Table, mask: Mask) -> tuple[float, float]:
    """Scatter of the columns around the two groups, and its degrees of freedom."""
    squares, cells = 0.0, 0
    for side in (mask, ~mask):
        above = np.where(side, table.above, 0.0).sum(axis=0)
        below = np.where(side, table.below, 0.0).sum(axis=0)
        if below.sum() <= 0:
            continue
        middle = float(above.sum() / below.sum())
        variance = _variance(table.kpi, middle)
        if variance <= 0:
            continue
        needed = 1.0 if _is_mean(table.kpi) else _LEAST_VARIANCE / variance
        batches = _batches(above, below, needed, _least_columns(table))
        squares += sum(events * (total / events - middle) ** 2 for total, events in batches) / variance
        cells += max(0, len(batches) - 1)
    least = _STEADIEST if _is_mean(table.kpi) else 1.0
    if cells < _ENOUGH_FREEDOM:
        return 1.0, np.inf
    return max(least, squares / cells), float(cells)


def _least_columns(table: Table) -> int:
    """Columns of a batch at least: the two counters of a rate count different events, seen so much apart.

    A violation is counted when it happens and its task when it ends; in less time one would be without the other, which
    looks like bursts.
    """
    return math.ceil(EXPORT_DELAY_S / table.span.width) if table.kpi.unit is Unit.PER_CALL else 1


def _batches(above: Numbers, below: Numbers, needed: float, columns: int) -> list[tuple[float, float]]:
    """`columns` in a row and more, until they hold the needed events; what is left over joins the last batch."""
    found: list[tuple[float, float]] = []
    total = events = 0.0
    added = 0
    for more, count in zip(above, below, strict=True):
        total, events, added = total + float(more), events + float(count), added + 1
        if events >= needed and added >= columns:
            found.append((total, events))
            total = events = 0.0
            added = 0
    if events and found:
        total, events = total + found[-1][0], events + found[-1][1]
        found[-1] = (total, events)
    return found


def _is_mean(kpi: Kpi) -> bool:
    return kpi.unit not in {Unit.RATIO, Unit.PER_CALL}


def _variance(kpi: Kpi, mean: float) -> float:
    """Variance of one event, up to the dispersion."""
    match kpi.unit:
        case Unit.RATIO:
            return mean * (1 - mean)
        case Unit.PER_CALL:
            return mean
        case _:
            return mean**2


def tested(table: Table, mask: Mask) -> Comparison | None:
    """Compare the cells outside a mask with those inside; None where either side has too few events."""
    scatter, freedom = dispersion(table, mask)
    return compare(table.kpi, table.reading(~mask), table.reading(mask), scatter, freedom)
