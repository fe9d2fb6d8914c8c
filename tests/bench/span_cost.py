"""What a span costs more: in the agent's process by the SDK's processor, in the collector by the normaliser.

    make bench-spans

CPU microseconds per span, each beside the same without in rounds that alternate; the median round counts, and the ratio
holds on a busy machine too. In the process: an agent's span with 20 model and tool calls inside, directly and 8 levels
down. In the collector: `load.py`, through a collector that only receives and sends, and one that also normalises.
"""

import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import load
from collector_cost import _base, _cpu, sink
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from support import npm
from support.otelcol import Collector, running
from support.ports import free_ports

from agentobs.context import AgentContextProcessor
from agentobs.contract import Attr, Operation
from collector import cost, normalise
from collector.prices import load as load_prices

_CALLS: Final = 20
_RUNS: Final = 100
_ROUNDS: Final = 15
_REQUESTS: Final = 300  # of 510 spans
_JS: Final = Path(__file__).parents[2] / "sdk" / "js"
_SENT: Final = {Attr.PROVIDER.value: "openai", Attr.REQUEST_MODEL.value: "m", "server.address": "h", "server.port": 443}
_TOLD: Final = {
    Attr.INPUT_TOKENS.value: 812,
    Attr.OUTPUT_TOKENS.value: 96,
    Attr.RESPONSE_MODEL.value: "m-1",
    Attr.RESPONSE_ID.value: "r",
}
_AGENT: Final = {
    Attr.OPERATION.value: Operation.INVOKE_AGENT.value,
    Attr.AGENT_NAME.value: "planner",
    Attr.PROMPT_VERSION.value: "3",
}
_CHAT: Final = {Attr.OPERATION.value: Operation.CHAT.value, **_SENT}
_TOOL: Final = {
    Attr.OPERATION.value: Operation.EXECUTE_TOOL.value,
    **_SENT,
    Attr.TOOL_NAME.value: "t",
    Attr.TOOL_ARGUMENTS.value: "{}",
}


def _run(tracer: trace.Tracer, depth: int) -> int:
    """One agent's run; returns how many spans that were."""
    opened, around = [], Context()
    for level in range(depth):
        span = tracer.start_span(
            "step" if level else "invoke_agent planner", around, attributes={} if level else _AGENT
        )
        opened.append(span)
        around = trace.set_span_in_context(span, around)
    for call in range(_CALLS):
        name, attributes = ("execute_tool t", _TOOL) if call % 2 else ("chat m", _CHAT)
        span = tracer.start_span(name, around, attributes=attributes)
        span.set_attributes(_TOLD)
        span.end()
    for span in reversed(opened):
        span.end()
    return depth + _CALLS


class _Nothing(SpanProcessor):
    """What exports, without its cost."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None: ...


def _of_process(processor: SpanProcessor, depth: int) -> float:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer, spans, before = provider.get_tracer("bench"), 0, time.process_time()
    for _ in range(_RUNS):
        spans += _run(tracer, depth)
    return (time.process_time() - before) / spans * 1e6


@contextmanager
def _collector(folder: Path, processors: dict[str, Any]) -> Iterator[Collector]:
    http, health, sink_http, sink_grpc, sink_health = free_ports(5)
    config = _base(http, health)
    config["exporters"] = {
        "otlp_http": {"endpoint": f"http://127.0.0.1:{sink_http}/api/public/otel", "compression": "none"}
    }
    config["processors"] = processors
    pipeline = {"receivers": ["otlp"], "processors": [*processors], "exporters": ["otlp_http"]}
    config["service"]["pipelines"] = {"traces": pipeline}
    with ExitStack() as stack:
        stack.enter_context(running(sink(sink_http, sink_grpc, sink_health), folder / "sink", sink_http, sink_health))
        yield stack.enter_context(running(config, folder / "collector", http, health))


def _of_collector(collector: Collector) -> float:
    before = _cpu(collector)
    spans = load.post(collector.http_port, _REQUESTS, 1)
    time.sleep(1)  # what it still has to send
    return (_cpu(collector) - before) / spans * 1e6


def _show(what: str, without: Callable[[], float], added: Callable[[], float]) -> None:
    pairs = [(without(), added()) for _ in range(_ROUNDS + 1)][1:]
    plain, more = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(with_it / alone for alone, with_it in pairs)
    print(f"{what:<34} {plain:>9.1f} {more - plain:>9.1f} {ratio:>8.2f}", flush=True)


def _python() -> None:
    for depth in (1, 8):
        _show(
            f"Python, {depth} deep",
            lambda depth=depth: _of_process(_Nothing(), depth),  # type: ignore[misc]
            lambda depth=depth: _of_process(AgentContextProcessor(_Nothing()), depth),  # type: ignore[misc]
        )


def _node() -> None:
    modules = npm.node_modules(_JS)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "js"
        subprocess.run(["cp", "-r", str(_JS), str(copy)], check=True)
        (copy / "node_modules").symlink_to(modules)
        command = ["node", "bench/cost.js"]
        said = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True).stdout
    for depth, plain, added in re.findall(r"depth (\d): ([\d.]+) us per span, (-?[\d.]+) added", said):
        ratio = 1 + float(added) / float(plain)
        print(f"{f'Node, {depth} deep':<34} {plain:>9} {added:>9} {ratio:>8.2f}", flush=True)


def _normaliser() -> None:
    processors = {"transform/normalise": normalise.processor(cost.cost_groups(load_prices()))}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        plain = stack.enter_context(_collector(Path(folder) / "plain", {}))
        normalising = stack.enter_context(_collector(Path(folder) / "normalising", processors))
        _show("collector, the normaliser", lambda: _of_collector(plain), lambda: _of_collector(normalising))


def main() -> None:
    print(f"{'CPU us per span':<34} {'without':>9} {'added':>9} {'ratio':>8}")
    _python()
    _node()
    _normaliser()


if __name__ == "__main__":
    main()
