"""What is new in a window, what it took the place of, and what is said where it fails from its first call."""

from dataclasses import replace

import numpy as np
import pytest
from support.why_tables import COLUMNS, DIMENSION, MIDDLE, SPAN, WIDTH, row, table, told, tool

from agentobs.contract import Label
from alerts.catalogue import (
    AGENT_SUCCESS,
    EVALUATION_PASS,
    MODEL_SUCCESS,
    TASK_SUCCESS,
    TOOL_LATENCY,
    TOOL_SUCCESS,
)
from runbooks.why import changes, firsts, newcomers
from runbooks.why.changes import VersionChange
from runbooks.why.document import Origin
from runbooks.why.newcomers import Newcomer
from runbooks.why.places import Kind, Place
from runbooks.why.reading import Reader

NEW = Place("prod", Kind.TOOL, "new")
CAME = Newcomer(NEW, MIDDLE)


def counts(*stretches, calls=10.0, every=1):
    made = np.zeros(COLUMNS)
    for start, end in stretches:
        made[start:end:every] = calls
    return made


ALWAYS = counts((0, COLUMNS))


def reader(tools=(), agents=(), models=(), tasks=ALWAYS) -> Reader:
    """Rows of `(labels, counts)`; nothing is asked."""
    found = Reader(source=None, span=SPAN, where={})  # type: ignore[arg-type]
    rows = (TOOL_SUCCESS, tools), (AGENT_SUCCESS, agents), (TASK_SUCCESS, [({}, tasks)]), (MODEL_SUCCESS, models)
    for dimension in DIMENSION.values():
        found._kept[dimension.counted.series] = []
    for kpi, given in rows:
        found._kept[kpi.denominator.series] = [({"environment": "prod", **labels}, made) for labels, made in given]
    return found


def called(name, *stretches, by="executor", **more):
    return {"tool_name": name, "agent_name": by}, counts(*stretches, **more)


def ran(prompt, version, *stretches, agent="executor"):
    return {"agent_name": agent, "prompt_name": prompt, "prompt_version": version}, counts(*stretches)


def thought(model, *stretches, agent="executor"):
    return {"agent_name": agent, "model": model, "is_fallback": "false"}, counts(*stretches)


def new_tools(*rows):
    return [(one.place.name, one.first, one.instead) for one in newcomers.find(reader(tools=rows))]


def test_a_tool_is_new_from_its_first_call():
    assert new_tools(called("old", (0, 40)), called("new", (20, 40))) == [("new", 20, "")]


@pytest.mark.parametrize(
    "rows",
    [
        [called("old", (0, 40)), called("other", (1, 40))],  # calls end later than the first tasks begin
        [called("old", (0, 40)), called("rare", (20, 40), every=8)],
        [called("old", (0, 40)), called("none", (20, 40))],
        [called("bundled", (30, 31), calls=500.0), called("old", (0, 40))],
    ],
)
def test_what_began_with_the_window_or_is_rare_is_not_new(rows):
    assert new_tools(*rows) == []


def test_a_tool_takes_the_place_of_the_one_that_went_when_it_came():
    assert new_tools(called("old", (0, 21)), called("new", (20, 40))) == [("new", 20, "old")]


@pytest.mark.parametrize(
    "others",
    [
        [called("old", (0, 20)), called("older", (0, 20))],  # either may be meant
        [called("old", (0, 10))],  # long gone
        [called("old", (0, 20), by="critic")],  # of somebody else
        [called("old", (0, 20), every=9)],  # it may only pause
    ],
)
def test_no_place_is_taken_where_it_is_not_certain_whose(others):
    assert new_tools(*others, called("kept", (0, 40)), called("new", (20, 40))) == [("new", 20, "")]


def test_a_prompt_of_a_new_name_is_a_change_from_the_one_before():
    (found,) = firsts.find(reader(agents=[ran("draft", "7", (0, 20)), ran("plan", "1", (20, 40))]))
    assert (found.entity, found.version, found.since) == (("prod", "executor", "plan"), "1", 20 * WIDTH)
    assert (found.replaces, found.previous, found.was, found.now) == (
        ("prod", "executor", "draft"), "7", "draft 7", "plan 1",
    )  # fmt: skip
    assert not found.is_first


