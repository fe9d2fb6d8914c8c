"""KPIs of tools and of the MCP servers that serve them."""

from typing import Final

from agentobs import contract
from agentobs.contract import ErrorClass, Label
from alerts.catalogue.build import DOWN, UP, mean, share
from alerts.catalogue.model import HOUR, MINUTE, Group, Kpi, Objective, Severity, Slo, Unit
from alerts.catalogue.tasks import BURN_WINDOWS_S
from alerts.catalogue.wanted import Not

_OK: Final = {Label.ERROR_CLASS: ErrorClass.NONE}
# What a policy refused never reached the tool and says nothing about it.
_MADE: Final = {Label.ERROR_CLASS: Not(ErrorClass.BLOCKED)}

TOOL_SUCCESS: Final = share(
    "tool_success",
    "Tool call success",
    contract.TOOL_CALLS,
    _OK,
    UP,
    among=_MADE,
    meaning="Share of tool call attempts that returned without an error; what a policy refused is none.",
    group=Group.TOOLS,
    board="tool",
    tolerance=0.05,
    regression=Severity.PAGE,
    objectives=(
        Objective(alert="ToolFailing", target=0.9, window_s=5 * MINUTE, hold_s=2 * MINUTE, severity=Severity.PAGE),
    ),
)
AGENT_TOOL_SUCCESS: Final = share(
    "agent_tool_success",
    "Tool call success per agent",
    contract.TOOL_CALLS,
    _OK,
    UP,
    among=_MADE,
    meaning="Share of an agent's tool call attempts that returned without an error, over all of its tools.",
    group=Group.TOOLS,
    by=(Label.ENVIRONMENT, Label.AGENT),
    board="agent",
    tolerance=0.05,
    diagnosed=False,
    windows_s=BURN_WINDOWS_S,
    slo=Slo(target=0.97),
)
TOOL_TIMEOUTS: Final = share(
    "tool_timeouts",
    "Tool timeouts",
    contract.TOOL_CALLS,
    {Label.ERROR_CLASS: ErrorClass.TIMEOUT},
    DOWN,
    meaning="Share of tool call attempts that ran out of time.",
    group=Group.TOOLS,
    board="tool",
    tolerance=0.05,
    objectives=(
        Objective(alert="ToolTimingOut", target=0.1, window_s=5 * MINUTE, hold_s=5 * MINUTE, severity=Severity.TICKET),
    ),
)
TOOL_RETRIES: Final = share(
    "tool_retries",
    "Tool calls that are retries",
    contract.TOOL_CALLS,
    {Label.IS_RETRY: "true"},
    DOWN,
    meaning="Share of tool call attempts that repeat a failed one.",
    group=Group.TOOLS,
    by=(Label.ENVIRONMENT, Label.AGENT, Label.TOOL),
    board="tool",
    tolerance=0.05,
    objectives=(
        Objective(alert="RetryStorm", target=0.25, window_s=5 * MINUTE, hold_s=5 * MINUTE, severity=Severity.PAGE),
    ),
)
TOOL_LATENCY: Final = mean(
    "tool_latency",
    "Time per tool call",
    Unit.SECONDS,
    contract.TOOL_DURATION,
    meaning="Seconds of one tool call attempt, as the agent sees it.",
    group=Group.TOOLS,
    board="tool",
    tolerance=0.5,
    quantiles=(0.5, 0.95),
    objectives=(
        Objective(
            alert="ToolSlow", target=10, window_s=HOUR, hold_s=15 * MINUTE, severity=Severity.TICKET, quantile=0.95
        ),
    ),
)
MCP_SERVER_SUCCESS: Final = share(
    "mcp_server_success",
    "MCP server request success",
    contract.MCP_SERVER_CALLS,
    _OK,
    UP,
    among=_MADE,
    meaning="Share of requests that an MCP server answered without an error, as the server sees it.",
    group=Group.TOOLS,
    board="tool",
    tolerance=0.05,
    diagnosed=False,
    objectives=(
        Objective(
            alert="McpServerFailing", target=0.9, window_s=5 * MINUTE, hold_s=5 * MINUTE, severity=Severity.TICKET
        ),
    ),
)

KPIS: Final[tuple[Kpi, ...]] = (
    TOOL_SUCCESS,
    AGENT_TOOL_SUCCESS,
    TOOL_TIMEOUTS,
    TOOL_RETRIES,
    TOOL_LATENCY,
    MCP_SERVER_SUCCESS,
)
