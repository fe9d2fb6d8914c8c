"""KPIs of single agents."""

from typing import Final

from agentobs import contract
from agentobs.contract import ErrorClass, Label
from alerts.catalogue.build import DOWN, UP, mean, share
from alerts.catalogue.model import HOUR, MINUTE, Group, Kpi, Objective, Severity, Unit

AGENT_SUCCESS: Final = share(
    "agent_success",
    "Agent run success",
    contract.AGENT_CALLS,
    {Label.ERROR_CLASS: ErrorClass.NONE},
    UP,
    meaning="Share of agent runs that ended without an error.",
    group=Group.AGENTS,
    board="agent",
    tolerance=0.05,
    regression=Severity.PAGE,
    objectives=(
        Objective(alert="AgentFailing", target=0.9, window_s=5 * MINUTE, hold_s=2 * MINUTE, severity=Severity.PAGE),
    ),
)
AGENT_RETRIES: Final = share(
    "agent_retries",
    "Agent runs that are retries",
    contract.AGENT_CALLS,
    {Label.IS_RETRY: "true"},
    DOWN,
    meaning="Share of agent runs that repeat an earlier one.",
    group=Group.AGENTS,
    board="agent",
    tolerance=0.1,
    diagnosed=False,
    objectives=(
        Objective(alert="AgentRetrying", target=0.3, window_s=5 * MINUTE, hold_s=10 * MINUTE, severity=Severity.TICKET),
    ),
)
AGENT_LATENCY: Final = mean(
    "agent_latency",
    "Time per agent run",
    Unit.SECONDS,
    contract.AGENT_DURATION,
    meaning="Seconds of one agent run.",
    group=Group.AGENTS,
    board="agent",
    tolerance=0.3,
    quantiles=(0.5, 0.95),
    objectives=(
        Objective(
            alert="AgentSlow", target=60, window_s=HOUR, hold_s=15 * MINUTE, severity=Severity.TICKET, quantile=0.95
        ),
    ),
)

KPIS: Final[tuple[Kpi, ...]] = (AGENT_SUCCESS, AGENT_RETRIES, AGENT_LATENCY)
