"""The client of the MCP SDK, spoken through a real session with a server in memory."""

import asyncio

import pytest
from mcp import Client
from mcp.server import MCPServer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from agentobs.context import AgentContextProcessor
from agentobs.contract import Attr

TOOL, OPERATION = Attr.TOOL_NAME.value, Attr.OPERATION.value
AGENT = {OPERATION: "invoke_agent", Attr.AGENT_NAME.value: "executor"}


def _server():
    server, tried = MCPServer("register"), []

    @server.tool()
    def lookup(topic: str) -> str:
        return f"{topic} is paid"

    @server.tool()
    def broken(topic: str) -> str:
        raise ValueError(f"no {topic}")

    @server.tool()
    def flaky(topic: str) -> str:
        tried.append(topic)
        if len(tried) == 1:
            raise ValueError("busy")
        return topic

    @server.tool()
    async def slow(topic: str) -> str:
        await asyncio.sleep(5)
        return topic

    return server


@pytest.fixture(scope="module")
def exporter():
    """The process's provider: the SDK of MCP asks for the global one."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(AgentContextProcessor(SimpleSpanProcessor(exporter)))
    before = trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE._done
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE._done = provider, True
    yield exporter
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE._done = before


def _run(exporter, *calls, around=None):
    """Spans of the tool calls of one agent, which makes some calls by name, with a tool span of its own or without."""
    exporter.clear()
    tracer = trace.get_tracer_provider().get_tracer("app")

    async def work():
        async with Client(_server()) as client:
            with tracer.start_as_current_span("invoke_agent executor", attributes=AGENT):
                for name in calls:
                    given = {OPERATION: "execute_tool", TOOL: name}
                    if around is not None:
                        with tracer.start_as_current_span(around, attributes=given):
                            await _call(client, name)
                    else:
                        await _call(client, name)

    asyncio.run(work())
    spans = [span for span in exporter.get_finished_spans() if span.attributes.get(OPERATION) == "execute_tool"]
    return [span for span in spans if span.kind.name == "INTERNAL"]


async def _call(client, name):
    if name == "slow":
        with pytest.raises(Exception, match="imed out"):
            await client.call_tool(name, {"topic": "invoice"}, read_timeout_seconds=0.2)
    else:
        await client.call_tool(name, {"topic": "invoice"}, read_timeout_seconds=5)


def _facts(spans):
    keys = (TOOL, Attr.ERROR_TYPE.value, Attr.RETRY_ATTEMPT.value, Attr.AGENT_NAME.value)
    return [tuple(span.attributes.get(key) for key in keys) for span in spans]


def test_a_call_without_a_tool_span_around_it_gets_one_that_knows_what_failed(exporter):
    spans = _run(exporter, "lookup", "broken", "slow")
    assert _facts(spans) == [
        ("lookup", None, None, "executor"),
        ("broken", "tool_error", None, "executor"),
        ("slow", "timeout", None, "executor"),
    ]
    assert [span.status.status_code for span in spans] == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.ERROR]


def test_the_frameworks_own_tool_span_learns_what_failed_and_no_other_is_opened(exporter):
    spans = _run(exporter, "lookup", "broken", "slow", around="tool")
    assert [(name, error) for name, error, _, _ in _facts(spans)] == [
        ("lookup", None),
        ("broken", "tool_error"),
        ("slow", "timeout"),
    ]
    assert {span.instrumentation_scope.name for span in spans} == {"app"}


@pytest.mark.parametrize("around", [None, "tool"])
def test_a_call_after_a_failed_one_with_the_same_arguments_is_a_retry(exporter, around):
    spans = _run(exporter, "flaky", "flaky", around=around)
    assert [(error, attempt) for _, error, attempt, _ in _facts(spans)] == [("tool_error", None), (None, 1)]


def test_no_content_of_a_call_is_put_on_its_span(exporter):
    _run(exporter, "lookup")
    assert "invoice" not in str([dict(span.attributes) for span in exporter.get_finished_spans()])
