"""A provider that somebody else made gets the processor, with all its exporters."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from support.traced import AGENT, ATTEMPT, OPERATION

from agentobs.context import AgentContextProcessor, adopt
from agentobs.context.lineage import node_of
from agentobs.context.stated import Stated, within
from agentobs.contract import Attr


def test_adopting_a_provider_puts_the_processor_before_its_exporters_once():
    first, second = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    for exporter in (first, second):
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    adopt(provider)
    adopt(provider)
    tracer = provider.get_tracer("x")
    outer = tracer.start_as_current_span("invoke_agent a", attributes={OPERATION: "invoke_agent"})
    with outer, tracer.start_as_current_span("chat", attributes={OPERATION: "chat"}):
        pass
    for exporter in (first, second):
        assert [span.attributes[AGENT] for span in exporter.get_finished_spans()] == ["a", "a"]
    assert provider.force_flush()
    later = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(later))
    adopt(provider)
    with tracer.start_as_current_span("invoke_agent b", attributes={OPERATION: "invoke_agent"}):
        tracer.start_span("chat", attributes={OPERATION: "chat"}).end()
    for exporter, before in ((first, 2), (second, 2), (later, 0)):
        assert [span.attributes[AGENT] for span in exporter.get_finished_spans()][before:] == ["b", "b"]


def test_exporters_that_are_wrapped_one_by_one_get_the_same():
    exporters = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(AgentContextProcessor(SimpleSpanProcessor(exporter)))
    tracer = provider.get_tracer("x")
    with tracer.start_as_current_span("invoke_agent a", attributes={OPERATION: "invoke_agent"}):
        for failed in (True, False):
            with tracer.start_as_current_span("execute_tool t", attributes={OPERATION: "execute_tool"}) as span:
                span.set_status(StatusCode.ERROR if failed else StatusCode.UNSET)
    for exporter in exporters:
        assert [(each.attributes[AGENT], each.attributes.get(ATTEMPT)) for each in exporter.get_finished_spans()] == [
            ("a", None), ("a", 1), ("a", None)
        ]  # fmt: skip


class Passing(trace.TracerProvider):
    """As Logfire's global one: no subclass of the SDK's, passes on to one, and wraps what that makes."""

    def __init__(self, provider):
        self.provider = provider

    def get_tracer(self, *given, **named):
        return self.provider.get_tracer(*given, **named)


def test_a_provider_that_passes_on_to_the_sdks_is_adopted_and_emit_is_whole_with_it():
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    adopt(Passing(provider))
    wrapped = SimpleNamespace(span=provider.get_tracer("x").start_span("s"))
    assert node_of(wrapped) is node_of(wrapped.span) is not None
    inside = within(context.get_current(), Stated(prompt_hash="h", attempt=1, fallback_from="a"))
    provider.get_tracer("x").start_span("invoke_agent b", inside, attributes={OPERATION: "invoke_agent"}).end()
    (span,) = exporter.get_finished_spans()
    assert (span.attributes[AGENT], span.attributes[ATTEMPT]) == ("b", 1)
    assert (span.attributes[Attr.PROMPT_HASH], span.attributes[Attr.FALLBACK_FROM]) == ("h", "a")


def test_verdicts_of_a_program_that_set_itself_up_say_the_agent_or_that_nobody_takes_them():
    code = """
import logging
from opentelemetry import trace, _logs
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from agentobs import context, emit
trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
context.adopt()
def judge():
    attributes = {"gen_ai.operation.name": "invoke_agent"}
    with trace.get_tracer("framework").start_as_current_span("invoke_agent critic", attributes=attributes):
        emit.evaluation(name="q", score=1, passed=True, source="code")
logging.basicConfig(format="%(message)s")
judge(); judge()
records = InMemoryLogRecordExporter()
_logs.set_logger_provider(LoggerProvider(shutdown_on_exit=False))
_logs.get_logger_provider().add_log_record_processor(SimpleLogRecordProcessor(records))
judge()
print([each.log_record.attributes["gen_ai.agent.name"] for each in records.get_finished_logs()])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "['critic']\n"
    assert done.stderr.count("set up a LoggerProvider") == 1


def test_two_exporters_to_one_place_are_told(caplog):
    provider = TracerProvider(shutdown_on_exit=False)
    for place in ("http://a/v1/traces", "http://a/v1/traces", "http://b/v1/traces"):
        exporter = InMemorySpanExporter()
        exporter._endpoint = place
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    adopt(provider)
    assert [record.getMessage() for record in caplog.records] == [
        "agentobs: 2 exporters send every span to http://a/v1/traces, so it counts as often; remove one"
    ]


def test_a_provider_that_exports_nowhere_yet_is_not_adopted():
    with pytest.raises(TypeError, match="with exporters"):
        adopt(TracerProvider(shutdown_on_exit=False))


def test_adopting_what_is_no_provider_says_what_to_do():
    with pytest.raises(
        TypeError, match=r"NoOpTracerProvider is no tracer provider.*Fix: call agentobs\.emit\.configure"
    ):
        adopt(trace.NoOpTracerProvider())
