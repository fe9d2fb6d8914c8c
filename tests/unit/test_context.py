"""What a span gets from its ancestors in the agent's own process: each rule by itself.

Whole runs of frameworks: `test_context_frameworks.py`.
"""

import gc
import logging
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from support.traced import AGENT, OPERATION, Traced, carrying

from agentobs.context import dialects, held, lineage
from agentobs.contract import Attr

PROMPT, GRAPH = Attr.PROMPT_VERSION.value, Attr.GRAPH_VERSION.value


@pytest.fixture
def traced():
    return Traced()


def test_a_model_call_gets_the_agent_around_it_and_the_inner_one_wins(traced):
    with traced.agent("planner"), traced.span("turn"):
        with traced.model():
            pass
        assert traced["chat"][AGENT] == "planner"
        with traced.agent("executor"), traced.span("turn"), traced.model():
            pass
        assert traced["chat"][AGENT] == "executor"
        with traced.model():
            pass
    assert traced["chat"][AGENT] == "planner"


def test_a_name_that_comes_after_the_start_counts_and_a_placeholder_does_not(traced):
    with traced.span("x", **{OPERATION: "invoke_agent", AGENT: "OpenAI Agent"}) as agent:
        with traced.model(**{AGENT: "OpenAI Agent"}):
            agent.set_attribute(AGENT, "writer")
        assert traced["chat"][AGENT] == "writer"
        agent.set_attribute(AGENT, "OpenAI Agent")


@pytest.mark.parametrize("named", [{}, {AGENT: "None"}])
def test_what_an_agent_without_a_name_is_called_by_its_language_is_no_name(traced, named):
    nobody = traced.span("invoke_agent None", **{OPERATION: "invoke_agent"}, **named)
    with traced.agent("outer"), nobody, traced.model():
        pass
    assert AGENT not in traced["chat"]


def test_the_agent_of_a_span_that_never_says_its_name_is_not_the_one_around_it(traced):
    with traced.agent("outer"):
        with traced.span("step", "s", **{OPERATION: "invoke_agent"}), traced.model():
            pass
        assert AGENT not in {key for span in traced.exported.get_finished_spans() for key in span.attributes}


def test_the_prompt_is_the_nearest_agents_and_the_graph_is_the_runs(traced):
    with traced.span("run", **{OPERATION: "invoke_workflow", GRAPH: "7", PROMPT: "3"}):
        with traced.span("invoke_agent a", **{OPERATION: "invoke_agent", PROMPT: "12"}):
            with traced.model():
                pass
            assert (traced["chat"][PROMPT], traced["chat"][GRAPH]) == ("12", "7")
            with traced.agent("b"), traced.model():
                pass
        assert PROMPT not in traced["chat"]
        assert traced["chat"][GRAPH] == "7"


def test_baggage_set_around_a_span_beats_its_parent_and_a_callers_baggage_comes_last(traced):
    with traced.agent("planner"), carrying(**{AGENT: "executor", PROMPT: "5"}), traced.model():
        pass
    assert (traced["chat"][AGENT], traced["chat"][PROMPT]) == ("executor", "5")
    caller = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    with carrying(**{AGENT: "caller", GRAPH: "9"}):
        token = context.attach(trace.set_span_in_context(NonRecordingSpan(caller)))
        with traced.span("serve"):
            with traced.model():
                pass
            assert traced["chat"][AGENT] == "caller"
            with traced.agent("callee"), traced.model():
                pass
            assert (traced["chat"][AGENT], traced["chat"][GRAPH]) == ("callee", "9")
        context.detach(token)


def test_an_agent_whose_prompt_is_also_the_tasks_keeps_it(traced):
    with carrying(**{PROMPT: "12"}), traced.span("task"):
        with carrying(**{AGENT: "executor"}), traced.agent("executor"), traced.model():
            pass
        assert (traced["chat"][AGENT], traced["chat"][PROMPT]) == ("executor", "12")
        with traced.agent("critic"), traced.model():
            pass
        assert PROMPT not in traced["chat"]


