"""One agent: why is it broken?"""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue import (
    AGENT_LATENCY,
    AGENT_RETRIES,
    AGENT_SUCCESS,
    AGENT_TOOL_SUCCESS,
    DIMENSIONS,
    EVALUATION_PASS,
    FALLBACKS,
    HALLUCINATION,
    MODEL_COST,
    MODEL_LATENCY,
    MODEL_SUCCESS,
    RATE_LIMITED,
    REQUEST_TOKENS,
    TOOL_RETRIES,
)
from alerts.catalogue.counts import PROCESS_STARTS
from dashboards.boards import shared
from dashboards.lib import variables
from dashboards.lib.model import Board, BoardLink, Section
from dashboards.lib.panels import Reader

_SCOPE: Final = (Label.ENVIRONMENT, Label.AGENT)
_READ: Final = Reader(_SCOPE)
# Processes and models are shared by agents: their series name no agent.
_STARTS: Final = Reader((Label.ENVIRONMENT, Label.SERVICE))
_MODELS: Final = Reader((Label.ENVIRONMENT, Label.MODEL))
_OF_AGENTS: Final = tuple(dimension for dimension in DIMENSIONS if Label.AGENT in dimension.entity)
_TOOL: Final = BoardLink(title="The tool", board="tool", variables={"tool": Label.TOOL})

BOARD: Final = Board(
    slug="agent",
    title="Agent",
    question="Why is this agent broken: its prompt, its model, its tools, or what it is asked?",
    variables=(variables.ENVIRONMENT, variables.AGENT, variables.MODEL, variables.SERVICE),
    sections=(
        Section(
            title="What broke",
            panels=(
                shared.regressions(_READ, width=14, height=7),
                shared.in_use(_READ, _OF_AGENTS, width=10, height=7),
                shared.firing(_READ, width=24, height=6),
            ),
        ),
        Section(
            title="Its runs",
            panels=(
                _READ.line(AGENT_SUCCESS),
                shared.by_class(
                    "Runs by error class",
                    contract.AGENT_CALLS,
                    Label.ERROR_CLASS,
                    _SCOPE,
                    "The agent did not run in this time range.",
                ),
                _READ.quantiles(AGENT_LATENCY),
                shared.durations(
                    "Durations of runs", contract.AGENT_DURATION, _SCOPE, "The agent did not run in this time range."
                ),
                _READ.traffic(AGENT_SUCCESS, "Runs"),
                _READ.line(AGENT_RETRIES, width=12),
                _STARTS.watching(
                    "ProcessCrashLoop",
                    width=12,
                    title="Starts of processes",
                    description="Starts of each service within ten minutes. A deployment starts each once.",
                    no_data="No process started in this time range; services report a start only if instrumented.",
                    by=PROCESS_STARTS.by,
                ),
            ),
        ),
        Section(
            title="Its tools",
            panels=(
                _READ.line(AGENT_TOOL_SUCCESS),
                shared.by_class(
                    "Tool calls by error class",
                    contract.TOOL_CALLS,
                    Label.ERROR_CLASS,
                    _SCOPE,
                    "The agent called no tool in this time range.",
                ),
                _READ.line(TOOL_RETRIES, links=(_TOOL,)),
            ),
        ),
        Section(
            title="Its models",
            panels=(
                _READ.line(MODEL_SUCCESS),
                _MODELS.quantiles(MODEL_LATENCY),
                _READ.line(RATE_LIMITED),
                _READ.line(FALLBACKS),
                _READ.line(REQUEST_TOKENS),
                _READ.line(MODEL_COST),
            ),
        ),
        Section(
            title="Its answers", panels=(_READ.line(EVALUATION_PASS, width=12), _READ.line(HALLUCINATION, width=12))
        ),
    ),
    next=("fleet", "tool", "versions", "quality", "cost", "explore"),
)
