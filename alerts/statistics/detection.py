"""How bad the new side must be, so that a comparison with the old one, as it was counted, finds it: power, not chance.

Found means a p-value of at most `level` by the very test that is used, and as many bad events as a verdict needs, with
the probability `POWER`.
"""

import math
from bisect import bisect_left
from collections.abc import Callable

import scipy

from alerts.catalogue import MIN_BAD, POWER
from alerts.statistics.tests import chance_of_rates, chance_of_shares


def detectable_share(bad_before: float, before: float, after: float, level: float) -> float:
    """The smallest true share of bad events among `after` events that is found; infinite where even all bad are not.

    P(X >= k) of a binomial is a beta distribution of its share. Source: Clopper and Pearson 1934.
    """
    events = round(after)
    least = _least(lambda bad: chance_of_shares(bad_before, before, bad, after) <= level, events)
    return float(scipy.stats.beta.ppf(POWER, least, events - least + 1)) if least <= events else math.inf


def detectable_rate(count_before: float, before: float, after: float, level: float) -> float:
    """The smallest true rate, counts per event, that is found among `after` events.

    P(X >= k) of a Poisson count is a gamma distribution of what is expected. Source: Garwood 1936.
    """

    def found(count: int) -> bool:
        return chance_of_rates(count_before, before, count, after) <= level

    most = max(MIN_BAD, round(count_before * after / before))
    while not found(most):
        most *= 2
    return float(scipy.stats.gamma.ppf(POWER, _least(found, most))) / after


def detectable_mean(errors: tuple[float, float], level: float) -> float:
    """The smallest difference of two means with these standard errors that is found: normal approximation."""
    return float(scipy.stats.norm.isf(level) + scipy.stats.norm.ppf(POWER)) * math.hypot(*errors)


def _least(found: Callable[[int], bool], most: int) -> int:
    """The fewest bad events that are found, `most + 1` or more where none are. What finds some finds more."""
    return MIN_BAD + bisect_left(range(MIN_BAD, most + 1), True, key=found)
