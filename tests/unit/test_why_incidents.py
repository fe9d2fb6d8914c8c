"""From tables to incidents: what is blamed, what is not, what is one and what is two, and what cannot be decided."""

import numpy as np
import pytest
from support.why_tables import (
    COLUMNS,
    MIDDLE,
    SPAN,
    WIDTH,
    change,
    examined,
    replaced,
    row,
    table,
    told,
    tool,
)

from alerts.catalogue import (
    AGENT_LATENCY,
    AGENT_SUCCESS,
    EVALUATION_PASS,
    MODEL_LATENCY,
    TASK_SUCCESS,
    TOOL_LATENCY,
    TOOL_RETRIES,
)
from runbooks.why.document import Origin, Status


def test_a_version_that_fails_is_blamed_with_its_moment():
    (first,) = told([tool("search", *replaced(0.3)), tool("lookup", row(0.05))], change("tool", "search"))
    assert (first.origin, first.culprit.tool, first.culprit.version) == (Origin.VERSION, "search", "2")
    assert first.since == MIDDLE * WIDTH
    assert first.confidence > 0.9
    assert "1 other tool did not get worse." in first.reasons


def test_a_canary_is_compared_with_the_old_version_on_the_same_traffic():
    rows = [row(0.05, tool_version="1"), row(0.4, MIDDLE, events=5, tool_version="2")]
    (first,) = told([tool("search", *rows)], change("tool", "search"))
    assert first.culprit.version == "2"
    assert any("stayed at" in reason and "not the traffic" in reason for reason in first.reasons)


def test_no_version_is_blamed_when_the_old_one_got_worse_as_well():
    rows = [
        row(0.05, 0, MIDDLE, tool_version="1"),
        row(0.3, MIDDLE, tool_version="1"),
        row(0.3, MIDDLE, tool_version="2"),
    ]
    (first,) = told([tool("search", *rows)], change("tool", "search"))
    assert (first.origin, first.culprit) == (Origin.UNVERSIONED, None)


def test_a_version_that_came_at_another_time_is_innocent():
    rows = [row(0.05, 0, 10, tool_version="1"), row(0.05, 10, 28, tool_version="2"), row(0.3, 28, tool_version="2")]
    (first,) = told([tool("search", *rows)], change("tool", "search", column=10))
    assert first.origin is Origin.UNVERSIONED
    assert first.since == pytest.approx(28 * WIDTH, abs=WIDTH)


def test_an_outage_among_many_deployments_of_its_tool_is_no_versions_fault():
    """Version after version, each for two columns; it breaks in the middle of one and stays broken."""
    versions = [str(number) for number in range(20)]
    rows = [row(0.05, 2 * n, 2 * n + 2, tool_version=v) for n, v in enumerate(versions[:10])]
    rows += [row(0.05, 20, 21, tool_version="10"), row(0.4, 21, 22, tool_version="10")]
    rows += [row(0.4, 2 * n, 2 * n + 2, tool_version=v) for n, v in enumerate(versions[11:], 11)]
    changes = [
        change("tool", "search", column=2 * n, until=2 * n + 2 if n < 19 else None, later=tuple(versions[n + 1 :]))
        for n in range(1, 20)
    ]
    named = [
        type(one)(**{**{f: getattr(one, f) for f in one.__dataclass_fields__}, "version": v, "previous": p})
        for one, v, p in zip(changes, versions[1:], versions, strict=False)
    ]
    (first,) = told([tool("search", *rows)], *named)
    assert (first.origin, first.culprit) == (Origin.UNVERSIONED, None)
    assert first.since == pytest.approx(21 * WIDTH, abs=WIDTH)


def test_an_innocent_tool_is_not_accused_of_its_callers_failures():
    """Tool and prompt change at the same moment; the tool itself does well."""
    runs = [
        row(0.05, 0, MIDDLE, agent_name="executor", prompt_name="executor", prompt_version="1"),
        row(0.3, MIDDLE, agent_name="executor", prompt_name="executor", prompt_version="2"),
    ]
    tables = [tool("search", *replaced(0.05)), table(AGENT_SUCCESS, "executor", *runs)]
    (first,) = told(tables, change("tool", "search"), change("prompt", "executor", "executor"))
    assert (first.culprit.dimension, first.culprit.agent) == ("prompt", "executor")
    assert first.confidence > 0.8


def test_callers_of_a_broken_tool_are_explained_by_it():
    runs = row(0.05, 0, MIDDLE, agent_name="executor"), row(0.2, MIDDLE, agent_name="executor")
    tasks = row(0.05, 0, MIDDLE, workflow="support"), row(0.2, MIDDLE, workflow="support")
    tables = [
        tool("search", *replaced(0.3)), table(AGENT_SUCCESS, "executor", *runs), table(TASK_SUCCESS, "", *tasks),
    ]  # fmt: skip
    (first,) = told(tables, change("tool", "search"))
    assert {evidence.kpi for evidence in first.evidence} == {"tool_success", "agent_success", "task_success"}
    assert first.harm.tasks == pytest.approx(20 * 20 * 0.15)


