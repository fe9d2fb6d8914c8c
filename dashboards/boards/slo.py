"""Service level objectives: how much error budget is left, and how fast does it go?"""

from collections.abc import Iterator
from typing import Final

from agentobs.contract import Label
from alerts.alerting.objectives import BUDGET_DAYS, BURNS, burn_alert
from alerts.catalogue import CATALOGUE, Kpi
from alerts.catalogue.model import DAY
from alerts.promql import duration
from alerts.recording import rule
from dashboards.lib import thresholds, variables
from dashboards.lib.model import Board, Format, Panel, Prom, Section, Stat, TimeSeries
from dashboards.lib.panels import Reader, legend

_READ: Final = Reader((Label.ENVIRONMENT, Label.WORKFLOW, Label.AGENT))
_LONGEST_S: Final = 3 * DAY


def _burn(kpi: Kpi, window_s: int) -> str:
    """How many times too fast the budget burns over a window."""
    target = f'scalar({rule.objective(kpi)}{{alertname="slo"}})'
    return f"(1 - {_READ.kpi(kpi, window_s)}) / (1 - {target})"


def _panels(kpi: Kpi) -> Iterator[Panel]:
    target = kpi.slo.target if kpi.slo else 1
    no_data = f"Nothing that {kpi.title.lower()} rests on was counted in this time range."
    longest, part = duration(_LONGEST_S), _LONGEST_S / (BUDGET_DAYS * DAY)
    yield Stat(
        title=f"{kpi.title}: budget used in {longest}",
        description=(
            f"{(1 - target) * 100:.2g} % may fail over {BUDGET_DAYS} days. Shown is the part of that budget which the"
            f" last {longest} used up, if traffic is even; {part:.0%} would be the fair share. The worst of all."
        ),
        no_data=no_data,
        queries=(Prom(expr=f"max({_burn(kpi, _LONGEST_S)}) * {part:g}"),),
        format=Format.SHARE,
        steps=thresholds.fair(part),
        width=6,
        alerts=(burn_alert(kpi),),
    )
    yield _READ.line(kpi, width=9)
    yield TimeSeries(
        title=f"{kpi.title}: burn rate",
        description=(
            "How many times too fast the budget burns over each window; 1 uses it up exactly at its end. A page needs"
            f" {BURNS[0].factor:g} over {duration(BURNS[0].long_s)} and {duration(BURNS[0].short_s)}, or"
            f" {BURNS[1].factor:g} over {duration(BURNS[1].long_s)} and {duration(BURNS[1].short_s)}."
        ),
        no_data=no_data,
        queries=tuple(
            Prom(expr=f"max({_burn(kpi, window_s)})", legend=duration(window_s))
            for window_s in sorted({window_s for burn in BURNS for window_s in (burn.long_s, burn.short_s)})
        ),
        format=Format.TIMES,
        steps=thresholds.burning(),
        width=9,
        alerts=(burn_alert(kpi),),
    )
    yield TimeSeries(
        title=f"{kpi.title}: who burns it",
        description="The burn rate over one hour of each workflow or agent.",
        no_data=no_data,
        queries=(Prom(expr=_burn(kpi, BURNS[0].long_s), legend=legend(kpi.by)),),
        format=Format.TIMES,
        steps=thresholds.burning(),
        width=24,
        height=7,
    )


BOARD: Final = Board(
    slug="slo",
    title="SLOs and error budgets",
    question="How much may still fail, and how fast are we using it up?",
    variables=(variables.ENVIRONMENT, variables.WORKFLOW, variables.AGENT),
    sections=tuple(Section(title=kpi.title, panels=tuple(_panels(kpi))) for kpi in CATALOGUE if kpi.slo is not None),
    next=("fleet", "agent", "versions"),
)
