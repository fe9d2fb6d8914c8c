"""Load for the collector benchmarks: prebuilt OTLP requests of healthy agent traces, fresh trace ids per request.

A request is 34 traces of 15 spans: 1 task, 3 agents, 5 model calls, 3 tool calls, 3 MCP client spans; the attributes of
a span hold `kib` KiB, nearly all of it message content. Not here: what is measured (`collector_cost.py`).
"""

import http.client
import itertools
import json
import os
import random
import time
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from support import otlp

TRACES_PER_REQUEST: Final = 34
SPANS_PER_TRACE: Final = 15
SPANS_PER_REQUEST: Final = TRACES_PER_REQUEST * SPANS_PER_TRACE
_TEXT: Final = (
    "the customer asked for a refund of the last order and the agent looked up its state before it answered "
    "that the parcel is on its way and will arrive in two days with version notes and a short plan of steps"
)
_WORDS: Final = _TEXT.split()


def _text(rng: random.Random, size: int) -> str:
    words = " ".join(rng.choices(_WORDS, k=size // 6 + 1))
    return json.dumps([{"role": "user", "parts": [{"type": "text", "content": words[: max(size - 60, 10)]}]}])


@dataclass
class _Trace:
    rng: random.Random
    content: int
    common: dict[str, Any]
    trace_id: bytes
    seconds_ago: float = 0.5

    def span(self, name: str, parent: bytes, content_keys: tuple[str, ...], kind: str, **attributes: Any) -> Span:
        texts = {key: _text(self.rng, self.content // len(content_keys)) for key in content_keys}
        named = {key.replace("__", "."): value for key, value in attributes.items()}
        return otlp.span(
            name,
            {**self.common, **named, **texts},
            kind=kind,
            trace_id=self.trace_id,
            parent=parent,
            seconds=self.rng.uniform(0.01, 2),
            ended_ago=self.seconds_ago,
        )


def _trace(rng: random.Random, content: int) -> list[Span]:
    version = rng.choice(("6", "7"))
    common = {
        "gen_ai.conversation.id": f"conv-{rng.getrandbits(40):x}",
        "agentic.graph.version": rng.choice(("3", "4")),
        "agentic.rollout.track": "stable",
    }
    t = _Trace(rng, content, common, rng.randbytes(16))
    messages = ("gen_ai.input.messages", "gen_ai.output.messages")
    task = t.span(
        "invoke_workflow support",
        b"",
        messages,
        "internal",
        gen_ai__operation__name="invoke_workflow",
        gen_ai__workflow__name="support",
        agentic__span__role="task",
        agentic__task__outcome="success",
        agentic__task__type=rng.choice(("refund", "how_to")),
        agentic__task__cost_usd=0.0123,
        agentic__task__tokens=4100,
        agentic__plan__steps_planned=3,
        agentic__plan__steps_completed=3,
    )
    spans = [task]
    for agent, calls in (("planner", 1), ("executor", 3), ("critic", 1)):
        t.common = {
            **common,
            "gen_ai.agent.name": agent,
            "gen_ai.prompt.name": f"{agent}-system",
            "gen_ai.prompt.version": version,
        }
        run = t.span(
            f"invoke_agent {agent}", task.span_id, messages, "internal", gen_ai__operation__name="invoke_agent"
        )
        spans.append(run)
        for _ in range(calls):
            model = rng.choice(("gpt-4.1", "claude-sonnet-4-5"))
            spans.append(
                t.span(
                    f"chat {model}",
                    run.span_id,
                    messages,
                    "client",
                    gen_ai__operation__name="chat",
                    gen_ai__provider__name="openai" if model.startswith("gpt") else "anthropic",
                    gen_ai__request__model=model,
                    gen_ai__response__model=model,
                    gen_ai__request__temperature=0.2,
                    gen_ai__response__id=f"resp_{rng.getrandbits(60):x}",
                    gen_ai__response__finish_reasons=["stop"],
                    gen_ai__usage__input_tokens=rng.randint(200, 4000),
                    gen_ai__usage__output_tokens=rng.randint(20, 400),
                    gen_ai__usage__cache_read__input_tokens=100,
                )
            )
        for _ in range(calls if agent == "executor" else 0):
            name = rng.choice(("search", "lookup", "refund"))
            call = t.span(
                f"execute_tool {name}",
                run.span_id,
                ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
                "internal",
                gen_ai__operation__name="execute_tool",
                gen_ai__tool__name=name,
                gen_ai__tool__type="function",
                agentic__tool__version="1.4.0",
                agentic__retry__attempt=0,
                gen_ai__tool__call__id=f"call_{rng.getrandbits(40):x}",
            )
            spans.append(call)
            spans.append(
                t.span(
                    f"MCP send tools/call {name}",
                    call.span_id,
                    ("mcp.note",),
                    "client",
                    mcp__method__name="tools/call",
                    jsonrpc__request__id=str(rng.randint(1, 99)),
                )
            )
    return spans


@dataclass
class Body:
    """A serialised request and where its trace ids are: `fresh()` gives it new ones."""

    data: bytearray
    places: list[list[int]]

    def fresh(self) -> bytes:
        for offsets in self.places:
            trace_id = os.urandom(16)
            for offset in offsets:
                self.data[offset : offset + 16] = trace_id
        return bytes(self.data)


def body(kib: float, seed: int = 1) -> Body:
    """One prebuilt request whose spans hold `kib` KiB of attributes each."""
    rng = random.Random(seed)
    grouped = [_trace(rng, max(int(kib * 1024) - 500, 60)) for _ in range(TRACES_PER_REQUEST)]
    resource = {**otlp.SERVICE, "service.namespace": "agents", "service.instance.id": f"worker-{seed}"}
    data = bytearray(otlp.traces(itertools.chain(*grouped), resource, "bench").SerializeToString())
    places = []
    for spans in grouped:
        wanted, offsets, start = spans[0].trace_id, [], 0
        while (found := data.find(wanted, start)) >= 0:
            offsets.append(found)
            start = found + 16
        places.append(offsets)
    return Body(data, places)


def post(port: int, requests: int, kib: float, seed: int = 1, bodies: int = 4) -> int:
    """Post `requests` requests over one connection as fast as they are taken; returns the spans sent."""
    made = [body(kib, seed * 100 + number) for number in range(bodies)]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sent = 0
    headers = {"Content-Type": "application/x-protobuf"}
    while sent < requests:
        connection.request("POST", "/v1/traces", made[sent % bodies].fresh(), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            sent += 1
    connection.close()
    return sent * SPANS_PER_REQUEST


def paced(port: int, kib: float, rate: float, seconds: float) -> list[float]:
    """Post `rate` requests per second for `seconds`; milliseconds until each was answered."""
    made, took = [body(kib, number) for number in range(4)], []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    start = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        data = made[number % len(made)].fresh()
        before = time.perf_counter()
        connection.request("POST", "/v1/traces", data, {"Content-Type": "application/x-protobuf"})
        connection.getresponse().read()
        took.append((time.perf_counter() - before) * 1000)
    connection.close()
    return took
