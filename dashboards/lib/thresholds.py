"""Borders and colours of a KPI, from what the catalogue promises; boards have no thresholds of their own."""

from typing import Final

from alerts.alerting.objectives import BURNS
from alerts.alerting.special import BUDGET_SHARES
from alerts.catalogue import Direction, Kpi, Severity, Unit
from dashboards.lib.model import Colour, Format, Step

FORMATS: Final = {
    Unit.RATIO: Format.SHARE,
    Unit.SECONDS: Format.SECONDS,
    Unit.TOKENS: Format.COUNT,
    Unit.USD: Format.USD,
    Unit.SCORE: Format.SCORE,
    Unit.PER_CALL: Format.COUNT,
}


def steps(kpi: Kpi, quantile: float | None = None) -> tuple[Step, ...]:
    """Good on the right side of all promises, bad beyond the weakest, warning between; empty without a promise."""
    promised = {objective.target for objective in kpi.objectives if objective.quantile == quantile}
    if kpi.slo is not None and quantile is None:
        promised.add(kpi.slo.target)
    if not promised:
        return ()
    if kpi.direction is Direction.HIGHER_IS_BETTER:
        return _rising(min(promised), max(promised), (Colour.BAD, Colour.WARNING, Colour.GOOD))
    return _rising(min(promised), max(promised), (Colour.GOOD, Colour.WARNING, Colour.BAD))


def _rising(low: float, high: float, colours: tuple[Colour, Colour, Colour]) -> tuple[Step, ...]:
    first, between, last = colours
    middle = (Step(low, between),) if low < high else ()
    return (Step(None, first), *middle, Step(high, last))


# A count of something bad: one is too many.
NONE_WANTED: Final = (Step(None, Colour.GOOD), Step(1, Colour.BAD))
# How much worse: anything above nothing is worse; whether it matters says the alert.
WORSE: Final = (Step(None, Colour.GOOD), Step(1e-9, Colour.WARNING))


def burning() -> tuple[Step, ...]:
    """Burn rates: 1 uses the budget up exactly at its end; the alerts' own factors beyond."""
    factors = {burn.severity: burn.factor for burn in sorted(BURNS, key=lambda burn: -burn.factor)}
    return (
        Step(None, Colour.GOOD),
        Step(factors[Severity.TICKET], Colour.WARNING),
        Step(factors[Severity.PAGE], Colour.BAD),
    )


def fair(part: float) -> tuple[Step, ...]:
    """Use of a budget in a part of its time: up to that part is fair, twice it is bad."""
    return Step(None, Colour.GOOD), Step(part, Colour.WARNING), Step(2 * part, Colour.BAD)


def budget() -> tuple[Step, ...]:
    """Use of the daily budget, at the shares that its alerts look at."""
    shares = sorted(BUDGET_SHARES)
    return Step(None, Colour.GOOD), Step(shares[0], Colour.WARNING), Step(shares[-1], Colour.BAD)
