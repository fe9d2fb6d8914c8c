"""Runs of agent frameworks, played again through a real tracer provider, without the frameworks.

`events.jsonl.xz` of a capture lists what a span processor saw: starts, what open spans were told later (SET), ends. The
same spans are started and ended here in that order, with the same parents, baggage and attributes at each moment.
"""

import json
import lzma
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import IdGenerator, ReadableSpan, Span, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from agentobs.context import AgentContextProcessor, detached
from agentobs.context.lineage import node_of
from support.corpus import RECORDED

Line = dict[str, Any]


class _Recorded(IdGenerator):
    """The ids of the line that is being played."""

    line: Line

    def generate_span_id(self) -> int:
        return int(self.line["span"], 16)

    def generate_trace_id(self) -> int:
        return int(self.line["trace"], 16)


@dataclass
class _Player:
    """One run. `live` are spans by trace and id, `before` the span that was last started in the same context."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    ids: _Recorded = field(default_factory=_Recorded)
    live: dict[tuple[str, str], Span] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    before: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.provider = TracerProvider(id_generator=self.ids, shutdown_on_exit=False)
        self.processor = AgentContextProcessor(SimpleSpanProcessor(self.exporter))
        self.provider.add_span_processor(self.processor)

    def start(self, line: Line) -> None:
        self.ids.line = line
        self.before[line["span"]] = line["last_in_context"]
        # Contexts are not played again; this is the one thing that the processor keeps in them.
        detached.note(node_of(self._detached(line["last_in_context"])))
        tracer = self.provider.get_tracer(line["scope"] or "", line["scope_version"])
        attributes = {key: value for key, value in line["attributes"].items() if value is not None}
        span = tracer.start_span(
            line["name"], self._around(line), SpanKind[line["kind"]], attributes, start_time=line["time"]
        )
        self.live[line["trace"], line["span"]] = self.spans[line["span"]] = span

    def _around(self, line: Line) -> context.Context:
        around = context.Context()
        for key, value in line["baggage"].items():
            around = baggage.set_baggage(key, value, around)
        if line["parent"] is None:
            return around
        parent: trace.Span | None = self.live.get((line["trace"], line["parent"])) if line["parent_is_live"] else None
        if parent is None:
            ids = int(line["trace"], 16), int(line["parent"], 16)
            parent = NonRecordingSpan(SpanContext(*ids, line["parent_is_remote"], TraceFlags(1)))
        return trace.set_span_in_context(parent, around)

    def _detached(self, span_id: str | None) -> Span | None:
        while span_id is not None:
            span = self.spans.get(span_id)
            if span is not None and span.instrumentation_scope.name.startswith(detached.SCOPES):
                return span
            span_id = self.before.get(span_id)
        return None

    def end(self, line: Line) -> None:
        span = self.live[line["trace"], line["span"]]
        span.update_name(line["name"])
        span.set_attributes(line["attributes"])
        for event in line["events"]:
            span.add_event(event["name"], event["attributes"], event["time"])
        failed = line["status"] == "ERROR"
        span.set_status(Status(StatusCode[line["status"]], line["status_message"] if failed else None))
        span.end(line["time"])


def lines(name: str, file: str) -> Iterator[Line]:
    """The lines of one file of a capture."""
    yield from map(json.loads, lzma.decompress((RECORDED / name / f"{file}.jsonl.xz").read_bytes()).splitlines())


def replay(name: str) -> tuple[ReadableSpan, ...]:
    """Return what the processor makes of a capture's spans."""
    player = _Player()
    for line in lines(name, "events"):
        if line["event"] == "START":
            player.start(line)
        elif line["event"] == "SET":
            player.live[line["trace"], line["span"]].set_attributes(line["attributes"])
        else:
            player.end(line)
    player.provider.shutdown()
    return player.exporter.get_finished_spans()


@dataclass(frozen=True)
class Truth:
    """What happened, told by the model server and the tools: counts by agent, and by agent and tool."""

    models: Counter[str]
    tools: Counter[tuple[str, str]]
    retries: Counter[tuple[str, str]]


def truth(name: str) -> Truth:
    """Return what really happened in a capture."""
    agents = json.loads((RECORDED / name / "truth.json").read_text())["agents"]
    tools = {(agent, tool): counts for agent, of in agents.items() for tool, counts in of["tools"].items()}
    return Truth(
        models=+Counter({agent: of["model_calls"] for agent, of in agents.items()}),
        tools=+Counter({key: counts["calls"] for key, counts in tools.items()}),
        retries=+Counter({key: counts["retries"] for key, counts in tools.items()}),
    )
