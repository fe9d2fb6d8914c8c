"""Values of a histogram as good and bad events: those beyond a bound of its buckets are bad.

Buckets are `(upper bound, cumulative count)`, the last bound is infinite. Beyond is above the bound where less is
better (seconds, tokens, dollars), at or below it where more is (scores).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from alerts.catalogue import TAIL, Direction, Kpi

Buckets = Sequence[tuple[float, float]]


def nearest(shares: Mapping[float, float], wanted: float) -> float | None:
    """The bound beyond which about `wanted` of all events lie, the first of several; None without bounds."""
    return min(shares, key=lambda bound: abs(shares[bound] - wanted), default=None)


def beyond(kpi: Kpi, buckets: Buckets, bound: float) -> tuple[float, float]:
    """`(bad events, events)` of one histogram that has the bound. Events are those of its last bucket."""
    counts = dict(buckets)
    events, upto = counts[max(counts)], counts[bound]
    bad = events - upto if kpi.direction is Direction.LOWER_IS_BETTER else upto
    return min(max(bad, 0.0), events), events


def tail(kpi: Kpi, before: Buckets, after: Buckets) -> float | None:
    """The bound beyond which about `TAIL` of the old events lie; None where both sides share no bound.

    The old side alone chooses: a new one with far more events would move the bound to where it does well itself. That
    costs no false alarms: new events beyond the k-th largest old one have the distribution of Fisher's exact test.
    """
    bounds = sorted({bound for bound, _ in before} & {bound for bound, _ in after} - {math.inf})
    if kpi.direction is Direction.HIGHER_IS_BETTER:
        bounds.reverse()
    # From the middle outwards: of several bounds that no old event exceeds, the first sees most.
    shares = {}
    for bound in bounds:
        bad, events = beyond(kpi, before, bound)
        shares[bound] = bad / max(1.0, events)
    return nearest(shares, TAIL)


def quantile(buckets: Iterable[tuple[float, float]], q: float) -> float | None:
    """A quantile, as if values were even inside a bucket; None without events."""
    ordered = [(0.0, 0.0), *sorted(buckets)]
    wanted = q * ordered[-1][1]
    if wanted <= 0:
        return None
    for (lower, before), (upper, upto) in pairwise(ordered):
        if upto >= wanted:
            return lower if math.isinf(upper) else lower + (upper - lower) * (wanted - before) / (upto - before)
    return None


def growth(kpi: Kpi, buckets: Buckets, bound: float, share: float) -> float:
    """By which share of itself every value must have got worse, so that `share` of all lie beyond the bound.

    Turns a share of bad events back into the KPI, a mean: an effect on all alike. Infinite where no growth is enough.
    """
    lower_is_better = kpi.direction is Direction.LOWER_IS_BETTER
    value = quantile(buckets, 1 - share if lower_is_better else share)
    if not value:
        return math.inf
    return max(0.0, bound / value - 1 if lower_is_better else 1 - bound / value)
