"""One-sided p-values: how often equal KPIs would look at least this much worse. All exact where an exact test exists.

Counts are whole numbers; what a store extrapolated is rounded.
"""

import math
from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray


def chance_of_shares(bad_before: float, before: float, bad_after: float, after: float) -> float:
    """P(at least so many bad events after), given how many there were in all: Fisher's exact test.

    `before` and `after` are events, `bad_*` those of them that are bad. Source: Fisher 1935; hypergeometric tail.
    """
    first, second = round(before), round(after)
    bad = min(round(bad_before), first) + min(round(bad_after), second)
    return float(scipy.stats.hypergeom(first + second, bad, second).sf(min(round(bad_after), second) - 1))


def chance_beyond(bad: float, events: float, share: float) -> float:
    """P(at least so many bad events), each bad with chance `share`: the exact binomial test.

    Source: Clopper and Pearson 1934.
    """
    whole = round(events)
    return float(scipy.stats.binom(whole, share).sf(min(round(bad), whole) - 1))


def chance_of_rates(count_before: float, before: float, count_after: float, after: float) -> float:
    """P(at least so many counts after), given how many there were in all: the conditional test of two Poisson rates.

    `before` and `after` are exposures, for example tasks. Source: Przyborowski and Wilenski 1940; binomial tail.
    """
    total, seen = round(count_before) + round(count_after), round(count_after)
    return float(scipy.stats.binom(total, after / (before + after)).sf(seen - 1))


def chance_of_means(difference: float, errors: tuple[float, float], freedoms: tuple[float, float]) -> float:
    """P(a mean at least so much worse): Welch's t test. `difference` is positive for worse.

    `errors` are the standard errors of both means, `freedoms` their degrees of freedom. Source: Welch 1947.
    """
    squares = errors[0] ** 2, errors[1] ** 2
    if not sum(squares):
        return 0.0 if difference > 0 else 1.0
    freedom = sum(squares) ** 2 / (squares[0] ** 2 / freedoms[0] + squares[1] ** 2 / freedoms[1])
    return float(scipy.stats.t.sf(difference / math.sqrt(sum(squares)), freedom))


def _hypergeometric(first: int, second: int, bad: int) -> NDArray[np.float64]:
    """Probability of each number of bad events, the least possible first, among `second` of `first + second` events.

    By logarithms of gamma functions: scipy's own takes a hundred times as long where there are thousands of events.
    """
    counts = np.arange(max(0, bad - first), min(bad, second) + 1)
    ways = _ways(second, counts) + _ways(first, bad - counts) - _ways(first + second, bad)
    return np.asarray(np.exp(ways))


def _ways(events: int, chosen: NDArray[np.int_] | int) -> NDArray[np.float64]:
    """Logarithm of the binomial coefficient."""
    gammaln = scipy.special.gammaln
    return np.asarray(gammaln(events + 1) - gammaln(np.asarray(chosen) + 1) - gammaln(events - np.asarray(chosen) + 1))


def chance_of_strata(strata: Sequence[tuple[float, float, float, float]]) -> float:
    """P(at least so many bad events after), given how many each stratum had in all: Fisher's test, stratified.

    A stratum is `(bad before, before, bad after, after)`; what its events share (the caller, the kind of task) explains
    nothing. The tails of the hypergeometric distributions are convolved. Source: Gart 1970; one stratum is Fisher 1935.
    """
    chances, least, seen = np.ones(1), 0, 0
    for bad_before, before, bad_after, after in strata:
        first, second = round(before), round(after)
        worse = min(round(bad_after), second)
        bad = min(round(bad_before), first) + worse
        low = max(0, bad - first)
        chances = np.convolve(chances, _hypergeometric(first, second, bad))
        least, seen = least + low, seen + worse
    return float(min(1.0, chances[max(0, seen - least) :].sum()))
