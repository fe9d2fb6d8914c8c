"""Paired comparisons: each case with itself, before and now. Bounds that hold for few cases too.

A plain t or bootstrap bound of shares covers 48-94 % of what it promises with 20-50 cases, for most differences are 0.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import scipy

_MOST: Final = 100_000


def lower_bound(differences: Sequence[float], confidence: float = 0.95) -> float:
    """How much worse all cases may be on average, given the difference (-1..1) of each that was seen; negative: worse.

    With two made-up cases, one all better and one all worse (Bonett and Price 2012); where no case got worse, the
    largest share of cases that may get worse without showing (Clopper and Pearson 1934).
    """
    if not differences:
        return -1.0
    if min(differences) >= 0:
        return -float(1 - (1 - confidence) ** (1 / len(differences)))
    values = np.array([*differences, 1.0, -1.0])
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return max(-1.0, float(values.mean() - scipy.stats.t.ppf(confidence, len(values) - 1) * error))


def cases_needed(differences: Sequence[float], margin: float, confidence: float = 0.95) -> int | None:
    """How many cases like these would show that the loss is below the margin; None where it is not below it."""
    silent = math.ceil(math.log(1 - confidence) / math.log(1 - margin))
    values = np.array([*differences, 1.0, -1.0])
    mean, spread = float(np.mean(differences)) if differences else 0.0, float(values.std(ddof=1))
    if mean <= -margin:
        return None
    if differences and min(differences) >= 0:
        return silent
    number = silent
    while number < _MOST:
        if mean - scipy.stats.t.ppf(confidence, number) * spread / math.sqrt(number) > -margin:
            return number
        number += max(1, number // 50)
    return None


def runs_needed(  # what was seen and what is wanted
    differences: Sequence[float], within: float, runs: int, margin: float, confidence: float = 0.95
) -> int | None:
    """How many runs of each of these cases would; None where more runs do not help.

    `within` is the mean variance of a single run within a case; the rest of the spread is between cases.
    """
    count = len(differences) + 2
    values = np.array([*differences, 1.0, -1.0])
    between = max(0.0, float(values.var(ddof=1)) - within / runs)
    mean = float(np.mean(differences)) if differences else 0.0
    factor = float(scipy.stats.t.ppf(confidence, count - 1))
    for number in range(runs + 1, 51):
        if mean - factor * math.sqrt((between + within / number) / count) > -margin:
            return number
    return None


def chance_of_ratio(logarithms: Sequence[float]) -> float:
    """P(a mean at least so much above 0), given the logarithm of the ratio of each case: a one-sided t test.

    Without spread the values say it themselves. Source: Student 1908.
    """
    values = np.array(logarithms)
    if len(values) < 2:  # noqa: PLR2004 one value has no spread
        return 1.0
    spread, mean = float(values.std(ddof=1)), float(values.mean())
    if spread < 1e-12:  # noqa: PLR2004 rounding of equal values
        return 0.0 if mean > 0 else 1.0
    return float(scipy.stats.t.sf(mean / (spread / math.sqrt(len(values))), len(values) - 1))
