"""Cases from production: what one trace shows becomes a draft, with a tape; a person reads it before it counts.

A trace that was cut, or that holds no content, is refused with its reason: half a conversation is no case. Not here:
which traces are looked at (`choosing`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentobs.contract import ROLE_TASK, Attr, Operation
from collector import search
from collector.redaction import finding
from delivery.golden.observed import Observation, Span, observe
from delivery.golden.tape import Call, Surface, Tape, written

UNREAD: Final = "TODO: say what should happen here"
"""What stands in a draft where a person has to write; no case is taken in with it."""
_CUT: Final = 2048
"""Tempo cuts texts to this length, and does not say so."""
_VERSIONS: Final = {
    "prompt": (Attr.PROMPT_NAME, Attr.PROMPT_VERSION),
    "tool": (Attr.TOOL_NAME, Attr.TOOL_VERSION),
    "model": (Attr.AGENT_NAME, Attr.REQUEST_MODEL),
    "graph": (Attr.WORKFLOW_NAME, Attr.GRAPH_VERSION),
}


class RefusedTraceError(Exception):
    """Why a trace is no case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A case that nobody has read yet, the tape that goes with it, and what was seen."""

    case: dict[str, Any]
    tape: Tape
    surfaces: tuple[Surface, ...]
    seen: Observation


def draft(trace_id: str, found: Sequence[search.Span]) -> Draft:
    """Make a draft of a trace. Raises RefusedTraceError."""
    spans = [_span(each) for each in found]
    seen = observe(spans, (), answer=None)
    if seen.invalid:
        raise RefusedTraceError(seen.invalid)
    root = next(span for span in spans if span.said(Attr.SPAN_ROLE) == ROLE_TASK)
    chats = sorted((span for span in spans if span.said(Attr.INPUT_MESSAGES)), key=lambda span: span.start)
    asked = next((text for span in (root, *chats) if (text := _words(span, Attr.INPUT_MESSAGES, "user"))), "")
    if not asked:
        raise RefusedTraceError("no input: neither the task nor a model call has gen_ai.input.messages")
    calls, surfaces = _calls(spans)
    tape = Tape(servers={each.name: written(each)[0] for each in surfaces}, calls=tuple(calls))
    case = {
        "id": f"trace-{trace_id[:16].lower()}",
        "input": asked,
        "expected_behavior": UNREAD,
        "tools_allowed": sorted({call.tool for call in calls}),
        "success_criteria": {
            "outcome": "success",
            "tools": [{"name": call.tool, "args": call.arguments} for call in calls if _answered(call)],
        },
        "agent_path_expected": [agent for step in seen.path for agent in step],
        "kind": "normal" if seen.outcome == "success" else "edge",
        "provenance": {"source": "production", "trace_id": trace_id, "versions": versions(spans)},
    }
    return _without_personal_data(Draft(case=case, tape=tape, surfaces=tuple(surfaces), seen=seen))


def _answered(call: Call) -> bool:
    return not (call.result or {}).get("isError")


def _span(span: search.Span) -> Span:
    return Span(
        trace=span.trace_id,
        id=span.span_id,
        parent=span.parent_id,
        name=span.name,
        start=round(span.start * 1e9),
        end=round(span.end * 1e9),
        server_side=span.kind == "server",
        attributes=span.attributes,
    )


def versions(spans: Sequence[Span]) -> dict[str, dict[str, str]]:
    """What ran, in the four dimensions."""
    made: dict[str, dict[str, str]] = {}
    for span in spans:
        for dimension, (name, version) in _VERSIONS.items():
            if span.said(name) and span.said(version):
                made.setdefault(dimension, {})[str(span.said(name))] = str(span.said(version))
    return {dimension: dict(sorted(named.items())) for dimension, named in sorted(made.items())}


def _words(span: Span, key: Attr, role: str) -> str:
    """The last text of a role among the messages of a span."""
    said = ""
    for message in _whole(span, key) or ():
        if isinstance(message, dict) and message.get("role") == role:
            parts = message.get("parts") or [message]
            texts = [
                part.get("content") for part in parts if isinstance(part, dict) and part.get("type", "text") == "text"
            ]
            said = " ".join(text for text in texts if isinstance(text, str)) or said
    return said


def _whole(span: Span, key: Attr) -> Any:  # noqa: ANN401 any JSON
    """The JSON of an attribute. Raises RefusedTraceError where it was cut, or is none."""
    value = span.said(key)
    if not isinstance(value, str):
        return value
    if len(value) == _CUT:
        raise RefusedTraceError(f"{key} of {span.name} has {_CUT} characters: it was cut by the store of traces")
    try:
        return json.loads(value)
    except ValueError:
        raise RefusedTraceError(f"{key} of {span.name} is no whole JSON: it was cut, or redacted") from None


def _calls(spans: Sequence[Span]) -> tuple[list[Call], list[Surface]]:
    """The calls of tools as a tape holds them, and what is known of their servers."""
    calls: list[Call] = []
    tools: dict[str, dict[str, str]] = {}
    for span in _outermost(spans):
        name = str(span.said(Attr.TOOL_NAME))
        arguments = _whole(span, Attr.TOOL_ARGUMENTS)
        failed = bool(span.said(Attr.ERROR_TYPE))
        if not isinstance(arguments, dict) or (span.said(Attr.TOOL_RESULT) is None and not failed):
            raise RefusedTraceError(f"the call of {name} holds no arguments or no result: content is not recorded")
        server = str(span.said(Attr.MCP_SERVER_NAME) or "tools")
        tools.setdefault(server, {})[name] = str(span.said(Attr.TOOL_VERSION) or "")
        text = _result(span)
        result = {"content": [{"type": "text", "text": text}], "isError": failed, "resultType": "complete"}
        calls.append(Call(server=server, tool=name, arguments=arguments, result=result))
    surfaces = [
        Surface(
            name=server,
            version=next(iter(named.values()), ""),
            tools=tuple({"name": name, "inputSchema": {"type": "object"}} for name in sorted(named)),
        )
        for server, named in sorted(tools.items())
    ]
    return calls, surfaces


def _outermost(spans: Sequence[Span]) -> Iterator[Span]:
    tools = {span.id for span in spans if span.said(Attr.OPERATION) == Operation.EXECUTE_TOOL and not span.server_side}
    parents = {span.id: span.parent for span in spans}
    for span in sorted(spans, key=lambda each: (each.start, each.id)):
        above, seen = span.parent, {span.id}
        while above in parents and above not in tools and above not in seen:
            seen.add(above)
            above = parents[above]
        if span.id in tools and above not in tools:
            yield span


def _result(span: Span) -> str:
    value = span.said(Attr.TOOL_RESULT)
    if isinstance(value, str) and len(value) == _CUT:
        raise RefusedTraceError(f"the result of {span.name} has {_CUT} characters: it was cut by the store of traces")
    return value if isinstance(value, str) else json.dumps(value if value is not None else "", ensure_ascii=False)


def _without_personal_data(made: Draft) -> Draft:
    """Stand-ins, the same in input, arguments and results, so that a replay still finds its recordings."""
    known: dict[str, str] = {}
    case: dict[str, Any] = _each_text(made.case, known)
    case["provenance"] = {**made.case["provenance"], "redaction": f"{len(known)} stand-ins" if known else ""}
    calls = []
    for call in made.tape.calls:
        arguments, result = (_each_text(each, known) for each in (call.arguments, call.result))
        calls.append(call.model_copy(update={"arguments": arguments, "result": result}))
    tape = made.tape.model_copy(update={"calls": tuple(calls)})
    case["tape"] = written(tape)[0]
    return Draft(case=case, tape=tape, surfaces=made.surfaces, seen=made.seen)


def _each_text(value: Any, known: dict[str, str]) -> Any:  # noqa: ANN401 any JSON
    if isinstance(value, str):
        return finding.replaced(value, known)
    if isinstance(value, Mapping):
        return {key: each if key in {"id", "trace_id"} else _each_text(each, known) for key, each in value.items()}
    return [_each_text(each, known) for each in value] if isinstance(value, list | tuple) else value
