"""Spans that promise a call and that no KPI reads, by the library that made them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from agentobs.contract import Attr, Label, Operation, Place
from collector.check.findings import Finding, Kind, Severity
from collector.check.metrics import Counted
from collector.check.spans import Span, Tally, Trace, Tree
from collector.unread import scope_label

_TOOLS_CALL: Final = "tools/call"
_NAMED: Final = "emit.model_call, emit.tool_call or emit.agent"
_NO_SCOPE: Final = "a tracer without a name"
_CLIENT: Final = "client"


def unread(traces: Iterable[Trace], counted: Iterable[Counted] = ()) -> list[Finding]:
    """Unread spans of the traces; and those that only the series know, labels: service and scope."""
    tallies: defaultdict[tuple[str, str, str, str], Tally] = defaultdict(Tally)
    for trace in traces:
        tree = Tree.of(trace)
        for span in trace:
            reason, fix = _why(span, tree)
            if reason:
                tallies[span.service, span.scope, reason, fix].add(span, is_bad=True)
    found = [_finding(service, scope, reason, fix, tally) for (service, scope, reason, fix), tally in tallies.items()]
    known = {(service, scope_label(scope)) for service, scope, *_ in tallies}
    return found + [
        _finding(
            row.labels.get(Label.SERVICE, ""),
            scope,
            "spans that no KPI reads, in none of the traces looked at",
            f"look at more of them with --traces 1000, or at a trace of this service; then {_by_operation()}",
            Tally(count=round(row.value)),
        )
        for row in counted
        if row.value >= 1 and (row.labels.get(Label.SERVICE, ""), scope := row.labels.get(Label.SCOPE, "")) not in known
    ]


def _finding(service: str, scope: str, what: str, fix: str, tally: Tally) -> Finding:
    return Finding(
        severity=Severity.REQUIRED,
        kind=Kind.UNREAD,
        service=service,
        subject=scope or _NO_SCOPE,
        scope=scope or _NO_SCOPE,
        what=what,
        fix=fix,
        **asdict(tally) | {"of": 0},  # nothing to compare with
    )


def _why(span: Span, tree: Tree) -> tuple[str, str]:
    """What keeps a span from being read, and how to mend it; empty where it is read."""
    if span.is_unread:
        operation = span.attributes.get(Attr.OPERATION)
        if operation == Operation.EXECUTE_TOOL:
            return (
                f"tool calls whose span is of kind {span.kind.upper()}",
                "make it INTERNAL, or wrap the call in emit.tool_call(name, version=...) where the agent makes it",
            )
        said = f"have no {Attr.OPERATION}" if operation is None else f"call their operation {str(operation)[:40]!r}"
        return f"{_work(span)} that no KPI reads: they {said}", _by_operation()
    if _is_bare_call(span, tree):
        return (
            "MCP calls of a client without a span of the agent's tool",
            "agentobs.context.adopt() counts them as the tool calls; or wrap each in emit.tool_call(name, version=...)",
        )
    return "", ""


def _work(span: Span) -> str:
    is_tool = any("tool" in key for key in span.attributes if not key.startswith("gen_ai.usage"))
    is_model = any(key in span.attributes for key in (Attr.REQUEST_MODEL, Attr.INPUT_TOKENS))
    return "model calls" if is_model else "tool calls" if is_tool else "spans"


def _by_operation() -> str:
    return (
        f"set {Attr.OPERATION} to {Operation.CHAT}, {Operation.EXECUTE_TOOL} or {Operation.INVOKE_AGENT} on them, "
        f"take a version of the library that does so, or wrap the work in {_NAMED}"
    )


def _is_bare_call(span: Span, tree: Tree) -> bool:
    """A tool call over MCP that nothing above it stands for. What has lost its parents is another finding."""
    if span.kind != _CLIENT or span.attributes.get(Attr.MCP_METHOD) != _TOOLS_CALL:
        return False
    above = [*tree.above(span)]
    is_whole = not (above[-1] if above else span).parent_id
    covered = any(Place.TOOL in each.places or Attr.TOOL_NAME in each.attributes for each in above)
    return is_whole and not covered
