"""How many nats the data tell for a difference: the log-likelihood ratio of two sides against one. Vectorised.

It is what `why` weighs explanations with, and what the rules about versions and canaries compute in PromQL, which has
no exact test. Where a verdict is near (11 to 25 nats) the chance of Fisher's exact test is a third of `exp(-nats)` as a
rule, and at most seven times it, where all of a few events fail (a test tries thousands of counts). So a rule that asks
for `nats_needed` says what the exact test says, a little later.
"""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def of_shares(bad: Numbers, events: Numbers) -> Numbers:
    """The largest log-likelihood of each group of events that are bad or not; 0 without events."""
    share = np.clip(np.divide(bad, events, out=np.zeros_like(bad), where=events > 0), 0.0, 1.0)
    return np.asarray(events * (scipy.special.xlogy(share, share) + scipy.special.xlogy(1 - share, 1 - share)))


def of_rates(counts: Numbers, events: Numbers) -> Numbers:
    """The largest log-likelihood of each count per so many events, up to what all splits share."""
    rate = np.divide(counts, events, out=np.zeros_like(counts), where=events > 0)
    return np.asarray(scipy.special.xlogy(counts, rate) - counts)


def nats_of_shares(bad_before: float, before: float, bad_after: float, after: float) -> float:
    """Nats by which two shares fit better than one."""
    bad, events = np.array([bad_before, bad_after], np.float64), np.array([before, after], np.float64)
    one = of_shares(bad.sum(keepdims=True), events.sum(keepdims=True))
    return max(0.0, float(of_shares(bad, events).sum() - one[0]))


def nats_needed(comparisons: float, level: float) -> float:
    """Nats that keep a level over so many comparisons (union bound)."""
    return math.log(comparisons / level)


def errors_of(nats: float) -> float:
    """Nats as standard errors: what a normal value that is so improbable would have."""
    return math.sqrt(2 * nats)
