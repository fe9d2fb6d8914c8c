"""Two periods, versions or tracks of one KPI: whether it is worse, by how much, and whether by more than chance.

Three kinds of counts. A share has bad events among events. Values of a histogram (seconds, tokens, dollars) become a
share too: events beyond a bound that about one in ten exceeds (`histograms`); so a single slow call is one bad event,
however slow. A rate has counts per event of another kind.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import scipy

from alerts.catalogue import CONFIDENCE, FALSE_ALARMS, MIN_BAD, MIN_EVENTS, POWER, Direction, Kpi
from alerts.statistics.intervals import newcombe, ratio_of_rates, wilson
from alerts.statistics.tests import chance_beyond, chance_of_rates, chance_of_strata

_SMALLEST_P: Final = 1e-300
_MORE: Final = 1.5


class Kind(StrEnum):
    """What is counted."""

    SHARE = "share"
    RATE = "rate"


def kind_of(kpi: Kpi) -> Kind:
    """A rate counts one kind of event per another; everything else becomes a share."""
    return Kind.RATE if kpi.is_rate else Kind.SHARE


@dataclass(frozen=True, slots=True)
class Counts:
    """Bad events (or counts of a rate) among the `events` that are tested: first attempts, or cells.

    `value` is the KPI as the catalogue defines it, over `total` events.
    """

    bad: float
    events: float
    value: float | None
    total: float

    @property
    def share(self) -> float:
        """Bad events per event."""
        return self.bad / self.events if self.events > 0 else 0.0


def counts_of(kpi: Kpi, above: float, below: float) -> Counts:
    """Counts of a share or a rate from both of its counters; `below` is above 0."""
    bad = below - above if kind_of(kpi) is Kind.SHARE and kpi.direction is Direction.HIGHER_IS_BETTER else above
    return Counts(max(bad, 0.0), below, above / below, below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One KPI before and after. `p` is one-sided and for this comparison alone; `low` and `high` bound `growth`.

    `dispersion` is how much more events scatter than independent ones. `promised`: there was no before, so it is what
    the KPI promises.
    """

    kpi: Kpi
    before: Counts
    after: Counts
    p: float
    low: float | None
    high: float | None
    dispersion: float
    promised: bool = False

    @property
    def z(self) -> float:
        """The p-value as standard errors: positive means worse."""
        return float(scipy.stats.norm.isf(min(max(self.p, _SMALLEST_P), 1 - 1e-15)))

    @property
    def growth(self) -> float:
        """Change for the worse of what is tested: of a share absolute, of a rate as a share of the old one."""
        if kind_of(self.kpi) is Kind.SHARE:
            return self.after.share - self.before.share
        return self.after.share / self.before.share - 1 if self.before.share else math.inf

    @property
    def worsening(self) -> float:
        """Change of the KPI for the worse, see `Kpi.worsening`."""
        if self.before.value is None or self.after.value is None:
            return 0.0
        return self.kpi.worsening(self.before.value, self.after.value)

    @property
    def matters(self) -> bool:
        """Worse by more than the KPI tolerates, with as many bad events as a verdict needs."""
        return self.worsening >= self.kpi.tolerance and self.after.bad >= MIN_BAD

    def events_needed(self, comparisons: int = 1, level: float = FALSE_ALARMS) -> int:
        """Events on each side that prove an effect of this size, with the power of the catalogue."""
        if self.after.share <= self.before.share:
            return 0
        z = float(scipy.stats.norm.isf(level / comparisons)) + float(scipy.stats.norm.isf(1 - POWER))
        counted = (self.after,) if self.promised else (self.before, self.after)
        # Half an event keeps a perfect side from looking certain.
        parts = [(side.bad + 0.5) / (side.events + 1) for side in counted]
        spread = sum(part * (1 - part) if kind_of(self.kpi) is Kind.SHARE else part for part in parts)
        needed = math.ceil(z**2 * spread * self.dispersion / (self.after.share - self.before.share) ** 2)
        # What is there does not prove it: more are needed, whatever the approximation says. Told as events of the KPI.
        seen = min(side.events for side in counted)
        per_event = max(side.total / side.events for side in counted)
        return math.ceil(max(needed, seen * _MORE) * per_event)


Stratum = tuple[float, float, float, float]
"""`(bad before, before, bad after, after)` of events that share what must not explain a difference."""


def _shown(kpi: Kpi, counts: Counts) -> float:
    """The bad share that a reader sees, of all attempts where the test is of first ones: its interval is shown."""
    if not kpi.is_share or counts.value is None:
        return counts.share
    return min(1.0, max(0.0, counts.value if kpi.direction is Direction.LOWER_IS_BETTER else 1 - counts.value))


def compare(
    kpi: Kpi, before: Counts, after: Counts, dispersion: float = 1.0, strata: Sequence[Stratum] = ()
) -> Comparison | None:
    """Compare; None where either side has too few events. Counts are divided by the dispersion: bursts weigh less.

    The test goes by `strata`, where there are any: a share that only moved to other callers or tasks is no worse.
    """
    if min(before.events, after.events) < MIN_EVENTS:
        return None
    sides = (before.bad, before.events, after.bad, after.events)
    bad_old, old, bad_new, new = (side / dispersion for side in sides)
    low: float | None
    high: float | None
    if kind_of(kpi) is Kind.SHARE:
        p = chance_of_strata([tuple(side / dispersion for side in one) for one in strata or [sides]])  # type: ignore[misc]
        low, high = newcombe(_shown(kpi, before) * old, old, _shown(kpi, after) * new, new, CONFIDENCE)
    else:
        p = chance_of_rates(bad_old, old, bad_new, new)
        low, high = ratio_of_rates(bad_old, old, bad_new, new, CONFIDENCE)
    return Comparison(kpi=kpi, before=before, after=after, p=p, low=low, high=high, dispersion=dispersion)


def against(kpi: Kpi, after: Counts, dispersion: float = 1.0) -> Comparison | None:
    """Compare with what a share promises, where there is no before; None without a promise or with too few events."""
    if kpi.promise is None or after.events < MIN_EVENTS:
        return None
    tolerated = kpi.promise if kpi.direction is Direction.LOWER_IS_BETTER else 1 - kpi.promise
    bad, events = after.bad / dispersion, after.events / dispersion
    low, high = wilson(_shown(kpi, after) * events, events, CONFIDENCE)
    return Comparison(
        kpi=kpi,
        before=Counts(tolerated, 1.0, kpi.promise, 0.0),
        after=after,
        p=chance_beyond(bad, events, tolerated),
        low=low - tolerated,
        high=high - tolerated,
        dispersion=dispersion,
        promised=True,
    )
