"""Cases from production: what a trace shows becomes a draft that replays, or is refused; a person lets it in."""

import asyncio
import json
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from mcp.client import Client
from typer.testing import CliRunner

from agentobs import emit
from agentobs.contract import Attr
from collector import search
from delivery.golden import choosing, curating, dataset, reviewing
from delivery.golden.errors import GoldenError
from delivery.golden.running import Runner, Settings
from delivery.golden.systems import CaseRun, FunctionSystem
from stacks.cli import golden_cases
from stacks.cli.golden import app

TRACE = "0123456789abcdef0123456789abcdef"


def messages(role, text):
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


async def look_up(order, client):
    with emit.tool_call("lookup", version="3.1.0") as call:
        call.span.set_attribute(Attr.MCP_SERVER_NAME.value, "orders")
        call.span.set_attribute(Attr.TOOL_ARGUMENTS.value, json.dumps({"order": order}))
        result = f"order {order} of ada@example.org" if client is None else await answered(client, order)
        call.span.set_attribute(Attr.TOOL_RESULT.value, result)
    return result


async def answered(client, order):
    return (await client.call_tool("lookup", {"order": order})).content[0].text


async def desk(given):
    """The last word of the input is the order; live, or against a tape."""
    order = given.input.rsplit(" ", 1)[1]
    with emit.task(workflow="support", type="chat", graph_version="7"), emit.agent("desk", emit.Prompt("desk", "12")):
        with emit.model_call("gpt-4.1-mini", "openai") as call:
            call.span.set_attribute(Attr.INPUT_MESSAGES.value, messages("user", given.input))
            call.span.set_attribute(Attr.OUTPUT_MESSAGES.value, messages("assistant", "done"))
            call.usage(input_tokens=10, output_tokens=5)
        if "orders" not in given.servers:
            return await look_up(order, None)
        async with Client(given.servers["orders"]) as client:
            return await look_up(order, client)


def trace(text="where is my order A1", system=desk, **changes):
    """The spans of one live run, as a store of traces answers them."""

    async def work():
        async with FunctionSystem(system) as tested:
            return (await tested.run(CaseRun(case="live", run=0, input=text, seed=1), None, 5.0)).spans

    found = [
        search.Span(trace_id=TRACE, span_id=span.id, parent_id=span.parent, name=span.name, kind="internal",
                    failed=False, start=span.start / 1e9, end=span.end / 1e9, attributes=dict(span.attributes),
                    resource={})
        for span in asyncio.run(work())
    ]  # fmt: skip
    for span in found:
        for key, value in changes.items():
            if Attr[key].value in span.attributes:
                span.attributes[Attr[key].value] = value
    return found


def test_a_trace_becomes_a_case_that_replays_once_a_person_took_it(tmp_path):
    made = curating.draft(TRACE, trace())
    assert (made.case["input"], made.case["agent_path_expected"]) == ("where is my order A1", ["desk"])
    assert made.case["provenance"]["versions"] == {
        "prompt": {"desk": "12"}, "tool": {"lookup": "3.1.0"}, "model": {"desk": "gpt-4.1-mini"},
        "graph": {"support": "7"},
    }  # fmt: skip
    assert reviewing.add(tmp_path, [(made, "random")]) == 1
    assert reviewing.add(tmp_path, [(made, "random")]) == 0
    name = made.case["id"]
    for expected in ("", curating.UNREAD):
        with pytest.raises(GoldenError, match="nobody said"):
            reviewing.take(tmp_path, name, expected=expected, by="ada")
    done = CliRunner().invoke(app, ["review", str(tmp_path)])
    assert name in done.output
    done = CliRunner().invoke(app, ["review", str(tmp_path), name, "--expected", "Looks the order up.", "--by", "ada"])
    assert done.exit_code == 0, done.output
    assert reviewing.waiting(tmp_path) == []
    found = dataset.load(tmp_path)
    assert found.cases[0].example.provenance.approved_by == "ada"
    assert CliRunner().invoke(app, ["freeze", str(tmp_path), "--version", "1", "--reason", "first"]).exit_code == 0

    async def work():
        async with FunctionSystem(desk) as tested:
            return await Runner(found, tested, Settings(limit_s=5.0)).play(found.cases, range(1))

    (run,) = asyncio.run(work())
    assert (run.passed, run.tools) == (True, ("lookup",)), run.failed


