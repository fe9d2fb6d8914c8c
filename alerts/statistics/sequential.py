"""Two tracks compared again and again while they run: evidence that may be looked at after every event. Scalar, pure.

An e-value says how many times more likely the counts are if one track is worse than if both are alike. Where both are
alike it exceeds `1 / level` at any time, over all looks together, with a chance of at most `level` (Ville 1939). So a
canary may be judged every few seconds, and may be stopped by what was seen. Other tests here look once.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import scipy

from alerts.statistics.intervals import newcombe

HARMS: Final = (0.05, 0.1, 0.2, 0.4, 0.7)
"""Shares of events that a worse track adds to the bad ones: one bet on each, so that small and large harm are found."""
PAST_RUNS: Final = 500.0
"""Events before the comparison count as at most so many: they say where to bet, and what comes now says more."""
_FEW: Final = (0.5, 10.0)  # bad events and events, where nothing is known yet
_LARGEST: Final = 0.99
_SMALLEST: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Bad events among events: what a counter says, or how much it grew."""

    bad: float = 0.0
    events: float = 0.0

    @property
    def share(self) -> float:
        """Bad events per event; 0 without events."""
        return self.bad / self.events if self.events > 0 else 0.0

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(self.bad + other.bad, self.events + other.events)

    def __sub__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(self.bad - other.bad, self.events - other.events)


NOTHING: Final = Outcomes()


@dataclass(frozen=True, slots=True)
class SafeTest:
    """Evidence that a second side is worse than a first one, over blocks of events (ticks) so far.

    `nats` are the logarithms of the bets, one for each of `HARMS`, of 1 at first; `past` are bad events and events of
    the first side before the comparison, of which `PAST_RUNS` count at most; `first` is what it counted since.

    For each block a bet multiplies the likelihood of "the second side has so much more harm" by 1 over that of "both
    have the count-weighted mean of these two shares". That mean makes the expectation at most 1 whatever the true
    share, and however it moves from block to block; shares are predicted from earlier blocks, never from the block
    itself. Source: Turner, Ly and Gruenwald 2024, arXiv 2106.02693.
    """

    past: Outcomes = NOTHING
    first: Outcomes = NOTHING
    nats: tuple[float, ...] = field(default=(0.0,) * len(HARMS))

    @property
    def predicted(self) -> float:
        """The share of bad events that the next block of the first side is expected to have."""
        weight = min(1.0, PAST_RUNS / self.past.events) if self.past.events > 0 else 0.0
        bad = weight * self.past.bad + self.first.bad + _FEW[0]
        return bad / (weight * self.past.events + self.first.events + _FEW[1])

    def after(self, first: Outcomes, second: Outcomes) -> "SafeTest":
        """With one more block. A block without events of both sides tells nothing about their difference."""
        share = min(max(self.predicted, _SMALLEST), _LARGEST)
        nats = self.nats
        if first.events > 0 and second.events > 0:
            nats = tuple(
                known + _nats(first, second, share, min(share + harm, _LARGEST))
                for known, harm in zip(nats, HARMS, strict=True)
            )
        return SafeTest(self.past, self.first + first, nats)

    def e_value(self, design_effect: float = 1.0) -> float:
        """The mean of the bets, as of events that are not independent: its root by the design effect (see there)."""
        most = max(self.nats)
        mean = most + math.log(sum(math.exp(nats - most) for nats in self.nats) / len(self.nats))
        return math.exp(min(mean / design_effect, 700.0))


def _nats(first: Outcomes, second: Outcomes, good: float, worse: float) -> float:
    """The log-likelihood ratio of one block: two shares against the count-weighted mean of both."""
    both = (first.events * good + second.events * worse) / (first.events + second.events)
    return _of(first, good) + _of(second, worse) - _of(first + second, both)


def _of(seen: Outcomes, share: float) -> float:
    bad = min(seen.bad, seen.events)
    return bad * math.log(share) + (seen.events - bad) * math.log1p(-share)


def design_effect(size: float, correlation: float) -> float:
    """How many events that come in clusters (tasks of a session, calls of a task) weigh as much as one on its own.

    `size` is events per cluster, `correlation` how alike the events of one are, 0 to 1. Source: Kish 1965, 8.2.
    """
    return 1 + max(0.0, size - 1) * correlation


def chance_of_split(seen: float, expected: float, variance: float) -> float:
    """P(a split at least so far from the expected one): chi-square with one degree of freedom, two-sided.

    `seen` is how many of all units came to the second side, `expected` how many of them should have: the sum of the
    shares at which each was assigned; `variance` is the sum of share * (1 - share). Source: Pearson 1900.
    """
    return float(scipy.stats.chi2.sf((seen - expected) ** 2 / variance, 1)) if variance > 0 else 1.0


def highest_worsening(first: Outcomes, second: Outcomes, design_effect: float, level: float) -> float:
    """One-sided upper bound of how much larger the second side's share of bad events is; 1 without events of either.

    Holds for one look. Source: Newcombe 1998, method 10, of counts divided by the design effect.
    """
    if min(first.events, second.events) < design_effect:
        return 1.0
    old, new = (Outcomes(side.bad / design_effect, side.events / design_effect) for side in (first, second))
    return newcombe(old.bad, old.events, new.bad, new.events, 2 * level - 1)[1]
