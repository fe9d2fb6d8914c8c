import asyncio
import concurrent.futures
from contextlib import AbstractContextManager, ExitStack
from decimal import Decimal

import pytest
from opentelemetry import propagate
from opentelemetry.trace import StatusCode

from agentobs import emit
from agentobs.contract import BAGGAGE_KEYS, Attr, Outcome, PolicyAction, Track


def _task(**changes: object) -> AbstractContextManager[emit.Task]:
    return emit.task(**{"workflow": "support", "type": "refund", "graph_version": "7", **changes})


Pause = type("GraphInterrupt", (Exception,), {"__module__": "langgraph.errors"})
ReadTimeout = type("ReadTimeout", (Exception,), {"__module__": "httpx"})
PROMPT = emit.Prompt("planner-prompt", "12", text="Plan it.")


def test_a_task_span_carries_the_contract(recorded) -> None:
    with _task(track=Track.CANARY, task_id="t-1", conversation_id="c-1") as task:
        task.plan(planned=4, completed=3)
        task.add_usage(cost_usd=0.25, tokens=100)
        task.add_usage(cost_usd=Decimal("0.5"), tokens=11)  # type: ignore[arg-type]
        task.retries += 2
    span = recorded.span("invoke_workflow support")
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "support",
        "gen_ai.conversation.id": "c-1",
        "agentic.span.role": "task",
        "agentic.task.id": "t-1",
        "agentic.task.type": "refund",
        "agentic.task.outcome": "success",
        "agentic.task.cost_usd": 0.75,
        "agentic.task.tokens": 111,
        "agentic.task.retries": 2,
        "agentic.plan.steps_planned": 4,
        "agentic.plan.steps_completed": 3,
        "agentic.graph.version": "7",
        "agentic.rollout.track": "canary",
    }
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("error", "outcome", "error_type"),
    [
        (ValueError("x"), Outcome.FAILURE, "ValueError"),
        (TimeoutError(), Outcome.TIMEOUT, "TimeoutError"),
        (asyncio.CancelledError(), Outcome.CANCELLED, "asyncio.exceptions.CancelledError"),
        (ExceptionGroup("g", [ExceptionGroup("g", [TimeoutError()])]), Outcome.TIMEOUT, "TimeoutError"),
        (ExceptionGroup("g", [TimeoutError(), ValueError()]), Outcome.FAILURE, "ExceptionGroup"),
        (Pause(), Outcome.NEEDS_HUMAN, "langgraph.errors.GraphInterrupt"),
        (ReadTimeout(), Outcome.TIMEOUT, "httpx.ReadTimeout"),
        (concurrent.futures.CancelledError(), Outcome.CANCELLED, "concurrent.futures._base.CancelledError"),
        (SystemExit(3), Outcome.FAILURE, "SystemExit"),
    ],
)
def test_an_exception_decides_the_outcome_and_passes_on(recorded, error, outcome, error_type) -> None:
    with pytest.raises(type(error)), _task():
        raise error
    span = recorded.span("invoke_workflow support")
    assert span.attributes[Attr.TASK_OUTCOME] == outcome
    assert span.attributes[Attr.ERROR_TYPE] == error_type
    assert span.status.status_code is StatusCode.ERROR


def test_a_program_that_exits_as_it_means_to_has_not_failed(recorded) -> None:
    with pytest.raises(SystemExit), _task(), emit.agent("a"):
        raise SystemExit
    assert {span.status.status_code for span in recorded.spans} == {StatusCode.UNSET}
    assert recorded.span("invoke_workflow support").attributes[Attr.TASK_OUTCOME] == "success"


@pytest.mark.parametrize(
    "opened",
    [
        _task,
        lambda: emit.agent("a"),
        lambda: emit.tool_call("t", version="1"),
        lambda: emit.model_call("m", "p"),
    ],
    ids=["task", "agent", "tool", "model"],
)
def test_an_exception_without_a_text_passes_on_as_itself(recorded, opened) -> None:
    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with pytest.raises(Mute), opened():
        raise Mute
    (span,) = recorded.spans
    assert span.attributes[Attr.ERROR_TYPE].endswith("Mute")
    assert span.status.status_code is StatusCode.ERROR