def test_personal_data_has_one_stand_in_in_input_arguments_and_results():
    made = curating.draft(TRACE, trace("the order of ada@example.org is ada@example.org"))
    (call,) = made.tape.calls
    stand_in = call.arguments["order"]
    assert stand_in == "<mail address 1>"
    assert made.case["input"] == f"the order of {stand_in} is {stand_in}"
    assert call.result["content"][0]["text"] == f"order {stand_in} of {stand_in}"
    assert "ada@" not in json.dumps(made.case) + made.tape.model_dump_json()


async def silent(_):
    with emit.task(workflow="support", type="chat", graph_version="7"), emit.agent("desk"):
        pass


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        (lambda: trace(TOOL_RESULT="x" * 2048), "2048 characters"),
        (lambda: trace(INPUT_MESSAGES="[" + "x" * 2047), "2048 characters"),
        (lambda: trace(INPUT_MESSAGES='[{"role": "us'), "no whole JSON"),
        (lambda: trace(TOOL_ARGUMENTS='{"order": "A'), "no whole JSON"),
        (lambda: trace(TOOL_RESULT=None), "no result"),
        (lambda: trace(TOOL_ARGUMENTS=None), "no arguments"),
        (lambda: trace(system=silent), "no input"),
        (list, "no telemetry"),
    ],
)
def test_half_a_trace_is_refused_with_its_reason(spans, told):
    with pytest.raises(curating.RefusedTraceError, match=told):
        curating.draft(TRACE, spans())


def test_drafts_come_from_whichever_store_of_traces_there_is(tmp_path, monkeypatch):
    """Two traces, one of them cut: one draft, one reason; the second time nothing is new."""
    asked = []

    class Store:
        def find(self, wanted, start, end, limit):
            asked.append((wanted, limit))
            seen = search.Trace(trace_id=TRACE, service="s", name="n", start=start, duration_s=end - start)
            return [seen, replace(seen, trace_id="cut")]

        def trace(self, trace_id):
            return trace() if trace_id == TRACE else trace(TOOL_RESULT="x" * 2048)

    monkeypatch.setattr(golden_cases, "resolve", lambda *_: nullcontext(SimpleNamespace(traces=Store())))
    done = CliRunner().invoke(app, ["curate", str(tmp_path), "--look-at", "7", "-e", "prod"])
    assert done.exit_code == 0, done.output
    assert "1 new drafts from 1 traces, 1 refused" in done.output
    assert "refused cut: " in done.output
    ((wanted, limit),) = asked
    assert ({term.key: term.value for term in wanted.terms}, limit) == (
        {"agentic.span.role": "task", "deployment.environment.name": "prod"}, 7,
    )  # fmt: skip
    assert "0 new drafts" in CliRunner().invoke(app, ["curate", str(tmp_path)]).output
    name = reviewing.waiting(tmp_path)[0]["id"]
    assert CliRunner().invoke(app, ["review", str(tmp_path), name, "--drop"]).exit_code == 0
    assert reviewing.waiting(tmp_path) == []


def drafts(*kinds):
    base = curating.draft(TRACE, trace())
    made = []
    for number, (text, outcome, agents) in enumerate(kinds):
        case = {**base.case, "id": f"trace-{number}", "input": text}
        seen = replace(base.seen, outcome=outcome, path=tuple((agent,) for agent in agents))
        made.append(replace(base, case=case, seen=seen))
    return made


def test_failures_and_rare_paths_come_in_and_near_duplicates_stay_out():
    usual = [(f"please tell me where my order A{number} is now", "success", ["desk"]) for number in range(40)]
    failed = ("refund my broken lamp today please", "failure", ["desk"])
    rare = ("can a person call me about this", "success", ["desk", "human"])
    chosen = choosing.choose(drafts(*usual, failed, rare), 10, seed=1)
    assert {reason for _, reason in chosen} >= {"failed", "rare path"}
    assert [draft.case["input"] for draft, _ in chosen].count(failed[0]) == 1
    assert sum("order" in draft.case["input"] for draft, _ in chosen) == 1  # forty times the same but for a number
    again = choosing.choose(drafts(*usual, failed, rare)[::-1], 10, seed=1)
    assert [draft.case["id"] for draft, _ in again] == [draft.case["id"] for draft, _ in chosen]
    assert len(choosing.choose(drafts(*usual, failed, rare), 1, seed=1)) == 1


def test_what_cases_have_already_is_no_new_version():
    (made,) = drafts(("a", "success", ["desk"]))
    known = [made.case["provenance"]["versions"]]
    assert all(reason != "new version" for _, reason in choosing.choose([made], 5, 1, known))