def test_a_prompt_that_is_stated_around_a_frameworks_outer_span_reaches_the_agents_own(traced):
    with carrying(**{AGENT: "planner", PROMPT: "12", GRAPH: "7"}), traced.span("planner.kickoff"):
        with traced.agent("planner"), traced.model():
            pass
        assert (traced["chat"][AGENT], traced["chat"][PROMPT], traced["chat"][GRAPH]) == ("planner", "12", "7")
        with traced.agent("critic"), traced.model():
            pass
        assert (traced["chat"][AGENT], traced["chat"][GRAPH]) == ("critic", "7")
        assert PROMPT not in traced["chat"]
    assert traced["invoke_agent planner"][PROMPT] == "12"


def test_what_openinference_puts_on_every_span_of_a_context_is_the_prompt_of_the_agent_inside_which_it_was_set(traced):
    version = {dialects.PROMPT_IN_CONTEXT: "3"}
    with traced.span("run", **version), traced.span("invoke_agent a", **{OPERATION: "invoke_agent"}, **version):
        with traced.model(**version):
            pass
        assert PROMPT not in traced["chat"]
        with traced.model(**{dialects.PROMPT_IN_CONTEXT: "8"}):
            pass
        assert traced["chat"][PROMPT] == "8"


def test_a_request_of_the_mcp_protocol_is_the_tool_call_only_where_no_tool_span_is_around_it(traced):
    request = {"mcp.method.name": "tools/call"}
    with traced.agent("a"):
        with traced.span("MCP send tools/call lookup", kind=SpanKind.CLIENT, **request):
            pass
        alone = traced.exported.get_finished_spans()[-1]
        assert (alone.kind, alone.attributes[OPERATION]) == (SpanKind.INTERNAL, "execute_tool")
        assert (alone.attributes[Attr.TOOL_NAME.value], alone.attributes[AGENT]) == ("lookup", "a")
        with traced.span("t", **{OPERATION: "execute_tool"}):
            with traced.span("MCP send tools/call lookup", kind=SpanKind.CLIENT, **request):
                pass
            inside = traced.exported.get_finished_spans()[-1]
            assert (inside.kind, inside.attributes.get(OPERATION)) == (SpanKind.CLIENT, None)
        with traced.span("MCP send tools/list", kind=SpanKind.CLIENT, **{"mcp.method.name": "tools/list"}):
            pass
        assert OPERATION not in traced["MCP send tools/list"]


def test_a_request_waits_for_a_span_around_it_that_says_only_at_its_end_that_it_is_the_tool(traced):
    request = {"mcp.method.name": "tools/call"}
    with traced.agent("a"), traced.span("step") as step:
        with traced.span("MCP send tools/call lookup", kind=SpanKind.CLIENT, **request):
            pass
        step.set_attribute(OPERATION, "execute_tool")
    assert OPERATION not in traced["MCP send tools/call lookup"]
    with traced.agent("a"), traced.span("execute_tool lookup", kind=SpanKind.INTERNAL, x=1):
        with traced.span("MCP send tools/call lookup", kind=SpanKind.CLIENT, **request):
            pass
        assert OPERATION not in traced["MCP send tools/call lookup"]


def test_the_inner_one_of_two_instrumentations_is_marked_and_lends_its_tokens(traced):
    tokens = {Attr.INPUT_TOKENS.value: 10, Attr.OUTPUT_TOKENS.value: 4}
    with (
        traced.span("outer", "framework", **{OPERATION: "chat"}),
        traced.span("inner", "client", **{OPERATION: "chat"}, **tokens),
    ):
        pass
    assert (traced["inner"][OPERATION], traced["inner"][Attr.SPAN_DUPLICATE.value]) == ("nested_chat", True)
    assert {key: traced["outer"][key] for key in tokens} == tokens
    with (
        traced.span("outer", "framework", **{OPERATION: "chat"}, **{Attr.INPUT_TOKENS.value: 3}),
        traced.model("client", **tokens),
    ):
        pass
    assert traced["outer"][Attr.INPUT_TOKENS.value] == 3
    assert Attr.OUTPUT_TOKENS.value not in traced["outer"]


