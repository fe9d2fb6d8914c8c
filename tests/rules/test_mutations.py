"""The rule tests notice a changed rule: a sample of the comparators and guards of alerts, and of their other parts.

`tests/bench/rule_mutants.py` runs them all and lists what survives.
"""

import random

import pytest
from rules import kills, mutants
from rules.kills import Result, Workbench
from support.promtool import AlertCase, RecordCase

SEED = 7
SAMPLE, GUARDS_SAMPLE = 20, 40
LEAST_KILLED = 0.95
GUARDS = ("comparator", "operand")

RATIO, EVENTS = (f'kpi:agent_retries:{what}5m{{environment="prod",agent_name="a"}}' for what in ("ratio", "events"))
ON_THE_THRESHOLD = AlertCase(
    alert="AgentRetrying", name="as promised", series={RATIO: "0.3x30", EVENTS: "20x30"}, at="20m"
)
FEW_EVENTS = AlertCase(alert="AgentRetrying", name="few", series={RATIO: "0.5x30", EVENTS: "9x30"}, at="20m")
FIRING = AlertCase(alert="AgentRetrying", name="wrong", series={RATIO: "0.5x30", EVENTS: "10x30"}, at="20m")
CALLS = 'agentic_task_calls_total{environment="prod",workflow="w",outcome="%s"}'
HALF = RecordCase(
    record="kpi:task_success:ratio5m",
    name="half",
    series={CALLS % "success": "0+1x10", CALLS % "failure": "0+1x10"},
    at="10m",
    expect={'{environment="prod",workflow="w"}': 0.5},
)
NEVER = RecordCase(
    record="kpi:task_success:ratio5m",
    name="never",
    series={CALLS % "failure": "0+1x10"},
    at="10m",
    expect={'{environment="prod",workflow="w"}': 0},
)


def report(results: list[Result]) -> str:
    return "\n".join(f"{result.mutant} ({result.cases} cases)" for result in results if not result.killed)


def test_the_rule_tests_kill_the_mutants(tmp_path):
    cases = kills.cases()
    every = kills.mutants()
    guards = [each for each in every if "alert" in each.rule and each.kind in GUARDS]
    rest = [each for each in every if "alert" in each.rule and each not in guards]
    draw = random.Random(SEED)
    sample = [*draw.sample(guards, GUARDS_SAMPLE), *draw.sample(rest, SAMPLE)]
    results = kills.run(sample, tmp_path, Workbench(cases))
    killed = sum(result.killed for result in results)
    assert killed >= LEAST_KILLED * len(results), f"{killed} of {len(results)} killed; alive:\n{report(results)}"


def alive(cases, folder, name, kind):
    """What is alive of one kind of mutants of a rule, as text."""
    wanted = [each for each in kills.mutants() if each.name == name and each.kind == kind]
    assert wanted
    results = kills.run(wanted, folder, Workbench(cases))
    return [result.mutant.what for result in results if not result.killed]


def test_a_case_on_the_threshold_kills_the_comparator_that_includes_it(tmp_path):
    moved = "> -> >= in kpi:agent_retries:ratio5m > 0.3"
    assert moved in alive([FEW_EVENTS], tmp_path / "without", "AgentRetrying", "comparator")
    assert moved not in alive([FEW_EVENTS, ON_THE_THRESHOLD], tmp_path / "with", "AgentRetrying", "comparator")


def test_a_case_below_the_guard_kills_the_dropped_guard(tmp_path):
    dropped = "right of and dropped: kpi:agent_retries:events5m >= 10"
    assert dropped in alive([ON_THE_THRESHOLD], tmp_path / "without", "AgentRetrying", "operand")
    assert dropped not in alive([FEW_EVENTS], tmp_path / "with", "AgentRetrying", "operand")


def test_a_case_without_any_success_kills_the_dropped_zero(tmp_path):
    dropped = "right of or dropped: 0 * kpi:task_success:events5m"
    assert alive([HALF], tmp_path / "without", "kpi:task_success:ratio5m", "operand") == [dropped]
    assert alive([HALF, NEVER], tmp_path / "with", "kpi:task_success:ratio5m", "operand") == []


def test_a_case_of_a_recorded_series_meets_the_mutants_of_what_it_reads(tmp_path):
    assert alive([HALF], tmp_path, "kpi:task_success:events5m", "grouping") == []


def test_a_rule_without_a_case_is_alive(tmp_path):
    assert alive([HALF], tmp_path, "AgentRetrying", "severity") == ["severity ticket -> page"]


def test_a_case_that_fails_anyway_kills_nothing(tmp_path):
    wanted = [each for each in kills.mutants() if each.name == "AgentRetrying" and each.kind == "operand"]
    bench = Workbench([FIRING])
    assert not any(result.killed for result in kills.run(wanted, tmp_path, bench))
    assert bench.broken == [FIRING]


def test_every_kind_of_change_is_made():
    expr = 'a{x="y"} offset 1h / b > 0.5 and sum by (l, m) (increase(c[10m] anchored)) < 0'
    found = [(change.kind, change.what.split(" in ")[0]) for change in mutants.changes(expr)]
    assert found == [
        ("operand", 'left of and dropped: ((a{x="y"} offset 1h) / b) > 0.5'),
        ("operand", "right of and dropped: (sum by (l, m) (increase(c[10m] anchored))) < 0"),
        ("comparator", "> -> <"),
        ("comparator", "> -> >="),
        ("swap", "sides of /"),
        ("matcher", 'x="y" dropped'),
        ("offset", "offset dropped"),
        ("offset", "offset 1h -> 30m"),
        ("offset", "offset 1h -> 2h"),
        ("threshold", "0.5 -> 0.25"),
        ("threshold", "0.5 -> 1"),
        ("comparator", "< -> >"),
        ("comparator", "< -> <="),
        ("grouping", "l dropped"),
        ("grouping", "m dropped"),
        ("window", "[10m] anchored -> [5m] anchored"),
        ("window", "[10m] anchored -> [20m] anchored"),
        ("threshold", "0 -> 1"),
    ]


@pytest.mark.parametrize(("threshold", "wanted"), [("0.72", ["<", ">="]), ("0.3", ["<"])])
def test_a_threshold_that_no_value_meets_exactly_is_not_moved_by_nothing(threshold, wanted):
    # 1 - 0.7 is 0.30000000000000004.
    changed = [each.what for each in mutants.changes(f"(1 - a) > {threshold}") if each.kind == "comparator"]
    assert [what.split(" ")[2] for what in changed] == wanted


def test_hold_and_severity_are_changed_too():
    rule = {"alert": "A", "expr": "a > 1", "for": "10m", "keep_firing_for": "1m", "labels": {"severity": "page"}}
    changed = [each.rule for each in mutants.of({"name": "g", "rules": [rule]}) if each.rule["expr"] == "a > 1"]
    assert [each.get("for") for each in changed] == [None, "5m", "20m", "10m", "10m", "10m", "10m"]
    assert [each.get("keep_firing_for") for each in changed] == ["1m", "1m", "1m", None, "30s", "2m", "1m"]
    assert [each["labels"]["severity"] for each in changed] == [*["page"] * 6, "ticket"]


def test_what_is_not_changed_is_written_as_it_was():
    for group in kills.groups():
        for rule in group["rules"]:
            again = mutants.whole(rule["expr"])
            assert mutants.whole(again) == again
            assert again.count("anchored") == rule["expr"].count("anchored")
