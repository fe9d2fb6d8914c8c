"""`agentobs traces` and `agentobs logs`: what happened, by agent, tool and version, whichever stores are in use."""

import re
import time
from typing import Annotated, Final

import typer
from pydantic import BaseModel

from agentobs.contract import Attr
from collector.search import LineSearch, LogLine, Op, SearchError, Span, SpanSearch, Term, Trace, words
from collector.search.model import SEVERITIES, of_version, seconds
from collector.stores import LogKind, TraceKind
from stacks.cli import safe, show_look
from stacks.cli.options import (
    AsJson,
    JaegerUrl,
    LokiUrl,
    Schema,
    Since,
    Stack,
    TempoUrl,
    VictoriaLogsUrl,
    Where,
    print_schema,
)
from stacks.cli.show import error_console
from stacks.endpoints import resolve
from stacks.environments import EnvName

_LOCAL: Final = EnvName.LOCAL
_MOST: Final = 5000
"""What Loki answers at most, unless it is told otherwise."""
_SHORT: Final = {
    "agent": Attr.AGENT_NAME, "tool": Attr.TOOL_NAME, "service": Attr.SERVICE_NAME, "environment": Attr.ENVIRONMENT,
}  # fmt: skip
"""What `--by` takes beside the names of attributes."""
_NOTHING: Final = "Look further back with --since, or leave a condition out."

Agent = Annotated[str, typer.Option("--agent", "-a", help="Only this agent.")]
Tool = Annotated[str, typer.Option("--tool", "-t", help="Only calls of this tool.")]
Version = Annotated[
    str, typer.Option("--version", help="Only what ran with this version of a prompt, tool, model or graph.")
]
Service = Annotated[str, typer.Option("--service", help="Only this service.name.")]
Condition = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="'NAME OP VALUE'",
        help="An attribute, as 'agentic.retry.attempt > 1'; repeatable; may hold or.",
    ),
]


def _limit(text: str | int) -> int:
    """A number of results."""
    if not (str(text).isascii() and str(text).isdecimal() and 1 <= int(text) <= _MOST):
        raise typer.BadParameter(f"{text!r} is no limit; write a number from 1 to {_MOST}, for example 50")
    return int(text)


Limit = Annotated[
    int,
    typer.Option("--limit", "-n", parser=_limit, metavar="NUMBER", help=f"At most so many, the newest; up to {_MOST}."),
]


class FoundTraces(BaseModel):
    """Traces that a search found, newest first; times in unix seconds."""

    traces: list[Trace]


class OneTrace(BaseModel):
    """Every step of one trace; times in unix seconds."""

    trace_id: str
    spans: list[Span]


class FoundLines(BaseModel):
    """Lines that a search found, newest first; times in unix seconds."""

    lines: list[LogLine]