def test_a_model_of_one_caller_is_innocent_of_a_tool_that_fails_for_all():
    rows = [
        cells
        for agent in ("planner", "executor", "critic")
        for cells in (row(0.02, 0, MIDDLE, agent_name=agent), row(0.7, MIDDLE, agent_name=agent))
    ]
    (first,) = told([tool("search", *rows)], change("model", "planner", column=MIDDLE - 1))
    assert (first.culprit, first.subject) == (None, {"environment": "prod", "tool_name": "search"})


def test_only_the_agent_whose_calls_fail_is_named():
    rows = [
        row(0.05, agent_name="planner"),
        row(0.05, 0, MIDDLE, agent_name="executor"),
        row(0.4, MIDDLE, agent_name="executor"),
    ]
    (first,) = told([tool("search", *rows)])
    assert first.subject == {"environment": "prod", "tool_name": "search", "agent_name": "executor"}
    assert any("Others that call it did not get worse: planner" in reason for reason in first.reasons)


def test_a_version_is_not_hidden_by_a_machine_that_gets_slow_at_the_same_time():
    """The recorded case: one tool fails with its version, and everything is slow from the same moment on."""
    slow = [
        table(kpi, name, row(0.1, 0, MIDDLE, agent_name=name), row(0.9, MIDDLE, agent_name=name))
        for name in ("router", "critic", "executor")
        for kpi in (AGENT_LATENCY, MODEL_LATENCY)
    ]
    tables = [tool("search", *replaced(0.4)), tool("lookup", row(0.05)), *map(_with_values, slow)]
    first, second = told(tables, change("tool", "search"))
    assert (first.culprit.tool, first.culprit.version) == ("search", "2")
    assert second.culprit is None
    assert {evidence.kpi for evidence in second.evidence} == {"agent_latency", "model_latency"}


def test_a_version_of_an_agent_is_innocent_of_a_slowness_that_all_share():
    slow = [
        table(AGENT_LATENCY, name, *_slow(name, versioned=name == "executor")) for name in ("a", "b", "c", "executor")
    ]
    (first,) = told([*map(_with_values, slow)], change("prompt", "executor", "executor"))
    assert first.culprit is None
    assert len({e.subject.get("agent_name") for e in first.evidence}) == 4


def _slow(name: str, *, versioned: bool):
    versions = ("1", "2") if versioned else ("1", "1")
    return [
        row(bad, start, end, agent_name=name, prompt_name=name, prompt_version=version)
        for bad, start, end, version in ((0.1, 0, MIDDLE, versions[0]), (0.9, MIDDLE, COLUMNS, versions[1]))
    ]


def _with_values(made):
    """Seconds that go with large values: 1 s for a usual call, 4 s for a large one."""
    return type(made)(**{**made.__dict__, "above": made.events + 3 * made.bad, "bound": 2.0})


def _answers(start: int, end: int, bad: float, **versions: str):
    return row(bad, start, end, agent_name="executor", prompt_name="executor", **versions)


def test_prompt_and_model_that_change_together_cannot_be_told_apart():
    rows = [
        _answers(0, MIDDLE, 0.05, prompt_version="1", model="1"),
        _answers(MIDDLE, COLUMNS, 0.4, prompt_version="2", model="2"),
    ]
    changes = change("prompt", "executor", "executor"), change("model", "executor")
    (first,) = told([table(EVALUATION_PASS, "executor", *rows)], *changes)
    assert first.confidence == pytest.approx(0.5, abs=0.05)
    assert len(first.inseparable_from) == 1
    assert "Take back only the" in first.tells_apart[0]


def test_prompt_and_model_that_change_at_different_moments_are_told_apart():
    rows = [
        _answers(0, MIDDLE, 0.05, prompt_version="1", model="1"),
        _answers(MIDDLE, 30, 0.4, prompt_version="2", model="1"),
        _answers(30, COLUMNS, 0.4, prompt_version="2", model="2"),
    ]
    changes = change("prompt", "executor", "executor"), change("model", "executor", column=30)
    (first,) = told([table(EVALUATION_PASS, "executor", *rows)], *changes)
    assert first.culprit.dimension == "prompt"
    assert first.confidence > 0.9
    assert first.inseparable_from == []


def test_two_tools_that_break_at_once_are_two_incidents():
    tables = [tool("search", *replaced(0.3)), tool("lookup", *replaced(0.25))]
    found = told(tables, change("tool", "search"), change("tool", "lookup"))
    assert {one.culprit.tool for one in found} == {"search", "lookup"}
    assert all(one.confidence > 0.9 for one in found)


