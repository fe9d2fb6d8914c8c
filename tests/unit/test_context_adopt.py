"""A provider that somebody else made gets the processor, with all its exporters."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from support.traced import AGENT, ATTEMPT, OPERATION

from agentobs.context import AgentContextProcessor, adopt


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


def test_a_provider_that_exports_nowhere_yet_is_not_adopted():
    with pytest.raises(TypeError, match="with exporters"):
        adopt(TracerProvider(shutdown_on_exit=False))


def test_adopting_what_is_no_provider_says_what_to_do():
    with pytest.raises(
        TypeError, match=r"NoOpTracerProvider is no tracer provider.*Fix: call agentobs\.emit\.configure"
    ):
        adopt(trace.NoOpTracerProvider())