def test_a_prompt_that_is_taken_back_for_the_one_of_another_name_is_remembered():
    rows = [ran("draft", "7", (0, 20), (26, 40)), ran("plan", "1", (20, 26))]
    (found,) = firsts.find(reader(agents=rows))
    assert (found.until, found.taken_back) == (26 * WIDTH, True)


def test_versions_of_a_new_prompt_follow_its_first():
    rows = [ran("draft", "7", (0, 20)), ran("plan", "1", (20, 30)), ran("plan", "2", (30, 40))]
    read = reader(agents=rows)
    (first,) = firsts.find(read)
    assert (first.until, first.later) == (30 * WIDTH, ("2",))
    assert [(c.previous, c.version) for c in changes.find(read)] == [("1", "2")]


def test_a_first_version_follows_runs_that_named_none():
    unnamed = firsts.find(reader(agents=[ran("none", "none", (0, 20)), ran("plan", "1", (20, 40))]))
    same = changes.find(reader(agents=[ran("plan", "none", (0, 20)), ran("plan", "1", (20, 40))]))
    for (found,) in (unnamed, same):
        assert (found.version, found.previous, found.is_first, found.was) == ("1", "none", True, "none")


@pytest.mark.parametrize(
    "agents",
    [
        [ran("draft", "7", (0, 40)), ran("plan", "1", (0, 40))],  # both from the start
        [ran("draft", "7", (0, 40)), ran("plan", "1", (20, 40), agent="planner")],  # another agent's
        [ran("plan", "none", (0, 40)), ran("plan", "1", (20, 40))],  # some calls never say
        [ran("plan", "1", (20, 40))],  # nothing before
    ],
)
def test_no_first_version_where_nothing_was_replaced(agents):
    read = reader(agents=agents)
    assert [*firsts.find(read), *changes.find(read)] == []


def test_an_agent_that_worked_without_a_model_has_a_first_one():
    (found,) = firsts.find(reader(agents=[ran("plan", "1", (0, 40))], models=[thought("large", (20, 40))]))
    assert (found.dimension.key, found.version, found.is_first, found.since) == ("model", "large", True, 20 * WIDTH)
    always = reader(agents=[ran("plan", "1", (0, 40))], models=[thought("large", (0, 40))])
    new = reader(agents=[ran("plan", "1", (20, 40))], models=[thought("large", (20, 40))])
    # Calls are counted before their run, and few of the runs are the first to be counted.
    early = reader(agents=[ran("plan", "1", (2, 40))], models=[thought("large", (1, 2)), thought("large", (5, 40))])
    assert [*firsts.find(always), *firsts.find(new), *firsts.find(early)] == []


def new_tool(bad: float, start: int = MIDDLE, **more):
    return tool("new", row(bad, start, tool_version="1", **more))


def test_a_new_tool_that_fails_from_its_first_call_is_named_as_new():
    (first,) = told([new_tool(0.4), tool("old", row(0.05))], came=[CAME])
    assert (first.origin, first.culprit, first.since) == (Origin.NEW, None, MIDDLE * WIDTH)
    assert first.title == "new tool new: failing from its first call (tool call success)"
    assert first.evidence[0].before.events == 0
    assert first.evidence[0].before.value == TOOL_SUCCESS.promise
    assert first.evidence[0].tested == "promised is at least 90.0 %, then 160 of 400 events bad"
    assert "promised is at least 90.0 %. Nothing was before to compare it with." in first.reasons[0]
    assert "Take tool new out again" in first.fixes[0]
    assert first.harm.events == pytest.approx(400 * (0.4 - 0.1))


@pytest.mark.parametrize("bad", [0.0, 0.05, 0.1])
def test_a_new_tool_that_keeps_its_promise_is_no_news(bad):
    assert told([new_tool(bad), tool("old", row(0.05))], came=[CAME]) == []


def test_a_new_tool_with_few_calls_is_no_verdict():
    few = tool("new", row(0.5, MIDDLE, MIDDLE + 4, events=2))
    assert told([few, tool("old", row(0.05))], came=[CAME]) == []