def test_success_and_retries_of_one_tool_are_one_incident_and_no_surer_than_success_alone():
    alone = told([tool("search", *replaced(0.3))], change("tool", "search"))
    retries = tool("search", *replaced(0.3), kpi=TOOL_RETRIES)
    both = told([tool("search", *replaced(0.3)), retries], change("tool", "search"))
    assert len(both) == 1
    assert both[0].confidence == pytest.approx(alone[0].confidence, abs=0.001)


def test_a_version_that_was_taken_back_is_no_open_problem():
    rows = [row(0.05, 0, 20, tool_version="1"), row(0.4, 20, 28, tool_version="2"), row(0.05, 28, tool_version="1")]
    (first,) = told([tool("search", *rows)], change("tool", "search", column=20, until=28, later=("1",)))
    assert (first.status, first.until, first.culprit.version) == (Status.TAKEN_BACK, 28 * WIDTH, "2")
    assert first.harm.events == pytest.approx(8 * 20 * 0.35)
    assert any("It was taken back" in reason and "95.0 %" in reason for reason in first.reasons)
    assert first.fixes[0].startswith("Nothing is left to roll back")


def test_a_version_whose_successor_left_it_broken_is_still_open():
    rows = [row(0.05, 0, 20, tool_version="1"), row(0.4, 20, 28, tool_version="2"), row(0.4, 28, tool_version="3")]
    (first,) = told([tool("search", *rows)], change("tool", "search", column=20, until=28, later=("3",)))
    assert (first.status, first.culprit.version) == (Status.OPEN, "2")


def test_an_outage_that_is_over_is_told_as_over():
    (first,) = told([tool("search", row(0.05, 0, 15), row(0.5, 15, 25), row(0.05, 25))])
    assert (first.status, first.culprit) == (Status.OVER, None)
    assert first.until == pytest.approx(25 * WIDTH, abs=WIDTH)


def test_a_short_burst_of_errors_is_no_fault():
    rows = row(0.05)
    cells = [(18, 20) if at == 30 else pair for at, pair in enumerate(rows[1])]
    assert told([tool("search", (rows[0], cells))]) == []


def test_one_slow_call_is_one_bad_event_however_slow():
    versions = [row(0.1, 0, MIDDLE, tool_version="1"), row(0.1, MIDDLE, tool_version="2")]
    calls = tool("search", *versions, kpi=TOOL_LATENCY)
    values = calls.events * 1.0
    values[1, 30] = 600.0
    slow = type(calls)(**{**calls.__dict__, "above": values, "bound": 2.0})
    assert told([slow], change("tool", "search")) == []


def test_a_share_that_only_moved_to_a_worse_caller_is_no_fault():
    """The planner's calls fail with 40 %, as ever; from the middle on they are most of the traffic."""
    rows = [
        row(0.05, 0, MIDDLE, events=40, agent_name="executor"),
        row(0.05, MIDDLE, events=5, agent_name="executor"),
        row(0.4, 0, MIDDLE, events=5, agent_name="planner"),
        row(0.4, MIDDLE, events=40, agent_name="planner"),
    ]
    assert told([tool("search", *rows)]) == []


def test_tasks_that_fail_while_all_agents_and_tools_do_well_are_other_inputs():
    tasks = row(0.05, 0, MIDDLE, workflow="support"), row(0.4, MIDDLE, workflow="support")
    (first,) = told([tool("search", row(0.05)), table(TASK_SUCCESS, "", *tasks)])
    assert first.origin is Origin.DATA_DRIFT
    assert "environment" not in first.title
    assert "prod" not in first.title


def test_a_prompt_whose_only_mark_is_task_success_is_found_by_its_track():
    tasks = [
        row(0.05, workflow="support", track="stable"),
        row(0.5, MIDDLE, events=6, workflow="support", track="canary"),
    ]
    runs = [
        row(0.0, agent_name="executor", prompt_name="executor", prompt_version="1", track="stable"),
        row(0.0, MIDDLE, events=6, agent_name="executor", prompt_name="executor", prompt_version="2", track="canary"),
    ]
    tables = [table(AGENT_SUCCESS, "executor", *runs), table(TASK_SUCCESS, "", *tasks)]
    (first,) = told(tables, change("prompt", "executor", "executor"))
    assert (first.culprit.dimension, first.culprit.version) == ("prompt", "2")


