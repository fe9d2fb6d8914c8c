"""A real tracer provider with the SDK's span processor in front, and what it exported."""

from contextlib import contextmanager

from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from agentobs.context import AgentContextProcessor
from agentobs.contract import Attr

AGENT, OPERATION, ATTEMPT = Attr.AGENT_NAME.value, Attr.OPERATION.value, Attr.RETRY_ATTEMPT.value


class Traced:
    """A provider with the processor; what was exported by name, the newest of a name last."""

    def __init__(self, **options) -> None:
        self.exported = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.processor = AgentContextProcessor(SimpleSpanProcessor(self.exported))
        self.provider.add_span_processor(self.processor)

    def span(self, name, scope="app", kind=SpanKind.INTERNAL, **attributes):
        found = {key.replace("__", "."): value for key, value in attributes.items()}
        return self.provider.get_tracer(scope).start_as_current_span(name, kind=kind, attributes=found)

    def agent(self, name):
        return self.span(f"invoke_agent {name}", **{OPERATION: "invoke_agent", AGENT: name})

    def model(self, scope="app", **attributes):
        return self.span("chat", scope, **{OPERATION: "chat", **attributes})

    def call(self, tool, *, fails=False, arguments="{}", **attributes):
        given = {OPERATION: "execute_tool", Attr.TOOL_NAME.value: tool, Attr.TOOL_ARGUMENTS.value: arguments}
        with self.span(f"execute_tool {tool}", **given, **attributes) as span:
            if fails:
                span.set_status(StatusCode.ERROR)

    def __getitem__(self, name):
        return [span for span in self.exported.get_finished_spans() if span.name == name][-1].attributes

    def attempts(self):
        return [span.attributes.get(ATTEMPT) for span in self.exported.get_finished_spans() if "tool" in span.name]


@contextmanager
def carrying(**values):
    inside = context.get_current()
    for key, value in values.items():
        inside = baggage.set_baggage(key, value, inside)
    token = context.attach(inside)
    yield
    context.detach(token)