def test_what_fails_because_of_a_new_tool_is_explained_by_it():
    """Also where a new version of the prompt, which calls it, came at the same moment."""
    runs = [
        row(0.05, 0, MIDDLE, agent_name="executor", prompt_name="executor", prompt_version="1"),
        row(0.3, MIDDLE, agent_name="executor", prompt_name="executor", prompt_version="2"),
    ]
    tasks = row(0.05, 0, MIDDLE, workflow="support"), row(0.3, MIDDLE, workflow="support")
    tables = [new_tool(0.4), table(AGENT_SUCCESS, "executor", *runs), table(TASK_SUCCESS, "", *tasks)]
    prompt = VersionChange(
        dimension=DIMENSION["prompt"], entity=("prod", "executor", "executor"), version="2", previous="1",
        since=MIDDLE * WIDTH,
    )  # fmt: skip
    for changed in ((), (prompt,)):
        first, *others = told(tables, *changed, came=[CAME])
        assert first.origin is Origin.NEW
        assert {one.kpi for one in first.evidence} == {"tool_success", "agent_success", "task_success"}
        assert others == []


def test_a_new_tool_that_did_well_at_first_is_not_new_when_it_fails():
    (first,) = told([tool("new", row(0.05, 10, 25), row(0.5, 25))], came=[replace(CAME, first=10)])
    assert first.origin is Origin.UNVERSIONED
    assert first.since == pytest.approx(25 * WIDTH, abs=WIDTH)


def test_a_tool_in_the_place_of_another_is_compared_with_it():
    """Also in what nothing is promised of: time."""
    came = [replace(CAME, instead="old")]
    old, new = row(0.02, 0, MIDDLE, tool_name="old"), row(0.08, MIDDLE, events=60, tool_name="new")
    (first,) = told([tool("new", old, new)], came=came)
    assert (first.origin, first.evidence[0].before.events) == (Origin.NEW, MIDDLE * 20)
    assert first.title == "new tool new, in the place of old: tool call success got worse"
    assert first.fixes[0] == "Put old back in the place of tool new."
    slow = tool("new", row(0.1, 0, MIDDLE, tool_name="old"), row(0.6, MIDDLE, tool_name="new"), kpi=TOOL_LATENCY)
    (first,) = told([replace(slow, above=slow.events + 3 * slow.bad, bound=2.0)], came=came)
    assert first.title == "new tool new, in the place of old: time per tool call got worse"


def test_a_new_agent_is_named_once_for_all_that_it_breaks():
    came = [Newcomer(Place("prod", Kind.AGENT, "critic"), MIDDLE)]
    mine = {"agent_name": "critic"}
    tables = [table(kpi, "critic", row(0.6, MIDDLE, **mine)) for kpi in (AGENT_SUCCESS, MODEL_SUCCESS, EVALUATION_PASS)]
    (first,) = told(tables, came=came)
    assert (first.origin, first.subject["agent_name"]) == (Origin.NEW, "critic")
    assert len(first.evidence) == 3


def test_evaluations_that_begin_later_than_their_agent_are_nothing_new():
    evaluations = table(EVALUATION_PASS, "critic", row(0.6, MIDDLE, agent_name="critic"))
    assert told([evaluations, table(AGENT_SUCCESS, "critic", row(0.02, agent_name="critic"))]) == []


def test_a_first_model_that_fails_is_named_as_the_first():
    change = VersionChange(
        dimension=DIMENSION["model"], entity=("prod", "executor"), version="large", previous="none",
        since=MIDDLE * WIDTH,
    )  # fmt: skip
    calls = table(MODEL_SUCCESS, "executor", row(0.4, MIDDLE, agent_name="executor", model="large"))
    (first,) = told([calls, table(AGENT_SUCCESS, "executor", row(0.02, agent_name="executor"))], change)
    assert (first.culprit.dimension, first.culprit.version, first.culprit.previous) == ("model", "large", "none")
    assert first.title == "model of executor: none -> large (its first)"
    assert "go back to how it worked without" in first.fixes[0]


def test_a_prompt_of_a_new_name_is_blamed_with_both_names():
    agent = {"agent_name": "executor"}
    rows = [
        row(0.05, 0, MIDDLE, prompt_name="draft", prompt_version="1", **agent),
        row(0.4, MIDDLE, prompt_name="plan", prompt_version="1", **agent),
    ]
    change = VersionChange(
        dimension=DIMENSION["prompt"], entity=("prod", "executor", "plan"), version="1", previous="1",
        since=MIDDLE * WIDTH, replaces=("prod", "executor", "draft"),
    )  # fmt: skip
    (first,) = told([table(AGENT_SUCCESS, "executor", *rows)], change)
    assert first.title == "prompt of executor: draft 1 -> plan 1"
    assert first.culprit.previous == "draft 1"
    assert Label.PROMPT in first.subject
