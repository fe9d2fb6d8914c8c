"""Traces and logs: what exactly happened, in one request?"""

from typing import Final

from agentobs import contract
from agentobs.contract import Attr, Label, Outcome
from alerts.catalogue import DIMENSIONS
from collector.search import LineSearch, Op, SpanSearch, Term
from collector.search.model import WARNING
from dashboards.boards import shared
from dashboards.lib import variables
from dashboards.lib.model import (
    Board,
    LineQuery,
    LogList,
    NodeGraph,
    Section,
    ServiceGraph,
    TraceById,
    TraceList,
    TraceQuery,
    TraceView,
)
from dashboards.lib.panels import Reader

_SCOPE: Final = (Label.ENVIRONMENT, Label.AGENT)
_READ: Final = Reader(_SCOPE)
_HERE: Final = Term(Attr.ENVIRONMENT, Op.EQUAL, "$environment")
_OF_AGENT: Final = Term(Attr.AGENT_NAME, Op.MATCHES, "$agent")
_RETRIED: Final = Term(Attr.RETRY_ATTEMPT, Op.ABOVE, 0)
_ONCE: Final = Term(Attr.RETRY_ATTEMPT, Op.EQUAL, 1)
_MISSED: Final = Term(Attr.TASK_OUTCOME, Op.UNEQUAL, Outcome.SUCCESS)
_FAILED: Final = Term(Attr.TASK_OUTCOME, Op.EQUAL, Outcome.FAILURE)
_NO_TRACE: Final = "No kept trace is like that in this time range; errors, slow and evaluated ones are always kept."


def _search(title: str, description: str, search: SpanSearch, tags: SpanSearch | None = None) -> TraceList:
    return TraceList(
        title=title, description=description, no_data=_NO_TRACE, queries=(TraceQuery(search, tags=tags),), width=12
    )


def _lines(title: str, description: str, no_data: str, search: LineSearch) -> LogList:
    return LogList(
        title=title,
        description=description,
        no_data=no_data,
        queries=(LineQuery(search),),
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
                _search(
                    "Failed",
                    "Traces in which a step of the agent failed.",
                    SpanSearch(terms=(_HERE, _OF_AGENT), failed=True),
                ),
                _search(
                    "Slow",
                    "Traces with a step of the agent slower than chosen.",
                    SpanSearch(terms=(_HERE, _OF_AGENT), slower_than_s="$slower"),
                ),
                _search(
                    "Retried",
                    "Traces in which a tool call of the agent was tried again.",
                    SpanSearch(terms=(_HERE, _OF_AGENT, _RETRIED)),
                    # Whatever was tried again has a first time.
                    tags=SpanSearch(terms=(_HERE, _ONCE)),
                ),
                _search(
                    "Failed tasks",
                    "Traces whose task did not reach its goal, whatever failed in it.",
                    SpanSearch(terms=(_HERE, _MISSED)),
                    tags=SpanSearch(terms=(_HERE, _FAILED)),
                ),
            ),
        ),
        Section(
            title="One trace",
            panels=(
                TraceView(
                    title="Trace",
                    description="The steps of the chosen trace; versions are attributes of each step.",
                    no_data="No trace id is chosen, or its store no longer has the trace.",
                    queries=(TraceById("$trace"),),
                    width=24,
                    height=16,
                ),
                _lines(
                    "Lines of the trace",
                    "What programs logged while they worked on the chosen trace.",
                    "No trace id is chosen, or nothing was logged in it.",
                    LineSearch(terms=(_HERE,), trace_id="$trace"),
                ),
                _lines(
                    "Warnings and errors",
                    "Lines of level warning and worse; each leads to its trace.",
                    "No line of that level in this time range.",
                    LineSearch(terms=(_HERE,), severity=WARNING),
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
                    queries=(
                        ServiceGraph(
                            where='{client_deployment_environment_name="$environment"}',
                            search=SpanSearch(terms=(_HERE,)),
                        ),
                    ),
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
                    contract.TOOL_CALLS,
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