def test_few_events_decide_nothing_and_say_how_many_would():
    rows = replaced(0.05, events=1)
    # Seven of twenty failed: suggestive among some comparisons, not certain.
    cells = [(1, 1) if at >= MIDDLE and at % 3 == 0 else pair for at, pair in enumerate(rows[1][1])]
    found = examined([tool("search", rows[0], (rows[1][0], cells))], change("tool", "search"))
    assert found.incidents == []
    (open_,) = found.open
    assert open_.best.events_needed(open_.tried) > 20


def test_nothing_is_found_where_nothing_changed_for_the_worse():
    better = [row(0.3, 0, MIDDLE, tool_version="1"), row(0.05, MIDDLE, tool_version="2")]
    assert told([tool("search", *better)], change("tool", "search")) == []
    assert told([tool("search", *replaced(0.05))], change("tool", "search")) == []


def test_a_young_fault_in_a_long_window_is_seen():
    """The last of forty columns only: what carries the label of the new version is evidence wherever it lies."""
    rows = [row(0.05, 0, 39, tool_version="1"), row(0.6, 39, tool_version="2")]
    (first,) = told([tool("search", *rows)], change("tool", "search", column=39))
    assert first.culprit.version == "2"
    assert np.isclose(first.since, SPAN.edges[39])


def test_an_earlier_outage_that_is_over_does_not_hide_the_one_of_now():
    rows = row(0.05, 0, 8), row(0.6, 8, 14), row(0.05, 14, 32), row(0.6, 32)
    found = told([tool("search", *rows)])
    assert [one.status for one in found] == [Status.OPEN, Status.OVER] or {one.status for one in found} == {
        Status.OPEN, Status.OVER,
    }  # fmt: skip


def test_an_earlier_outage_does_not_hide_a_version_that_fails_now():
    rows = [
        row(0.05, 0, 8, tool_version="1"),
        row(0.6, 8, 14, tool_version="1"),
        row(0.05, 14, 32, tool_version="1"),
        row(0.6, 32, tool_version="2"),
    ]
    found = told([tool("search", *rows)], change("tool", "search", column=32))
    assert any(one.culprit and one.culprit.version == "2" and one.status is Status.OPEN for one in found)


def test_a_version_is_compared_with_the_one_before_it_and_not_with_an_older_bad_one():
    rows = [
        row(0.5, 0, 10, tool_version="0"),
        row(0.05, 10, 30, tool_version="1"),
        row(0.5, 30, tool_version="2"),
    ]
    found = told([tool("search", *rows)], change("tool", "search", column=30))
    assert [(one.culprit.version, one.culprit.previous) for one in found if one.culprit] == [("2", "1")]


def test_tools_that_fail_together_are_one_incident_and_no_versions_fault():
    """One of them happened to get a new version at that moment."""
    well_then_bad = row(0.05, 0, MIDDLE), row(0.4, MIDDLE)
    tables = [tool(name, *well_then_bad) for name in ("a", "b", "c")] + [tool("d", *replaced(0.4))]
    (first,) = told(tables, change("tool", "d"))
    assert first.culprit is None
    assert {evidence.subject["tool_name"] for evidence in first.evidence} == {"a", "b", "c", "d"}


def test_the_old_version_is_no_witness_where_it_did_not_run():
    (first,) = told([tool("search", *replaced(0.4))], change("tool", "search"))
    assert not any("so it is not the traffic" in reason for reason in first.reasons)
    assert any("Hardly any traffic ran on tool 1 beside it" in reason for reason in first.reasons)


def test_tools_of_one_server_go_back_together():
    tables = [tool("search", *replaced(0.5)), tool("lookup", *replaced(0.05))]
    (first,) = told(tables, change("tool", "search"), change("tool", "lookup"))
    assert "lookup with it" in first.fixes[1]


def test_what_scatters_too_much_to_be_certain_still_tells_whose_version_stands_behind_the_tasks():
    """Evaluations come several to a task: where they are bad, they are bad together."""
    agent = {"agent_name": "executor", "prompt_name": "executor"}
    lumps = [(12 if at % 2 == 0 else 0, 20) if at >= MIDDLE else (0, 0) for at in range(COLUMNS)]
    evaluations = [row(0.05, 0, MIDDLE, prompt_version="1", **agent), ({**agent, "prompt_version": "2"}, lumps)]
    tasks = row(0.05, 0, MIDDLE, workflow="support"), row(0.2, MIDDLE, workflow="support")
    tables = [table(EVALUATION_PASS, "executor", *evaluations), table(TASK_SUCCESS, "", *tasks)]
    found = examined(tables, change("prompt", "executor", "executor"))
    assert [one.kpi.key for one in (symptom.table for symptom in found.incidents[0].symptoms)] == [
        "evaluation_pass", "task_success",
    ]  # fmt: skip
    (first,) = told(tables, change("prompt", "executor", "executor"))
    assert first.culprit.agent == "executor"
    assert first.confidence > 0.9
