"""Traces that are torn: spans without their parent, tool servers outside the trace, agents outside a task."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from agentobs.contract import ROLE_TASK, Attr, Place
from collector.check.findings import Finding, Kind, Severity
from collector.check.spans import SERVER, Span, Tally, Trace

_TOOLS_CALL: Final = "tools/call"
_CONTEXT: Final = "traceparent"


def orphaned(traces: Iterable[Trace], settled_before: float) -> list[Finding]:
    """Spans whose parent never arrived, in traces whose last span ended before `settled_before` (unix seconds)."""
    whole = [trace for trace in traces if max(span.end for span in trace) < settled_before]
    marked = [(span, is_orphan) for trace in whole for span, is_orphan in _marked(trace)]
    return _findings(
        marked,
        Severity.PROBLEM,
        Kind.ORPHANED,
        subject="parent",
        what="the parent span never arrived",
        fix="the parent was not ended, not exported or lost: end it in a with block, call telemetry.shutdown() before "
        "the process exits, let the calling program export too, and sample in the collector only",
    )


def detached(traces: Iterable[Trace]) -> list[Finding]:
    """Tool calls that an MCP server served outside the trace of its caller."""
    served = [
        s for trace in traces for s in trace if s.kind == SERVER and s.attributes.get(Attr.MCP_METHOD) == _TOOLS_CALL
    ]
    return _findings(
        [(span, not span.parent_id) for span in served],
        Severity.PROBLEM,
        Kind.DETACHED,
        subject=_CONTEXT,
        what="the MCP server's span is a trace of its own",
        fix="send traceparent, tracestate and baggage in params._meta of the request; the MCP Python SDK does so from "
        "2.3 on, when both sides have it",
    )


def untasked(traces: Iterable[Trace]) -> list[Finding]:
    """Traces with agents and no task, by the program of their root: these tasks are in no KPI."""
    whole = [trace for trace in traces if any(Place.AGENT in span.places for span in trace) and not _is_torn(trace)]
    marked = [(_root(trace), not any(Place.TASK in span.places for span in trace)) for trace in whole]
    return _findings(
        marked,
        Severity.REQUIRED,
        Kind.UNTASKED,
        subject=Attr.SPAN_ROLE,
        what="agents at work and no task span",
        fix=f'wrap the request in emit.task(...); or set {Attr.SPAN_ROLE}="{ROLE_TASK}" on its own span',
    )


def _marked(trace: Trace) -> list[tuple[Span, bool]]:
    """Every span, and whether its parent is missing."""
    ids = {span.span_id for span in trace}
    return [(span, bool(span.parent_id) and span.parent_id not in ids) for span in trace]


def _is_torn(trace: Trace) -> bool:
    return any(is_orphan for _, is_orphan in _marked(trace))


def _root(trace: Trace) -> Span:
    return min(trace, key=lambda span: bool(span.parent_id))


def _findings(  # noqa: PLR0913 one finding in full
    marked: Iterable[tuple[Span, bool]], severity: Severity, kind: Kind, *, subject: str, what: str, fix: str
) -> list[Finding]:
    """One finding per service and agent that has a bad span."""
    tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    for span, is_bad in marked:
        tallies[span.service, span.agent].add(span, is_bad=is_bad)
    return [
        Finding(
            severity=severity,
            kind=kind,
            service=service,
            agent=agent,
            subject=subject,
            what=what,
            fix=fix,
            **asdict(tally),
        )
        for (service, agent), tally in tallies.items()
        if tally.count
    ]