def traces(
    trace_id: Annotated[str, typer.Argument(metavar="[TRACE_ID]", help="Show this trace as a tree.")] = "",
    stack: Stack = _LOCAL,
    environment: Where = "",
    agent: Agent = "",
    tool: Tool = "",
    version: Version = "",
    service: Service = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only traces in which such a step failed.")] = False,
    slower: Annotated[str, typer.Option("--slower", metavar="DURATION", help="Only steps slower than 500ms, 5s.")] = "",
    where: Condition = None,
    at_least: Annotated[int, typer.Option(min=1, help="Only traces with so many such steps.")] = 1,
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    limit: Limit = 20,
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Find traces by what a step in them is: one step has to fulfil every condition. With an id: show that trace."""
    if schema:
        print_schema(OneTrace if trace_id else FoundTraces)
        return
    if trace_id:
        _must_be_an_id(trace_id)
    search = SpanSearch(
        terms=(*_named(environment, agent, tool, service), *_terms(where)),
        any_of=(*_groups(where), *([of_version(version)] if version else [])),
        failed=failed,
        slower_than_s=seconds(slower) if slower else None,
        at_least=at_least,
    )
    now = time.time()
    with resolve(stack, TraceKind, {"tempo": tempo, "jaeger": jaeger}) as stores:
        store = stores.traces
        if store is None:
            raise SearchError(f"the stack {stack} has no store of traces; name one with --tempo or --jaeger URL")
        if trace_id:
            _show_one(OneTrace(trace_id=trace_id, spans=store.trace(trace_id)), as_json=as_json)
            return
        found = FoundTraces(traces=store.find(search, now - since, now, limit))
    if as_json:
        safe.document(found)
    elif not found.traces:
        error_console().print(f"No kept trace is like that in this window. {_NOTHING}")
    else:
        safe.Console().print(show_look.traces(found.traces, link=stores.trace_link))


def _must_be_an_id(text: str) -> None:
    if not re.fullmatch(r"[0-9a-fA-F]{1,32}", text):
        raise SearchError(f"{text!r} is no trace id; an id has up to 32 hexadecimal digits")


def _show_one(found: OneTrace, *, as_json: bool) -> None:
    if not found.spans:
        raise SearchError(
            f"there is no trace {found.trace_id}: it was not kept, its time is over, or it is in another stack's store"
        )
    if as_json:
        safe.document(found)
    else:
        safe.Console().print(show_look.tree(found.spans))


def logs(
    stack: Stack = _LOCAL,
    environment: Where = "",
    agent: Agent = "",
    tool: Tool = "",
    version: Version = "",
    service: Service = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only errors; short for --severity error.")] = False,
    severity: Annotated[
        str, typer.Option(metavar="LEVEL", help="From this level on: debug, info, warning, error, or a number.")
    ] = "",
    event: Annotated[str, typer.Option(help="Only events of this name.")] = "",
    trace: Annotated[str, typer.Option("--trace", metavar="TRACE_ID", help="Only lines of this trace.")] = "",
    text: Annotated[str, typer.Option(help="Only lines with this text in them.")] = "",
    where: Condition = None,
    by: Annotated[
        str, typer.Option(metavar="ATTRIBUTE", help="Count lines by this attribute, of the newest --limit lines.")
    ] = "",
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    limit: Limit = 50,
    loki: LokiUrl = "",
    victorialogs: VictoriaLogsUrl = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Find lines and events by who wrote them and what about."""
    if schema:
        print_schema(FoundLines)
        return
    search = LineSearch(
        terms=(*_named(environment, agent, tool, service), *_terms(where)),
        any_of=(*_groups(where), *([of_version(version)] if version else [])),
        severity=_severity("error" if failed and not severity else severity),
        event=event,
        trace_id=trace,
        text=text,
    )
    if trace:
        _must_be_an_id(trace)
    now = time.time()
    with resolve(stack, LogKind, {"loki": loki, "victorialogs": victorialogs}) as stores:
        store = stores.logs
        if store is None:
            raise SearchError(f"the stack {stack} has no store of logs; name one with --loki or --victorialogs URL")
        found = FoundLines(lines=store.lines(search, now - since, now, limit))
    if as_json:
        safe.document(found)
    elif not found.lines:
        hint = " A call that failed is a warning: --severity warning." if failed else ""
        error_console().print(f"No line is like that in this window. {_NOTHING}{hint}")
    else:
        safe.Console().print(show_look.counted(found.lines, _SHORT.get(by, by)) if by else show_look.lines(found.lines))


def _named(environment: str, agent: str, tool: str, service: str) -> tuple[Term, ...]:
    given = (
        (Attr.ENVIRONMENT, environment),
        (Attr.SERVICE_NAME, service),
        (Attr.AGENT_NAME, agent),
        (Attr.TOOL_NAME, tool),
    )
    return tuple(Term(key, Op.EQUAL, value) for key, value in given if value)


def _terms(where: list[str] | None) -> tuple[Term, ...]:
    return tuple(group[0] for group in map(words.condition, where or []) if len(group) == 1)


def _groups(where: list[str] | None) -> tuple[tuple[Term, ...], ...]:
    return tuple(group for group in map(words.condition, where or []) if len(group) > 1)


def _severity(text: str) -> int | None:
    if not text:
        return None
    if text.isdecimal():
        return int(text)
    if text.lower() not in SEVERITIES:
        raise SearchError(f"{text!r} is no level; write one of {', '.join(SEVERITIES)}, or OpenTelemetry's number")
    return SEVERITIES[text.lower()]
