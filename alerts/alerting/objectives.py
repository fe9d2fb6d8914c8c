"""Alerts of the catalogue: a KPI that breaks what it promises, and error budgets that burn too fast."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alerts.alerting import text
from alerts.alerting.condition import Comparison, Condition
from alerts.alerting.model import Alert
from alerts.catalogue import CATALOGUE, MIN_BAD, Direction, Kpi, Objective, Owner, Severity
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.promql import duration
from alerts.recording import rule


def alerts() -> Iterator[Alert]:
    """One alert per objective, four per service level objective."""
    for kpi in CATALOGUE:
        for objective in kpi.objectives:
            yield _broken(kpi, objective)
        if kpi.slo is not None:
            yield from (_burning(kpi, kpi.slo.target, burn) for burn in BURNS)


def _broken(kpi: Kpi, objective: Objective) -> Alert:
    up = kpi.direction is Direction.HIGHER_IS_BETTER
    series = (
        rule.value(kpi, objective.window_s)
        if objective.quantile is None
        else rule.quantile(kpi, objective.quantile, objective.window_s)
    )
    target, value = text.number(kpi, objective.target), text.shown(kpi.unit)
    which = "" if objective.quantile is None else f" ({objective.quantile * 100:g}th percentile)"
    promise = f"{'at least' if up else 'at most'} {target}"
    return Alert(
        name=objective.alert,
        group=kpi.group,
        # The KPI is on the left, because the left value is what the message shows.
        condition=Comparison(series, "<" if up else ">", objective.target) & _enough(kpi, objective),
        kpi=kpi,
        watches=objective,
        hold_s=objective.hold_s,
        severity=objective.severity,
        owner=Owner.AGENTS,
        by=kpi.by,
        board=kpi.board,
        summary=f"{kpi.title}{which}, {text.who(kpi.by)}: {value}; promised is {promise}.",
        description=(
            f"{kpi.meaning} Over the last {duration(objective.window_s)} it was {value}, and it has been beyond"
            f" {target} for {duration(objective.hold_s)}. {text.versions(kpi.by)}"
        ),
        value=value,
        objective=promise,
        labels={"kpi": kpi.key},
    )


def _enough(kpi: Kpi, objective: Objective) -> Condition:
    """Events enough, and of few events more bad ones than chance makes. Where nothing is tolerated, one is too many."""
    enough = Comparison(rule.events(kpi, objective.window_s), ">=", objective.min_events)
    up = kpi.direction is Direction.HIGHER_IS_BETTER
    tolerated = 1 - objective.target if up else objective.target
    if not kpi.is_share or objective.quantile is not None or tolerated <= 0:
        return enough
    if round(tolerated * objective.min_events, 6) >= MIN_BAD:
        # So many of so many events are bad anyway.
        return enough
    value, events = rule.value(kpi, objective.window_s), rule.events(kpi, objective.window_s)
    bad = f"(1 - {value})" if up else value
    # Rounded, as a share times a number is not exact.
    return enough & Comparison(f"round({bad} * {events})", ">=", MIN_BAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """One pair of windows: the budget of 30 days burns `factor` times too fast over both."""

    long_s: int
    short_s: int
    factor: float
    hold_s: int
    severity: Severity
    min_events: int


# Windows and factors: Google's SRE workbook, chapter 5; the same as in kubernetes-mixin.
BURNS: Final = (
    Burn(long_s=HOUR, short_s=5 * MINUTE, factor=14.4, hold_s=2 * MINUTE, severity=Severity.PAGE, min_events=20),
    Burn(long_s=6 * HOUR, short_s=30 * MINUTE, factor=6, hold_s=15 * MINUTE, severity=Severity.PAGE, min_events=40),
    Burn(long_s=DAY, short_s=2 * HOUR, factor=3, hold_s=HOUR, severity=Severity.TICKET, min_events=60),
    Burn(long_s=3 * DAY, short_s=6 * HOUR, factor=1, hold_s=3 * HOUR, severity=Severity.TICKET, min_events=100),
)
BUDGET_DAYS: Final = 30


def burn_alert(kpi: Kpi) -> str:
    """Name of the alerts on a KPI's error budget."""
    return f"{''.join(part.title() for part in kpi.key.split('_'))}BudgetBurn"


def _burning(kpi: Kpi, target: float, burn: Burn) -> Alert:
    budget = 1 - target
    threshold = float(f"{budget * burn.factor:g}")
    over_long, over_short = (
        Comparison(f"1 - {rule.value(kpi, window_s)}", ">", threshold) for window_s in (burn.long_s, burn.short_s)
    )
    long, short = duration(burn.long_s), duration(burn.short_s)
    gone = f"{BUDGET_DAYS / burn.factor:.2g}"
    value = "{{ $value | humanizePercentage }}"
    return Alert(
        name=burn_alert(kpi),
        group=kpi.group,
        condition=over_long & over_short & Comparison(rule.events(kpi, burn.long_s), ">=", burn.min_events),
        kpi=kpi,
        hold_s=burn.hold_s,
        severity=burn.severity,
        owner=Owner.AGENTS,
        by=kpi.by,
        board="slo",
        summary=f"{kpi.title}, {text.who(kpi.by)}: the error budget burns {burn.factor:g} times too fast.",
        description=(
            f"{value} failed over the last {long}, and as many over the last {short}; {budget * 100:.2g} % may fail"
            f" over {BUDGET_DAYS} days. At this rate that budget is gone after {gone} days. {text.versions(kpi.by)}"
        ),
        value=value,
        objective=f"at least {target * 100:g} % succeed",
        labels={"kpi": kpi.key, "long": long, "short": short},
    )
