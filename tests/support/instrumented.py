"""Programs with real instrumentations: each does the same small job and sends its spans to a collector.

Run as a process of its own, `instrumented.py <program>`, because instrumentations patch libraries and take the global
tracer provider. The job: a good, a failing and a timed-out call, of tools or of a model that a loopback server plays.
Not here: what the spans should look like (`tests/pipeline/test_instrumentations.py`).
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL, USAGE = "gpt-4.1", {"prompt_tokens": 40, "completion_tokens": 7, "total_tokens": 47}
TIMEOUT_S = 2.0
"""Of a call, seconds; the slow ones take three times as long, the others far less on a crowded machine too."""
_START_S = 90.0
TOOLS = ("lookup", "broken", "slow")


@contextmanager
def telemetry(service: str, version: str = "1.0.0") -> Iterator[TracerProvider]:
    """The global tracer provider, exporting to the collector of the environment; flushed at the end."""
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{os.environ['OTLP_ENDPOINT']}/v1/traces")))
    trace.set_tracer_provider(provider)
    try:
        yield provider
    finally:
        provider.shutdown()


class _Model(BaseHTTPRequestHandler):
    """Chat completions: answers `good`, refuses `broken` with 429, keeps `slow` waiting."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"][-1]["content"]
        if asked == "slow":
            time.sleep(3 * TIMEOUT_S)
        message = {"role": "assistant", "content": "fine"}
        answer = {
            "id": "resp-1",
            "object": "chat.completion",
            "created": 1,
            "model": MODEL,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": USAGE,
        }
        body = json.dumps({"error": {"message": "slow down"}} if asked == "broken" else answer).encode()
        with suppress(OSError):
            self.send_response(429 if asked == "broken" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _ask_model_three_times() -> None:
    from openai import OpenAI, OpenAIError  # noqa: PLC0415 after it was instrumented

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    client = OpenAI(base_url=url, api_key="none", max_retries=0, timeout=TIMEOUT_S)
    for question in ("good", "broken", "slow"):
        with suppress(OpenAIError):
            client.chat.completions.create(
                model=MODEL, messages=[{"role": "system", "content": "abc"}, {"role": "user", "content": question}]
            )
    server.shutdown()


def openinference() -> None:
    """The openai client below an agent with a tool, all by OpenInference."""
    from openinference.instrumentation import OITracer, TraceConfig  # noqa: PLC0415
    from openinference.instrumentation.openai import OpenAIInstrumentor  # noqa: PLC0415

    with telemetry(os.environ["SERVICE"]) as provider:
        OpenAIInstrumentor().instrument(tracer_provider=provider)
        tracer = OITracer(provider.get_tracer("openinference.instrumentation.openai"), TraceConfig())
        with (
            tracer.start_as_current_span("support", openinference_span_kind="chain"),
            tracer.start_as_current_span("planner", openinference_span_kind="agent") as agent,
        ):
            agent.set_attribute("agent.name", "planner")
            _ask_model_three_times()
            for name, error in (("lookup", None), ("broken", RuntimeError("tool failed")), ("slow", TimeoutError())):
                with suppress(Exception), tracer.start_as_current_span(name, openinference_span_kind="tool") as tool:
                    tool.set_tool(name=name, parameters={})
                    if error:
                        raise error


def openllmetry() -> None:
    """The openai client by OpenLLMetry."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor  # noqa: PLC0415

    with telemetry(os.environ["SERVICE"]) as provider:
        OpenAIInstrumentor(enrich_assistant=False).instrument(tracer_provider=provider)
        _ask_model_three_times()


def mcp_server() -> None:
    """An MCP server over stdio with the SDK's own spans."""
    from mcp.server.mcpserver import MCPServer  # noqa: PLC0415
    from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415

    server = MCPServer("tools", version="2.1.0", log_level="ERROR")

    async def lookup() -> str:
        return "found"

    async def broken() -> str:
        raise ToolError("backend unavailable")

    async def slow() -> str:
        await asyncio.sleep(3 * TIMEOUT_S)
        return "late"

    for tool in (lookup, broken, slow):
        server.add_tool(tool, name=tool.__name__, structured_output=False)
    with telemetry(os.environ["SERVICE"] + "-tools", "2.1.0"):
        asyncio.run(server.run_stdio_async())


def mcp() -> None:
    """A program without agents that calls tools through the MCP SDK."""
    from mcp import ClientSession, StdioServerParameters  # noqa: PLC0415
    from mcp.client.stdio import stdio_client  # noqa: PLC0415

    async def call() -> None:
        server = StdioServerParameters(command=sys.executable, args=[__file__, "mcp_server"], env=dict(os.environ))
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            for name in TOOLS:
                with suppress(Exception):
                    await session.call_tool(name, {}, read_timeout_seconds=TIMEOUT_S)

    with telemetry(os.environ["SERVICE"]):
        asyncio.run(call())


def pydantic_ai() -> None:
    """A pydantic-ai agent with a scripted model and the tools of an MCP server."""
    from fastmcp.client.transports import StdioTransport  # noqa: PLC0415
    from pydantic_ai import Agent  # noqa: PLC0415
    from pydantic_ai.mcp import MCPToolset  # noqa: PLC0415
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart  # noqa: PLC0415
    from pydantic_ai.models.function import AgentInfo, FunctionModel  # noqa: PLC0415
    from pydantic_ai.models.instrumented import InstrumentationSettings  # noqa: PLC0415
    from pydantic_ai.usage import RequestUsage  # noqa: PLC0415

    def script(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        step = sum(isinstance(message, ModelResponse) for message in messages)
        part = ToolCallPart(TOOLS[step], {}) if step < len(TOOLS) else TextPart("done")
        return ModelResponse(parts=[part], usage=RequestUsage(input_tokens=40, output_tokens=7), model_name=MODEL)

    with telemetry(os.environ["SERVICE"]) as provider:
        transport = StdioTransport(sys.executable, [__file__, "mcp_server"], env=dict(os.environ))
        agent = Agent(
            FunctionModel(script, model_name=MODEL),
            name="planner",
            instructions="abc",
            toolsets=[MCPToolset(transport, init_timeout=_START_S, read_timeout=TIMEOUT_S)],
            retries=5,
        )
        Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
        asyncio.run(agent.run("refund"))


def plain() -> None:
    """Plain OpenTelemetry with the names of the conventions."""
    with telemetry(os.environ["SERVICE"]) as provider:
        tracer, kind = provider.get_tracer("shop"), trace.SpanKind
        workflow = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "support"}
        agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
        chat = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": MODEL,
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.usage.output_tokens": 7,
        }
        with (
            tracer.start_as_current_span("invoke_workflow support", attributes=workflow),
            tracer.start_as_current_span("invoke_agent planner", attributes=agent),
        ):
            tracer.start_span(f"chat {MODEL}", kind=kind.CLIENT, attributes=chat).end()
            for name, error in (("lookup", None), ("broken", RuntimeError("tool failed")), ("slow", TimeoutError())):
                attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
                with (
                    suppress(Exception),
                    tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes),
                ):
                    if error:
                        raise error


