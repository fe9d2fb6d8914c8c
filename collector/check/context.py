"""What gets lost between spans: the agent's name on the way down, and the trace on the way to another agent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Final

from agentobs.contract import Attr, Place
from collector.check.findings import Finding, Kind, Severity
from collector.check.frameworks import framework, is_node, may_be_python
from collector.check.spans import Span, Tally, Trace

_CALLS: Final = frozenset({Place.MODEL, Place.TOOL})
_LANGUAGE: Final = "telemetry.sdk.language"
_ADOPT: Final = (
    "agentobs.context.adopt() once the framework has set up its exporters, or emit.configure(...) instead of that "
    "set-up: either hands the agent's name down"
)
_NODE: Final = (
    "wrap what exports: new AgentContextProcessor(...) of agentobs-sdk for Node (sdk/js) hands the agent's name down"
)
_BY_HAND: Final = f"put {Attr.AGENT_NAME} into baggage where the agent begins, and copy baggage to spans"
_SLACK_S: Final = 0.05


def needs_a_name(trace: Trace) -> Iterator[tuple[Span, bool]]:
    """Model and tool spans of frameworks in traces that know an agent, and whether they name none."""
    if any(span.agent for span in trace):
        for span in trace:
            if span.places & _CALLS and framework(span.scope):
                yield span, not span.agent


def unnamed(traces: Iterable[Trace]) -> list[Finding]:
    """Calls whose agent an ancestor knows and they do not, by service and framework."""
    tallies: defaultdict[tuple[str, str, str], Tally] = defaultdict(Tally)
    for trace in traces:
        for span, is_bad in needs_a_name(trace):
            tallies[span.service, span.scope, str(span.resource.get(_LANGUAGE, ""))].add(span, is_bad=is_bad)
    return [
        Finding(
            severity=Severity.REQUIRED,
            kind=Kind.UNNAMED,
            service=service,
            subject=Attr.AGENT_NAME,
            what=f"model and tool calls that do not say which agent made them (no {Attr.AGENT_NAME})",
            scope=scope,
            fix=_line(scope, language),
            **asdict(tally),
        )
        for (service, scope, language), tally in tallies.items()
        if tally.count
    ]


def _line(scope: str, language: str) -> str:
    """What mends a framework's missing name, in the program's own language."""
    if may_be_python(scope, language):
        return _ADOPT
    return _NODE if is_node(scope, language) else _BY_HAND


def scattered(traces: Iterable[Trace]) -> list[Finding]:
    """Tasks that ran inside another task of the same conversation, under another name: parts of it, torn off.

    A conversation of many turns has many tasks too, one after the other.
    """
    tasks = [span for trace in traces for span in trace if Place.TASK in span.places and not span.parent_id]
    conversations: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
    for task in tasks:
        conversation = task.attributes.get(Attr.CONVERSATION_ID)
        if conversation:
            conversations[task.service, str(conversation)].append(task)
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for (service, _), found in conversations.items():
        for task in found:
            tallies[service].add(task, is_bad=any(_is_part(task, other) for other in found))
    return [
        Finding(
            severity=Severity.PROBLEM,
            kind=Kind.SCATTERED,
            service=service,
            subject=Attr.CONVERSATION_ID,
            what="tasks that ran inside another task of their conversation: sub-agents that lost the trace",
            fix="start sub-agents in the caller's context: contextvars.copy_context().run(...) for threads and "
            "executors, traceparent and baggage in the headers for other processes",
            **asdict(tally),
        )
        for service, tally in tallies.items()
        if tally.count
    ]


def _is_part(task: Span, other: Span) -> bool:
    if other.trace_id == task.trace_id or _name(other) == _name(task):
        return False
    inside = other.start - _SLACK_S <= task.start and task.end <= other.end + _SLACK_S
    return inside and other.end - other.start > task.end - task.start


def _name(task: Span) -> str:
    return str(task.attributes.get(Attr.WORKFLOW_NAME) or task.name)
