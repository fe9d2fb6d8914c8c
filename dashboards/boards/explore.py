"""Traces and logs: what exactly happened, in one request?"""

from typing import Final

from alerts.catalogue import DIMENSIONS
from collector import signals
from collector.signals import Attr, Label
from dashboards.boards import shared
from dashboards.lib import variables
from dashboards.lib.model import (
    Board,
    LogList,
    LogQl,
    NodeGraph,
    Section,
    ServiceGraph,
    TraceList,
    TraceQl,
    TraceView,
)
from dashboards.lib.panels import Reader

_SCOPE: Final = (Label.ENVIRONMENT, Label.AGENT)
_READ: Final = Reader(_SCOPE)
_HERE: Final = f'resource.{Attr.ENVIRONMENT} = "$environment"'
_OF_AGENT: Final = f'span.{Attr.AGENT_NAME} =~ "$agent"'
_LOGS: Final = '{deployment_environment_name="$environment"}'
_NO_TRACE: Final = "No kept trace is like that in this time range; errors, slow and evaluated ones are always kept."


def _search(title: str, description: str, *terms: str) -> TraceList:
    query = " && ".join((_HERE, *terms))
    return TraceList(
        title=title,
        description=description,
        no_data=_NO_TRACE,
        queries=(TraceQl(query=f"{{ {query} }}"),),
        width=12,
    )


def _lines(title: str, description: str, no_data: str, pipeline: str) -> LogList:
    return LogList(
        title=title,
        description=description,
        no_data=no_data,
        queries=(LogQl(expr=f"{_LOGS}{pipeline}"),),
        width=12,
        height=10,
    )


BOARD: Final = Board(
    slug="explore",
    title="Traces and logs",
    question="What exactly happened in one task?",
    variables=(variables.ENVIRONMENT, variables.AGENT, variables.SLOWER, variables.TRACE),
    sections=(
        Section(
            title="Find a trace",
            panels=(
                _search("Failed", "Traces in which a step of the agent failed.", "status = error", _OF_AGENT),
                _search("Slow", "Traces with a step of the agent slower than chosen.", "duration > $slower", _OF_AGENT),
                _search(
                    "Retried",
                    "Traces in which a tool call of the agent was tried again.",
                    f"span.{Attr.RETRY_ATTEMPT} > 0",
                    _OF_AGENT,
                ),
                _search(
                    "Failed tasks",
                    "Traces whose task did not reach its goal, whatever failed in it.",
                    f'span.{Attr.TASK_OUTCOME} != nil && span.{Attr.TASK_OUTCOME} != "success"',
                ),
            ),
        ),
        Section(
            title="One trace",
            panels=(
                TraceView(
                    title="Trace",
                    description="The steps of the chosen trace; versions are attributes of each step.",
                    no_data="No trace id is chosen, or Tempo no longer has the trace.",
                    queries=(TraceQl(query="$trace"),),
                    width=24,
                    height=16,
                ),
                _lines(
                    "Lines of the trace",
                    "What programs logged while they worked on the chosen trace.",
                    "No trace id is chosen, or nothing was logged in it.",
                    ' | trace_id="$trace"',
                ),
                _lines(
                    "Warnings and errors",
                    "Lines of level warning and worse; each leads to its trace.",
                    "No line of that level in this time range.",
                    " | severity_number >= 13",
                ),
            ),
        ),
        Section(
            title="Around it",
            panels=(
                NodeGraph(
                    title="Who calls whom",
                    description=("Services that call one another; rates are those of the traces that were kept."),
                    no_data="No kept trace went from one service to another in this time range.",
                    queries=(ServiceGraph(where='{client_deployment_environment_name="$environment"}'),),
                    width=12,
                    height=12,
                ),
                shared.in_use(
                    _READ,
                    tuple(each for each in DIMENSIONS if Label.AGENT in each.entity),
                    width=12,
                    height=12,
                ),
                shared.by_class(
                    "Tool calls by tool",
                    signals.TOOL_CALLS,
                    Label.TOOL,
                    _SCOPE,
                    "The agent called no tool in this time range.",
                    width=24,
                ),
            ),
        ),
    ),
    next=("fleet", "agent", "tool", "versions"),
)