def test_a_generator_that_is_closed_elsewhere_makes_no_noise(recorded, caplog) -> None:
    async def answers():
        with emit.agent("writer"), emit.model_call("m", "p"):
            yield 1
            yield 2

    async def read() -> None:
        stream = answers()
        await anext(stream)
        await asyncio.create_task(stream.aclose())
        with emit.tool_call("after", version="1"):
            pass

    asyncio.run(read())
    assert caplog.records == []
    assert {span.name for span in recorded.spans} == {"invoke_agent writer", "chat m", "execute_tool after"}


def test_texts_stand_for_the_contracts_values_and_others_are_refused_where_they_are_written(recorded) -> None:
    with _task(track="canary", prompt=emit.Prompt("p", 12)) as task:
        task.outcome = "needs_human"
        with pytest.raises(ValueError, match=r"'lost' is no Outcome; expected one of success, failure"):
            task.outcome = "lost"
    attributes = recorded.span("invoke_workflow support").attributes
    assert (attributes[Attr.TASK_OUTCOME], attributes[Attr.TRACK]) == ("needs_human", "canary")
    assert attributes[Attr.PROMPT_VERSION] == "12"
    with pytest.raises(ValueError, match="expected one of stable, canary, shadow"), _task(track="best"):
        pass


def test_an_outcome_that_was_set_wins_over_an_exception(recorded) -> None:
    def hand_over() -> None:
        with _task() as task:
            task.outcome = Outcome.NEEDS_HUMAN
            raise LookupError

    with pytest.raises(LookupError):
        hand_over()
    assert recorded.span("invoke_workflow support").attributes[Attr.TASK_OUTCOME] == "needs_human"


@pytest.mark.parametrize(
    ("outcome", "error_type"),
    [(Outcome.FAILURE, "task_failed"), (Outcome.TIMEOUT, "timeout"), (Outcome.NEEDS_HUMAN, None)],
)
def test_a_task_that_fails_without_an_exception_is_an_error_and_one_handed_over_is_not(
    recorded, outcome, error_type
) -> None:
    with _task() as task:
        task.outcome = outcome
    span = recorded.span("invoke_workflow support")
    assert span.attributes.get(Attr.ERROR_TYPE) == error_type
    assert (span.status.status_code is StatusCode.ERROR) == (error_type is not None)


def test_a_handled_child_error_does_not_fail_the_task(recorded) -> None:
    with _task(), pytest.raises(OSError, match="away"), emit.tool_call("search", version="1"):
        raise OSError("away")
    assert recorded.span("invoke_workflow support").status.status_code is StatusCode.UNSET
    assert recorded.span("execute_tool search").status.status_code is StatusCode.ERROR


def test_every_baggage_key_lands_on_spans_and_log_records_inside(recorded) -> None:
    with (
        _task(conversation_id="c-9", release="3f9ac1d07b52"),
        emit.agent("planner", PROMPT),
        emit.tool_call("search", version="1"),
        emit.model_call("m", "p"),
    ):
        emit.policy_violation(policy_id="pii", action=PolicyAction.FLAGGED)
    expected = {
        Attr.CONVERSATION_ID: "c-9",
        Attr.AGENT_NAME: "planner",
        Attr.PROMPT_NAME: "planner-prompt",
        Attr.PROMPT_VERSION: "12",
        Attr.GRAPH_VERSION: "7",
        Attr.TRACK: "stable",
        Attr.RELEASE: "3f9ac1d07b52",
    }
    assert set(expected) == set(BAGGAGE_KEYS)
    inside = [recorded.span(name).attributes for name in ("invoke_agent planner", "execute_tool search", "chat m")]
    (record,) = recorded.logs
    for attributes in (*inside, record.log_record.attributes):
        assert expected.items() <= dict(attributes).items()


def test_the_prompt_hash_is_on_spans_inside_the_agent_only(recorded) -> None:
    with _task(), emit.agent("planner", PROMPT), emit.model_call("m", "p"):
        pass
    assert recorded.span("chat m").attributes[Attr.PROMPT_HASH] == PROMPT.hash
    assert Attr.PROMPT_HASH not in recorded.span("invoke_workflow support").attributes
    assert PROMPT.hash != emit.Prompt("planner-prompt", "12", text="Plan it!").hash


