"""Before against after, for one KPI: is it worse, and is that more than chance? Pure.

Ratios: two-proportion z test (pooled variance). Rates of events: the same for Poisson counts. Means: z with an
assumed coefficient of variation of 1, cautious for latencies and costs; exporters give sums and counts, not variances.
"""

import math
from dataclasses import dataclass

from alerts.catalogue import MIN_EVENTS, SIGNIFICANT_Z, Direction, Kpi, Unit


@dataclass(frozen=True, slots=True)
class Reading:
    """A KPI over one period: quotient of two increases."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """The KPI, or None where nothing happened."""
        return self.numerator / self.denominator if self.denominator > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One KPI before and after; `z` > 0 means worse, in standard errors."""

    kpi: Kpi
    before: Reading
    after: Reading
    z: float

    @property
    def worsening(self) -> float:
        """Change for the worse: absolute for a ratio, as a share of the old value otherwise; negative is better."""
        before, after = self.before.value, self.after.value
        if before is None or after is None:
            return 0.0
        change = after - before if self.kpi.direction is Direction.LOWER_IS_BETTER else before - after
        if self.kpi.unit is Unit.RATIO:
            return change
        if before <= 0:
            return math.inf if change > 0 else 0.0
        return change / before

    @property
    def is_regression(self) -> bool:
        """Worse by more than the KPI tolerates and by more than chance explains."""
        return self.z >= SIGNIFICANT_Z and self.worsening >= self.kpi.tolerance


def compare(kpi: Kpi, before: Reading, after: Reading) -> Comparison | None:
    """Compare two periods; None where either holds too few events to say anything."""
    if min(before.denominator, after.denominator) < MIN_EVENTS:
        return None
    match kpi.unit:
        case Unit.RATIO:
            z = _z_of_ratios(before, after)
        case Unit.PER_CALL:
            z = _z_of_rates(before, after)
        case _:
            z = _z_of_means(before, after)
    worse = z if kpi.direction is Direction.LOWER_IS_BETTER else -z
    return Comparison(kpi=kpi, before=before, after=after, z=worse)


def _z_of_ratios(before: Reading, after: Reading) -> float:
    events = before.denominator + after.denominator
    # Half an event on each side keeps the variance above zero when both periods are perfect.
    pooled = min(max(_pooled(before, after), 0.5 / events), 1 - 0.5 / events)
    error = math.sqrt(pooled * (1 - pooled) * (1 / before.denominator + 1 / after.denominator))
    return _difference(before, after) / error


def _pooled(before: Reading, after: Reading) -> float:
    return (before.numerator + after.numerator) / (before.denominator + after.denominator)


def _difference(before: Reading, after: Reading) -> float:
    return after.numerator / after.denominator - before.numerator / before.denominator


def _z_of_rates(before: Reading, after: Reading) -> float:
    """Numerators are counts of independent events, so their variance is their mean."""
    pooled = _pooled(before, after)
    if pooled <= 0:
        return 0.0
    return _difference(before, after) / math.sqrt(pooled * (1 / before.denominator + 1 / after.denominator))


def _z_of_means(before: Reading, after: Reading) -> float:
    pooled = _pooled(before, after)
    if pooled <= 0:
        return 0.0
    return _difference(before, after) / (pooled * math.sqrt(1 / before.denominator + 1 / after.denominator))
