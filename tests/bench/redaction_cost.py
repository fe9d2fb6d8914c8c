"""What redaction costs: CPU milliseconds per span and per KiB, beside a collector that only passes spans on.

Run with `make bench-redaction`. CPU time of the collector process, alternating
rounds, their median. A span has 17 attributes of names and numbers and one text of the given size:

    prose   words               tool    JSON of a tool: ids, dates, prices
    hits    prose with a mail address, a card, a phone number, a key by prefix and a password by name per KiB

`stored` is a span on its way to a store, `kept` where content stays and `dropped` where it may not. `received` is what
each received span pays: a tenth of the stored one (10 % sampling, the base of production) and the masks of its series.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from collector_cost import sink
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support import otlp
from support.otelcol import Collector, running, transforming
from support.ports import free_ports

from collector import connectors, redaction, series_key
from collector.redaction import ContentPolicy

Processors = Mapping[str, Any]
_WORDS: Final = (  # noqa: SIM905 one text is easier to read
    "the customer asked for a refund of the last order and the agent looked up its state before it answered that the "
    "parcel is on its way and will arrive in two days with version notes and a short plan of steps"
).split()
_HITS: Final = (
    "maria.garcia@example.com", "4111 1111 1111 1111", "+49 171 2345678", "ghp_" + "a1B2" * 9, "password=Synth12345",
)  # fmt: skip
_SPANS: Final = 100
_SAMPLED: Final = 0.1
_PACKING: Final = {"transform/kpi": series_key.packer(connectors.SPAN_NUMBERS, connectors.EVENT_NUMBERS)}
SHAPES: Final[Mapping[str, Processors]] = {
    "plain": {},
    "kept": redaction.chain(ContentPolicy.KEEP),
    "dropped": redaction.chain(ContentPolicy.DROP),
    "packed": _PACKING,
    "masked": {**_PACKING, **redaction.kpi_processors()},
}


def prose(rng: random.Random, size: int) -> str:
    return " ".join(rng.choices(_WORDS, k=size // 4))[:size]


def tool(rng: random.Random, size: int) -> str:
    rows = [
        {
            "order_id": f"A-{rng.randint(10**5, 10**6)}",
            "created": f"2026-11-{rng.randint(10, 28)}T12:04:05Z",
            "total": round(rng.random() * 1000, 2),
            "score": rng.random(),
            "items": [{"sku": f"SKU-{rng.randint(1000, 9999)}", "qty": 2, "price": 19.95}],
            "next": None,
        }
        for _ in range(size // 150 + 1)
    ]
    return json.dumps(rows)[:size]


def hits(rng: random.Random, size: int) -> str:
    parts = [prose(rng, 900).replace(" ", f" {hit} ", 1) for hit in _HITS for _ in range(1)]
    per_kib = " ".join(part[: 1024 // len(_HITS)] for part in parts)
    return (per_kib * (size // 1024 + 1))[:size]


KINDS: Final = {"prose": prose, "tool": tool, "hits": hits}


def request(kind: str, kib: int, seed: int) -> ExportTraceServiceRequest:
    """One request of `_SPANS` spans."""
    rng = random.Random(seed)
    names = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4.1",
        "gen_ai.response.model": "gpt-4.1", "gen_ai.agent.name": "planner", "gen_ai.prompt.name": "planner-system",
        "gen_ai.prompt.version": "7", "agentic.graph.version": "4", "agentic.rollout.track": "stable",
        "gen_ai.conversation.id": "conv-1a2b3c4d5e", "gen_ai.response.id": "resp_9a8b7c6d5e4f", "error_class": "none",
        "gen_ai.usage.input_tokens": 812, "gen_ai.usage.output_tokens": 96, "gen_ai.request.temperature": 0.2,
        "agentic.cost.usd": 0.0123, "gen_ai.response.finish_reasons": ["stop"],
    }  # fmt: skip
    spans = [
        otlp.span("chat gpt-4.1", {**names, "gen_ai.input.messages": KINDS[kind](rng, kib * 1024)}, kind="client")
        for _ in range(_SPANS)
    ]
    return otlp.traces(spans)


@contextmanager
def started(processors: Processors, folder: Path) -> Iterator[Collector]:
    http, health, sink_http, sink_grpc, sink_health = free_ports(5)
    with ExitStack() as stack:
        stack.enter_context(running(sink(sink_http, sink_grpc, sink_health), folder / "sink", sink_http, sink_health))
        config = transforming(processors, f"http://127.0.0.1:{sink_http}/api/public/otel", http, health)
        yield stack.enter_context(running(config, folder / "under-test", http, health))


def milliseconds(collector: Collector, bodies: list[ExportTraceServiceRequest], requests: int) -> float:
    """CPU milliseconds per span."""

    def cpu() -> float:
        times = collector.memory.cpu_times()
        return float(times.user + times.system)

    for body in bodies:
        collector.send(body)
    before = cpu()
    for number in range(requests):
        if not collector.send(bodies[number % len(bodies)]).ok:
            raise RuntimeError(collector.log[-2000:])
    time.sleep(0.5)
    return (cpu() - before) / (requests * _SPANS) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many rounds counts (default: 3)")
    parser.add_argument("--requests", type=int, default=40, help="requests of 100 spans per round (default: 40)")
    options = parser.parse_args()
    print("ms of CPU per span, above passing it on; in brackets per KiB of content", flush=True)
    print(f"{'content':<14} {'stored, kept':>18} {'stored, dropped':>18} {'received':>18}", flush=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        collectors = {
            name: stack.enter_context(started(processors, Path(folder) / name)) for name, processors in SHAPES.items()
        }
        for kib in (1, 10):
            for kind in KINDS:
                bodies = [request(kind, kib, seed) for seed in range(4)]
                requests = max(options.requests // kib, 8)
                rounds = [
                    {name: milliseconds(each, bodies, requests) for name, each in collectors.items()}
                    for _ in range(options.rounds)
                ]
                cost = {name: statistics.median(each[name] for each in rounds) for name in SHAPES}
                kept, dropped = cost["kept"] - cost["plain"], cost["dropped"] - cost["plain"]
                received = _SAMPLED * (kept + dropped) + cost["masked"] - cost["packed"]
                row = "".join(f" {value:>9.3f} ({value / kib:>6.3f})" for value in (kept, dropped, received))
                print(f"{f'{kind}, {kib} KiB':<14}{row}", flush=True)


if __name__ == "__main__":
    main()