PROGRAMS = {p.__name__: p for p in (openinference, openllmetry, mcp_server, mcp, pydantic_ai, plain)}
# What the tool and model calls of a program count as, by name and error class.
TOOL_CALLS = Counter({("lookup", "none"): 1, ("broken", "other"): 1, ("slow", "timeout"): 1})
MCP_TOOL_CALLS = Counter({("lookup", "none"): 1, ("broken", "tool_error"): 1, ("slow", "timeout"): 1})
# A client without agents gets a failed call as a normal result, so only the server's span knows of it.
MCP_CLIENT_CALLS = Counter({("lookup", "none"): 1, ("broken", "none"): 1, ("slow", "timeout"): 1})
MODEL_CALLS = Counter({(MODEL, "none"): 1, (MODEL, "rate_limited"): 1, (MODEL, "timeout"): 1})
SERVED = Counter({("lookup", "none"): 1, ("broken", "tool_error"): 1, ("slow", "none"): 1})


def run_all(endpoint: str, **variables: str) -> None:
    """Run every program side by side; the name of each is its service. A process exports when it ends."""
    names = [name for name in PROGRAMS if name != mcp_server.__name__]
    runs = {
        name: subprocess.Popen(
            [sys.executable, __file__, name],
            env={**os.environ, "OTLP_ENDPOINT": endpoint, "SERVICE": name, **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    }
    for name, run in runs.items():
        _, errors = run.communicate(timeout=300)
        assert run.returncode == 0, f"{name}: {errors[-3000:]}"


if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]()