def test_the_inner_one_of_two_tool_spans_of_one_call_is_marked_and_a_tool_inside_another_tool_is_not(traced):
    lookup = {OPERATION: "execute_tool", Attr.TOOL_NAME.value: "lookup"}
    with traced.span("outer", "framework", **lookup), traced.span("inner", "client", **lookup):
        pass
    assert (traced["inner"][OPERATION], traced["outer"][OPERATION]) == ("nested_tool", "execute_tool")
    batch = {**lookup, Attr.TOOL_NAME.value: "batch"}
    with traced.span("outer", "framework", **batch), traced.span("inner", "client", **lookup):
        pass
    assert traced["inner"][OPERATION] == "execute_tool"
    with traced.span("outer", "framework", **lookup), traced.agent("b"), traced.span("inner", "client", **lookup):
        pass
    assert traced["inner"][OPERATION] == "execute_tool"


def test_a_frameworks_span_of_the_agent_that_the_programs_stands_for_is_marked(traced):
    def inner(scope="framework"):
        return traced.span("inner", scope, **{OPERATION: "invoke_agent", AGENT: "a"})

    with traced.agent("a"), traced.span("run", "framework", **{OPERATION: "invoke_workflow"}), inner(), traced.model():
        pass
    assert (traced["inner"][OPERATION], traced["inner"][Attr.SPAN_DUPLICATE.value]) == ("nested_agent", True)
    assert (traced["invoke_agent a"][OPERATION], traced["chat"][AGENT]) == ("invoke_agent", "a")
    for around in (
        (traced.agent("b"), inner()),
        (traced.agent("a"), inner("app")),  # it calls itself
        (traced.agent("a"), traced.span("t", **{OPERATION: "execute_tool"}), inner()),
    ):
        with ExitStack() as stack:
            for span in around:
                stack.enter_context(span)
        assert traced["inner"][OPERATION] == "invoke_agent"


def test_two_model_spans_of_one_scope_or_with_a_tool_between_are_two_calls(traced):
    with traced.span("outer", **{OPERATION: "chat"}), traced.model():
        pass
    assert traced["chat"][OPERATION] == "chat"
    with (
        traced.span("outer", **{OPERATION: "chat"}),
        traced.span("t", **{OPERATION: "execute_tool"}),
        traced.model("other"),
    ):
        pass
    assert traced["chat"][OPERATION] == "chat"


def _openai_run(traced, root, *, fails):
    kind = "openinference.span.kind"
    with (
        traced.span("team", root, **{kind: "AGENT"}),
        traced.span("writer", dialects.OPENAI_AGENTS, **{kind: "AGENT"}) as agent,
    ):
        if fails:
            agent.set_status(StatusCode.ERROR)
    return traced["team"].get(Attr.TASK_OUTCOME.value)


def test_a_run_whose_last_agent_failed_has_failed_but_an_applications_own_root_is_not_touched(traced):
    assert _openai_run(traced, dialects.OPENAI_AGENTS, fails=True) == "failure"
    assert _openai_run(traced, dialects.OPENAI_AGENTS, fails=False) is None
    assert _openai_run(traced, "app", fails=True) is None


def _delegated(traced):
    kind = "openinference.span.kind"
    return traced.span("Delegate work to coworker.run", dialects.CREWAI, **{kind: "TOOL"})


def test_a_span_waits_for_an_agent_that_tells_its_name_at_the_end(traced):
    with _delegated(traced) as tool:
        with traced.model():
            pass
        assert traced.exported.get_finished_spans() == ()
        tool.set_attribute("input.value", '{"coworker": "researcher"}')
    assert traced["chat"][AGENT] == "researcher"
    assert len(traced.exported.get_finished_spans()) == 2


def test_a_flush_a_time_limit_and_a_full_house_let_go_what_waits(traced, monkeypatch):
    with _delegated(traced), traced.model():
        pass
    traced.exported.clear()
    with _delegated(traced):
        with traced.model():
            pass
        assert traced.provider.force_flush()
        assert AGENT not in traced["chat"]
        monkeypatch.setattr(held, "_MOST", 0)
        with traced.span("late", **{OPERATION: "chat"}):
            pass
        assert AGENT not in traced["late"]
        monkeypatch.undo()
        monkeypatch.setattr(held, "_LONGEST_S", 0.05)
        with traced.span("timed", **{OPERATION: "chat"}):
            pass
        traced.processor._held._timer.join(5)
        assert AGENT not in traced["timed"]
    traced.provider.shutdown()


