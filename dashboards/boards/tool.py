"""Tools and MCP servers: is it the tool?"""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue import (
    DIMENSIONS,
    MCP_SERVER_SUCCESS,
    TOOL_LATENCY,
    TOOL_RETRIES,
    TOOL_SUCCESS,
    TOOL_TIMEOUTS,
)
from alerts.catalogue import counts as c
from alerts.catalogue.model import HOUR
from dashboards.boards import shared
from dashboards.lib import variables
from dashboards.lib.model import Board, Prom, Section, TimeSeries
from dashboards.lib.panels import Reader, legend

_SCOPE: Final = (Label.ENVIRONMENT, Label.TOOL)
_READ: Final = Reader(_SCOPE)
# Only what is counted per agent; a tool's own KPIs and versions name no agent, an MCP server's calls no tool.
_CALLS: Final = (*_SCOPE, Label.AGENT)
_SERVERS: Final = Reader((Label.ENVIRONMENT, Label.SERVICE))
_OF_TOOLS: Final = tuple(dimension for dimension in DIMENSIONS if Label.TOOL in dimension.entity)
_UNUSED: Final = "No agent called the tool in this time range."

BOARD: Final = Board(
    slug="tool",
    title="Tool and MCP server",
    question="Is it the tool: which, since which version of it, and for whom?",
    variables=(variables.ENVIRONMENT, variables.TOOL, variables.AGENT, variables.SERVICE),
    sections=(
        Section(
            title="What broke",
            panels=(
                shared.regressions(_READ, width=14, height=7),
                shared.in_use(
                    _READ,
                    _OF_TOOLS,
                    width=10,
                    height=7,
                    alerts=("ToolSchemaChanged",),
                    description=(
                        "The newest version of each tool and when its first call was seen. A version that starts with"
                        " sha- was made from the schema: it changed and nobody named the change."
                    ),
                ),
            ),
        ),
        Section(
            title="As agents see it",
            panels=(
                _READ.line(TOOL_SUCCESS),
                shared.by_class("Calls by error class", contract.TOOL_CALLS, Label.ERROR_CLASS, _CALLS, _UNUSED),
                shared.by_class("Calls by tool version", contract.TOOL_CALLS, Label.TOOL_VERSION, _CALLS, _UNUSED),
                _READ.quantiles(TOOL_LATENCY),
                _READ.line(TOOL_TIMEOUTS),
                Reader(_CALLS).line(TOOL_RETRIES),
                shared.by_class("Calls by agent", contract.TOOL_CALLS, Label.AGENT, _CALLS, _UNUSED, width=12),
                shared.durations("Durations of calls", contract.TOOL_DURATION, _CALLS, _UNUSED, width=12),
                _READ.traffic(TOOL_SUCCESS, "Calls", width=24, height=6),
            ),
        ),
        Section(
            title="As MCP servers see it",
            panels=(
                _SERVERS.line(MCP_SERVER_SUCCESS, width=12),
                TimeSeries(
                    title="Calls and served calls",
                    description=(
                        "Calls that agents counted and calls that MCP servers served, in the hour before. More served"
                        " than called: something calls the tool without telemetry. Called and not served: the server"
                        " sends none. A line that falls to nothing: agents no longer use the tool."
                    ),
                    no_data=_UNUSED,
                    queries=(
                        Prom(expr=_READ.count(c.TOOL_CALLS, HOUR), legend=f"called {legend(c.TOOL_CALLS.by)}"),
                        Prom(expr=_READ.count(c.SERVED_CALLS, HOUR), legend=f"served {legend(c.SERVED_CALLS.by)}"),
                    ),
                    width=12,
                    alerts=("ToolIdle", "ToolSpansMismatch"),
                ),
            ),
        ),
    ),
    next=("fleet", "agent", "versions", "explore"),
)
