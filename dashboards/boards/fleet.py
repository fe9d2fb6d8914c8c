"""Fleet overview: which agent broke?"""

from typing import Final

from agentobs.contract import Label
from alerts.catalogue import (
    AGENT_LATENCY,
    AGENT_RUNS_PER_TASK,
    AGENT_SUCCESS,
    AGENT_TOOL_SUCCESS,
    EVALUATION_PASS,
    HALLUCINATION,
    MODEL_COST,
    PLAN_COMPLETION,
    REQUEST_TOKENS,
    TASK_COST,
    TASK_LATENCY,
    TASK_SUCCESS,
    TASK_TIMEOUTS,
    TOOL_LATENCY,
    TOOL_RETRIES,
    TOOL_SUCCESS,
    TOOL_TIMEOUTS,
)
from dashboards.boards import shared
from dashboards.lib import thresholds, variables
from dashboards.lib.model import Board, BoardLink, Prom, Section, Stat
from dashboards.lib.panels import Reader

_READ: Final = Reader((Label.ENVIRONMENT, Label.WORKFLOW))
_AGENT: Final = BoardLink(title="Why: the agent", board="agent", variables={"agent": Label.AGENT})
_TOOL: Final = BoardLink(title="Why: the tool", board="tool", variables={"tool": Label.TOOL})

_NOW: Final = Section(
    title="Now",
    panels=(
        Stat(
            title="Pages firing",
            description="Alerts that wake somebody, of agents and platform together.",
            no_data="Prometheus does not answer, or knows no environment yet.",
            queries=(Prom(expr=f"{_READ.firing((), severity='page')} or vector(0)"),),
            width=4,
            height=4,
            steps=thresholds.NONE_WANTED,
        ),
        _READ.worst(TASK_SUCCESS),
        _READ.worst(AGENT_SUCCESS),
        _READ.worst(TOOL_SUCCESS),
        _READ.worst(HALLUCINATION),
        _READ.worst(TASK_COST),
    ),
)
_WHO: Final = Section(
    title="Which agent, which tool",
    panels=(
        shared.regressions(_READ, width=24, height=6),
        _READ.table(
            (Label.AGENT,),
            {
                "Success": AGENT_SUCCESS,
                "Tools succeed": AGENT_TOOL_SUCCESS,
                "Evaluations pass": EVALUATION_PASS,
                "Hallucinates": HALLUCINATION,
                "Seconds": AGENT_LATENCY,
                "Tokens a call": REQUEST_TOKENS,
                "Cost a call": MODEL_COST,
            },
            AGENT_SUCCESS,
            link=_AGENT,
            title="Agents",
            description="Every agent with its worst values of the last hour of traffic. Red breaks a promise.",
            no_data="No agent ran in this time range, or its telemetry does not arrive.",
            width=14,
            height=9,
        ),
        _READ.table(
            (Label.TOOL,),
            {
                "Success": TOOL_SUCCESS,
                "Timeouts": TOOL_TIMEOUTS,
                "Retries": TOOL_RETRIES,
                "Seconds": TOOL_LATENCY,
            },
            TOOL_SUCCESS,
            link=_TOOL,
            title="Tools",
            description="Every tool with its worst values of the last hour of traffic, over all agents that call it.",
            no_data="No agent called a tool in this time range.",
            width=10,
            height=9,
        ),
    ),
)
_SINCE: Final = Section(
    title="Since when",
    panels=(
        _READ.line(TASK_SUCCESS, width=12),
        shared.firing(_READ, width=12),
        _READ.line(AGENT_SUCCESS, width=8),
        _READ.line(TOOL_SUCCESS, width=8),
        _READ.quantiles(TASK_LATENCY, width=8),
        _READ.traffic(TASK_SUCCESS, "Tasks ended", width=6),
        _READ.line(PLAN_COMPLETION, width=6),
        _READ.line(AGENT_RUNS_PER_TASK, width=6),
        _READ.line(TASK_TIMEOUTS, width=6),
    ),
)

BOARD: Final = Board(
    slug="fleet",
    title="Fleet",
    question="Which agent broke?",
    variables=(variables.ENVIRONMENT, variables.WORKFLOW),
    sections=(_NOW, _WHO, _SINCE),
    next=("agent", "tool", "versions", "slo", "cost", "quality", "explore", "platform"),
)