def test_sixteen_threads_do_not_mix_up_agents(traced):
    def work(number):
        for _ in range(50):
            with traced.agent(f"agent-{number}"), traced.span("turn"), traced.model(n=number):
                pass

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    calls = [span.attributes for span in traced.exported.get_finished_spans() if span.name == "chat"]
    assert len(calls) == 800
    assert all(call[AGENT] == f"agent-{call['n']}" for call in calls)


def test_counts_of_dropped_attributes_events_and_links_stay():
    traced = Traced(span_limits=SpanLimits(max_span_attributes=3, max_events=1))
    with traced.agent("a"), traced.span("s", a=1, b=2, c=3, d=4) as span:
        span.add_event("one")
        span.add_event("two")
    ended = traced.exported.get_finished_spans()[0]
    assert (ended.dropped_attributes, ended.dropped_events) == (1, 1)
    assert ended.attributes[AGENT] == "a"


def test_nothing_is_left_of_what_has_ended(traced):
    with traced.agent("a") as agent, traced.model() as model:
        nodes = [weakref.ref(agent._agentobs), weakref.ref(model._agentobs)]
    del agent, model
    traced.exported.clear()
    gc.collect()
    assert [node() for node in nodes] == [None, None]
    for _ in range(3000):
        with traced.model():
            pass
    assert len(traced.processor._nodes) <= 1024 + 1


def test_an_error_of_ours_costs_no_span_and_is_told_once(traced, monkeypatch, caplog):
    monkeypatch.setattr("agentobs.context.processor.inherited", lambda _: 1 / 0)
    with caplog.at_level(logging.WARNING), traced.agent("a"), traced.model():
        pass
    assert len(traced.exported.get_finished_spans()) == 2
    assert sum("ZeroDivisionError" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize("metadata", ["{", "[]", '"lc_agent_name"', '{"lc_agent_name": 3}', '{"lc_agent_name": null}'])
def test_metadata_that_is_no_object_or_names_nobody_is_no_name(traced, metadata):
    with traced.span("node", dialects.LANGCHAIN, metadata=metadata, **{"openinference.span.kind": "CHAIN"}):
        pass
    assert AGENT not in traced["node"]


def _nested(traced, depth, make):
    with ExitStack() as stack:
        for number in range(depth):
            stack.enter_context(make(number))
    return [span.attributes for span in traced.exported.get_finished_spans()]


def test_an_agent_that_calls_itself_without_end_costs_each_span_the_same_and_every_name_is_right(traced, monkeypatch):
    asked, agents, run = [], {0: "planner", 700: "executor"}, {GRAPH: "7", OPERATION: "invoke_workflow"}
    real = lineage._take
    monkeypatch.setattr(lineage, "_take", lambda *given: (asked.append(1), real(*given)))
    with traced.span("run", **run):
        spans = _nested(traced, 1000, lambda n: traced.agent(agents[n]) if n in agents else traced.model(n=n))
    assert len(asked) < 140 * 1000
    assert {each[GRAPH] for each in spans} == {"7"}
    assert [each[AGENT] for each in spans] == ["executor"] * 300 + ["planner"] * 700


def test_an_agent_far_above_that_tells_its_name_at_the_end_is_waited_for(traced):
    unnamed = traced.span("step", "s", **{OPERATION: "invoke_agent"})
    with traced.agent("planner"), unnamed as agent:
        with ExitStack() as stack:
            for _ in range(300):
                stack.enter_context(traced.span("turn", n=1))
            with traced.model():
                pass
            assert traced.exported.get_finished_spans() == ()
            agent.set_attribute(AGENT, "late")
        assert traced["turn"][AGENT] == "late"
    assert traced["chat"][AGENT] == "late"