def test_an_inner_agent_replaces_the_outer_ones_prompt_and_gives_it_back(recorded) -> None:
    with _task(), emit.agent("planner", PROMPT):
        with emit.agent("helper"), emit.tool_call("inner", version="1"):
            pass
        with emit.tool_call("outer", version="1"):
            pass
    inner, outer = recorded.span("execute_tool inner").attributes, recorded.span("execute_tool outer").attributes
    assert inner[Attr.AGENT_NAME] == "helper"
    assert not {Attr.PROMPT_NAME, Attr.PROMPT_VERSION, Attr.PROMPT_HASH} & inner.keys()
    assert outer[Attr.PROMPT_VERSION] == "12"


@pytest.mark.parametrize("is_remote", [True, False])
def test_who_asks_for_a_task_is_not_who_works_on_it(recorded, process_telemetry, is_remote) -> None:
    tracer = process_telemetry.telemetry.tracer_provider.get_tracer("http")
    asking = {"baggage": f"{Attr.AGENT_NAME}=caller,{Attr.PROMPT_VERSION}=9,{Attr.GRAPH_VERSION}=1"}
    with ExitStack() as around:
        if is_remote:
            around.enter_context(tracer.start_as_current_span("POST", propagate.extract(asking)))
        else:
            around.enter_context(emit.agent("caller", PROMPT))
        with _task(), emit.model_call("m", "p"):
            pass
    for name in ("chat m", "invoke_workflow support"):
        found = recorded.span(name).attributes
        assert not {Attr.AGENT_NAME, Attr.PROMPT_VERSION, Attr.PROMPT_HASH} & found.keys()
        assert found[Attr.GRAPH_VERSION] == "7"


def test_an_agent_without_a_span_of_its_own_marks_the_frameworks_span(recorded, process_telemetry) -> None:
    tracer = process_telemetry.telemetry.tracer_provider.get_tracer("framework")
    attributes = {"gen_ai.operation.name": "invoke_agent"}
    with (
        emit.agent("planner", PROMPT, span=False, attempt=2, fallback_from="other"),
        tracer.start_as_current_span("invoke_agent planner", attributes=attributes),
        tracer.start_as_current_span("step"),
    ):
        pass
    (step, span) = recorded.spans
    assert (span.attributes[Attr.RETRY_ATTEMPT], span.attributes[Attr.FALLBACK]) == (2, True)
    assert span.attributes[Attr.FALLBACK_FROM] == "other"
    assert Attr.RETRY_ATTEMPT not in step.attributes


def test_a_task_gets_the_main_agents_prompt_until_an_agent_takes_over(recorded) -> None:
    with _task(prompt=emit.Prompt("executor", "3")), emit.agent("planner", PROMPT):
        pass
    assert recorded.span("invoke_workflow support").attributes[Attr.PROMPT_VERSION] == "3"
    assert recorded.span("invoke_agent planner").attributes[Attr.PROMPT_VERSION] == "12"


def test_concurrent_tasks_do_not_mix_their_slices(recorded) -> None:
    async def one(number: int) -> None:
        with _task(workflow=f"w{number}", graph_version=str(number), conversation_id=f"c{number}"):
            await asyncio.sleep(0)
            with emit.agent(f"a{number}", emit.Prompt(f"p{number}", str(number))):
                await asyncio.sleep(0)
                with emit.tool_call(f"tool{number}", version="1"):
                    await asyncio.sleep(0)

    async def all_at_once() -> None:
        await asyncio.gather(*(one(number) for number in range(20)))

    asyncio.run(all_at_once())
    for number in range(20):
        span, task = recorded.span(f"execute_tool tool{number}"), recorded.span(f"invoke_workflow w{number}")
        assert span.attributes[Attr.AGENT_NAME] == f"a{number}"
        assert span.attributes[Attr.CONVERSATION_ID] == f"c{number}"
        assert span.attributes[Attr.GRAPH_VERSION] == str(number)
        assert span.context.trace_id == task.context.trace_id


def test_nothing_of_a_task_stays_behind_after_it(recorded) -> None:
    with _task(), emit.agent("planner", PROMPT):
        pass
    with emit.tool_call("later", version="1"):
        pass
    assert not set(BAGGAGE_KEYS) & recorded.span("execute_tool later").attributes.keys()


def test_a_task_whose_usage_nobody_sums_up_is_not_free_but_unknown(recorded) -> None:
    with _task():
        pass
    attributes = recorded.span("invoke_workflow support").attributes
    assert Attr.TASK_COST not in attributes
    assert Attr.TASK_TOKENS not in attributes
