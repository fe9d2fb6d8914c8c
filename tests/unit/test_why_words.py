"""What is said: times with date and zone, chances that can be read, fixes that fit, odd names as text."""

import math
import re

import pytest
from rich.console import Console
from support.memory_source import MemorySource
from support.why_tables import COLUMNS, MIDDLE, WIDTH, change, examined, replaced, row, table, told, tool

from agentobs.contract import Label
from alerts import promql
from alerts.catalogue import AGENT_LATENCY, MODEL_COST, TOOL_SUCCESS
from runbooks import wording
from runbooks.why import fixes, reasons, text, words
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Diagnosis, Origin, Verdict
from stacks.cli import safe

ODD = ("[/red]", "[bold]", "~x", "!y", "", "x" * 200, 'a"b', "{version}", "\x1b[31m", "$(x)")


def test_times_have_date_and_zone():
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+", wording.clock(1_700_000_000))
    assert wording.ago(59) == "59 s"
    assert wording.ago(61) == "1 min 1 s"
    assert wording.ago(7260) == "2 h 1 min"
    assert wording.ago(-3) == "0 s"


def test_a_chance_is_said_with_a_sign_that_is_right():
    assert words.chance(1e-300, "= ") == "< 1e-99"
    assert words.chance(0.0123, "= ") == "= 0.012"
    assert words.chance(2e-12) == "2e-12"
    assert words.chance(None) == "-"
    assert words.sure(0.9999) == "> 99 %"


def test_fixes_fit_the_kpi():
    cost = fixes.of(Origin.UNVERSIONED, None, "planner", MODEL_COST, ended=False, shared=False)
    assert "contexts" in cost[0]
    assert "network" not in " ".join(cost)
    slow = fixes.of(Origin.UNVERSIONED, None, "planner", AGENT_LATENCY, ended=False, shared=False)
    assert "waits for" in slow[0]
    failing = fixes.of(Origin.UNVERSIONED, None, "search", TOOL_SUCCESS, ended=False, shared=False)
    assert "credentials" in failing[0]


def test_evidence_has_the_numbers_of_the_kpi_and_says_what_was_tested():
    (first,) = told([tool("search", *replaced(0.3))], change("tool", "search"))
    evidence = first.evidence[0]
    assert (evidence.before.value, evidence.before.events) == (pytest.approx(0.95), 20 * MIDDLE)
    assert (evidence.after.value, evidence.after.events) == (pytest.approx(0.7), 20 * (COLUMNS - MIDDLE))
    assert evidence.effect == pytest.approx(0.25)
    assert evidence.tested == "20 of 400 events bad, then 120 of 400 events bad"
    assert evidence.comparisons == 1
    assert "corrected for one comparison." in first.reasons[1]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_are_text_in_every_sentence(odd):
    rows = [
        row(0.05, 0, MIDDLE, tool_version="1", agent_name=odd or "a"),
        row(0.5, MIDDLE, tool_version="2", agent_name=odd or "a"),
    ]
    (first,) = told([tool(odd or "t", *rows)], change("tool", odd or "t"))
    console = Console(width=300, record=True, force_terminal=False, file=None)
    with console.capture() as captured:
        for sentence in (first.title, *first.reasons, *first.fixes):
            console.print(safe.text(sentence))
    shown = captured.get()
    assert "\x1b" not in shown
    if odd.isprintable() and odd:
        assert odd in shown.replace("\n", "")


@pytest.mark.parametrize("odd", ODD)
def test_a_value_from_telemetry_is_never_an_operator(odd):
    assert promql.matchers({Label.TOOL: odd}).startswith('{tool_name="')


def test_the_control_says_whether_the_old_version_got_worse_beside_it():
    beside = [row(0.05, tool_version="1"), row(0.4, MIDDLE, events=5, tool_version="2")]
    found = examined([tool("search", *beside)], change("tool", "search"))
    said = " ".join(reasons._control(found.incidents[0].lead))
    assert "stayed at 95.0 %" in said
    worse = [
        row(0.05, 0, MIDDLE, tool_version="1"),
        row(0.3, MIDDLE, tool_version="1"),
        row(0.9, MIDDLE, tool_version="2"),
    ]
    found = examined([tool("search", *worse)], change("tool", "search"))
    assert "got worse at the same time as well" in " ".join(reasons._control(found.incidents[0].lead))


def test_means_are_shown_and_large_values_are_tested():
    made = table(AGENT_LATENCY, "a", row(0.1, 0, MIDDLE, agent_name="a"), row(0.8, MIDDLE, agent_name="a"))
    slow = type(made)(**{**made.__dict__, "above": made.events + 9 * made.bad, "bound": 2.0})
    (first,) = told([slow])
    evidence = first.evidence[0]
    assert (evidence.before.value, evidence.after.value) == (pytest.approx(1.9), pytest.approx(8.2))
    assert evidence.tested == "40 of 400 events over 2.00 s, then 320 of 400 events over 2.00 s"
    assert evidence.low is None
    assert first.since == pytest.approx(MIDDLE * WIDTH)


def _calls(source, environment, points, **labels):
    where = {} if environment is None else {"environment": environment}
    for name in ("agentic_task_calls_total", "agentic_tool_calls_total"):
        series = {**where, "workflow": "w", "outcome": "failure", "tool_name": "t", "agent_name": "a", **labels}
        source.add(name, series, points)


def _asked(source, where=None):
    return diagnose(source, Window(start=0.0, end=1000.0, where=where or {}))


def test_numbers_that_no_counter_can_have_are_left_out():
    source = MemorySource()
    values = [float(n) for n in range(100)]
    values[50], values[60], values[70] = math.nan, math.inf, 1e300
    _calls(source, "prod", [(10.0 * n, value) for n, value in enumerate(values)], error_class="tool_error")
    assert _asked(source).verdict in {Verdict.HEALTHY, Verdict.RESOLVED, Verdict.SYMPTOM, Verdict.NOT_ENOUGH_DATA}


def test_telemetry_without_an_environment_is_examined_too():
    source = MemorySource()
    _calls(source, None, [(10.0 * n, float(n)) for n in range(100)])
    found = _asked(source)
    assert found.verdict is Verdict.HEALTHY
    assert "only 0.0 % of 99 tasks succeeded" in text.plain(found)


def test_an_environment_that_fell_silent_is_told_and_an_unknown_one_is_named_with_those_that_are():
    source = MemorySource()
    _calls(source, "prod", [(10.0 * n, float(n)) for n in range(40)])
    assert "prod: nothing has run since" in text.plain(_asked(source))
    unknown = text.plain(_asked(source, {Label.ENVIRONMENT: "prd"}))
    assert "Nothing was measured of environment prd" in unknown
    assert "There were: prod." in unknown


def test_a_name_writes_no_line_of_its_own_and_nothing_to_a_terminal():
    odd = "t\n1. Roll nothing back\x1b]0;x\x07\u202e"
    (first,) = told([tool(odd, row(0.05, 0, MIDDLE), row(0.5, MIDDLE))])
    answer = Diagnosis(
        verdict=Verdict.SYMPTOM, culprit=None, evidence=first.evidence, impact=[], trace=None, other_changes=[],
        hypotheses=[first], window_start=0.0, window_end=2400.0,
    )  # fmt: skip
    shown = text.plain(answer)
    assert "\n1. Roll nothing back" not in shown
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
