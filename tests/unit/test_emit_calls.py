import asyncio

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from agentobs import emit
from agentobs.context.dialects import LANGCHAIN
from agentobs.contract import Attr


def test_a_tool_call_is_one_internal_span_per_attempt(recorded) -> None:
    with pytest.raises(TimeoutError), emit.tool_call("search", version="1.2"):
        raise TimeoutError
    with emit.tool_call("search", version="1.2", attempt=1, reason="timeout"):
        pass
    with emit.tool_call("archive", version="0.9", fallback_from="search"):
        pass
    first, second, fallback = recorded.spans
    assert {span.kind for span in recorded.spans} == {SpanKind.INTERNAL}
    assert first.attributes[Attr.ERROR_TYPE] == "TimeoutError"
    assert first.attributes[Attr.RETRY_ATTEMPT] == 0
    assert (second.attributes[Attr.RETRY_ATTEMPT], second.attributes[Attr.RETRY_REASON]) == (1, "timeout")
    assert Attr.FALLBACK not in second.attributes
    assert (fallback.attributes[Attr.FALLBACK], fallback.attributes[Attr.FALLBACK_FROM]) == (True, "search")
    assert fallback.attributes[Attr.TOOL_VERSION] == "0.9"
    assert (
        dict(second.attributes).items()
        >= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}.items()
    )


def test_a_tool_result_that_says_error_fails_the_span_without_an_exception(recorded) -> None:
    with emit.tool_call("search", version="1") as call:
        call.fail("tool_error")
    (span,) = recorded.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes[Attr.ERROR_TYPE] == "tool_error"


def test_a_model_call_is_a_client_span_with_usage(recorded) -> None:
    with emit.model_call("large-1", "somebody", attempt=1, fallback_from="xl-1") as call:
        call.usage(input_tokens=900, output_tokens=80, cache_read=500, reasoning=30)
        call.response_model("large-1-0042")
    span = recorded.span("chat large-1")
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "somebody",
        "gen_ai.request.model": "large-1",
        "gen_ai.response.model": "large-1-0042",
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.output_tokens": 80,
        "gen_ai.usage.cache_read.input_tokens": 500,
        "gen_ai.usage.reasoning.output_tokens": 30,
        "agentic.retry.attempt": 1,
        "agentic.fallback": True,
        "agentic.fallback.from": "xl-1",
    }


def test_usage_that_does_not_apply_is_left_out(recorded) -> None:
    with emit.model_call("m", "p") as call:
        call.usage(input_tokens=0, output_tokens=5)
    attributes = recorded.span("chat m").attributes
    assert attributes[Attr.INPUT_TOKENS] == 0
    assert not {Attr.CACHE_READ_TOKENS, Attr.REASONING_TOKENS} & attributes.keys()


def test_annotations_go_to_the_frameworks_current_span_only(recorded, process_telemetry) -> None:
    tracer = process_telemetry.telemetry.tracer_provider.get_tracer("framework")
    with tracer.start_as_current_span("agent"):
        with tracer.start_as_current_span("tool"):
            emit.annotate_tool(version="3.1", attempt=1, fallback_from="x", reason="tool_error")
            emit.annotate_error("tool_error")
        with tracer.start_as_current_span("chat"):
            emit.annotate_model(attempt=0, reasoning=7)
            emit.annotate_error(asyncio.CancelledError())
    tool, chat, agent = recorded.spans
    assert tool.attributes[Attr.TOOL_VERSION] == "3.1"
    assert (tool.attributes[Attr.RETRY_ATTEMPT], tool.attributes[Attr.FALLBACK_FROM]) == (1, "x")
    assert tool.attributes[Attr.ERROR_TYPE] == "tool_error"
    assert tool.status.status_code is StatusCode.UNSET, "the status is the framework's business"
    assert chat.attributes[Attr.REASONING_TOKENS] == 7
    assert chat.attributes[Attr.ERROR_TYPE] == "asyncio.exceptions.CancelledError"
    assert not agent.attributes


def test_annotations_go_to_the_tool_span_that_langchain_does_not_make_the_current_one(
    recorded, process_telemetry
) -> None:
    tracer = process_telemetry.telemetry.tracer_provider.get_tracer(LANGCHAIN)
    with emit.task(workflow="w", type="t", graph_version="7"):
        hidden = tracer.start_span("lookup", attributes={"openinference.span.kind": "TOOL"})
        emit.annotate_tool(version="3.1")
        emit.annotate_error("tool_error")
        with emit.tool_call("inner", version="1.0"):
            emit.annotate_tool(version="2.0")
        hidden.end()
        emit.annotate_error("not the tool's")
    lookup, task = recorded.span("lookup"), recorded.span("invoke_workflow w")
    assert (lookup.attributes[Attr.TOOL_VERSION], lookup.attributes[Attr.ERROR_TYPE]) == ("3.1", "tool_error")
    assert recorded.span("execute_tool inner").attributes[Attr.TOOL_VERSION] == "2.0"
    assert Attr.TOOL_VERSION not in task.attributes
    assert task.attributes[Attr.ERROR_TYPE] == "not the tool's"


def test_annotations_outside_of_any_span_go_nowhere(recorded) -> None:
    emit.annotate_tool(version="3.1", attempt=1)
    emit.annotate_error("tool_error")
    assert not recorded.spans


def test_a_version_put_on_a_frameworks_tool_span_leaves_its_retries_to_be_counted(recorded, process_telemetry) -> None:
    tracer = process_telemetry.telemetry.tracer_provider.get_tracer("framework")
    given = {Attr.OPERATION.value: "execute_tool", Attr.TOOL_NAME.value: "lookup", Attr.TOOL_ARGUMENTS.value: "{}"}
    with tracer.start_as_current_span("agent"):
        for failed in (True, False):
            with tracer.start_as_current_span("tool", attributes=given):
                emit.annotate_tool(version="3.1")
                if failed:
                    emit.annotate_error("tool_error")
    first, second, _ = recorded.spans
    assert (first.attributes[Attr.TOOL_VERSION], second.attributes[Attr.TOOL_VERSION]) == ("3.1", "3.1")
    assert (first.attributes.get(Attr.RETRY_ATTEMPT), second.attributes.get(Attr.RETRY_ATTEMPT)) == (None, 1)


def test_an_exception_in_a_model_call_fails_its_span_and_passes_on(recorded) -> None:
    with pytest.raises(ConnectionError, match="refused"), emit.model_call("m", "p"):
        raise ConnectionError("refused")
    span = recorded.span("chat m")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "refused")
    assert [event.name for event in span.events] == ["exception"]
