"""What is a repetition of a failed call, and what only looks like one."""

from contextlib import suppress

import pytest
from opentelemetry.trace import StatusCode
from support.traced import ATTEMPT, OPERATION, Traced

from agentobs.contract import Attr

Pause = type("GraphInterrupt", (Exception,), {"__module__": "langgraph.errors"})


@pytest.fixture
def traced():
    return Traced()


def test_a_call_after_a_failed_one_is_a_retry_until_one_succeeds(traced):
    with traced.agent("executor"):
        traced.call("lookup", fails=True)
        traced.call("lookup", fails=True)
        traced.call("lookup")
        traced.call("lookup")
    assert traced.attempts() == [None, 1, 2, None]


@pytest.mark.parametrize("stated", [{Attr.ERROR_TYPE.value: "langgraph.errors.GraphInterrupt"}, {}])
def test_a_call_that_goes_on_after_it_waited_for_a_person_is_no_retry(traced, stated):
    with traced.agent("executor"):
        asks = traced.span("execute_tool ask", **{OPERATION: "execute_tool", Attr.TOOL_NAME.value: "ask"}, **stated)
        with suppress(Pause), asks:
            raise Pause
        traced.call("ask", arguments="")
    assert traced.attempts() == [None, None]


def test_a_model_call_after_a_failed_one_below_the_same_span_is_a_retry(traced):
    def call(*, fails=False, model="m", **attributes):
        with traced.model(**{Attr.REQUEST_MODEL.value: model, Attr.INPUT_MESSAGES.value: "hi", **attributes}) as span:
            if fails:
                span.set_status(StatusCode.ERROR)
        return traced["chat"].get(ATTEMPT)

    with traced.agent("a"):
        assert [call(fails=True), call(fails=True), call(), call()] == [None, 1, 2, None]
        assert [call(fails=True), call(model="other"), call(**{Attr.INPUT_MESSAGES.value: "ho"})] == [None, None, None]
        assert call(**{ATTEMPT: 0}) == 0, "numbered by the sender"
        with traced.span("step"):
            assert call() is None, "another step of the agent's"
        assert call() == 1
    assert [call(fails=True), call()] == [None, None], "nothing tells that the two belong together"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"tool": "lookup"}, {"tool": "search"}),
        ({"tool": "lookup", "arguments": "1"}, {"tool": "lookup", "arguments": "2"}),
        ({"tool": "lookup"}, {"tool": "lookup", ATTEMPT: 0}),
    ],
    ids=["another tool", "other arguments", "numbered by the sender"],
)
def test_these_are_no_retries(traced, first, second):
    with traced.agent("executor"):
        traced.call(fails=True, **first)
        traced.call(**second)
    assert traced.attempts()[1] in (None, 0)


def test_calls_at_the_same_time_and_those_of_another_agent_are_no_retries(traced):
    same = {OPERATION: "execute_tool", Attr.TOOL_NAME.value: "x"}
    tracer = traced.provider.get_tracer("app")
    with traced.agent("a"):
        slow = tracer.start_span("execute_tool x", attributes=same)
        traced.call("x", fails=True, arguments="")
        slow.set_status(StatusCode.ERROR)
        slow.end()
    with traced.agent("b"):
        traced.call("x", arguments="")
    assert set(traced.attempts()) == {None}


def test_where_content_is_hidden_the_tool_that_just_failed_is_tried_again(traced):
    with traced.agent("a"):
        traced.call("x", fails=True, arguments="")
        traced.call("x", arguments="")
    assert traced.attempts() == [None, 1]


@pytest.mark.parametrize(
    "text",
    [
        "Error executing tool x: no",
        '{"content": [], "isError": true}',
        '{"status": "error"}',
        "I encountered an error while trying to use the tool. This was the error: no.",  # CrewAI
        "Failed to invoke Tool `x` with parameters {}. Error: no",  # Haystack
        "Encountered error: no. Please try again.",  # LlamaIndex
        "Execution error in x: no",  # DSPy
        "Request 'tools/call' timed out",
        "Error: no",
        "x" * 4000 + '", "isError": true}',
    ],
)
def test_a_result_that_says_it_failed_makes_the_next_call_a_retry(traced, text):
    with traced.agent("a"):
        traced.call("x", **{Attr.TOOL_RESULT.value: text})
        traced.call("x")
    assert traced.attempts() == [None, 1]


@pytest.mark.parametrize(
    "text",
    [
        "The log has the line: Error: no",
        "0 errors, no timeouts",
        '{"isError": false, "content": "an error: none"}',
        "x" * 2000 + "Error executing tool y" + "x" * 2000,
    ],
)
def test_a_result_about_errors_is_no_failed_call(traced, text):
    with traced.agent("a"):
        traced.call("x", **{Attr.TOOL_RESULT.value: text})
        traced.call("x")
    assert set(traced.attempts()) == {None}
