"""The gate's decision on made-up runs: what blocks, what passes, and when it says that it cannot tell."""

import dataclasses
import datetime as dt
import json
import random
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from alerts.statistics import lower_bound
from delivery.golden import dataset, gate, report
from delivery.golden.baseline import Baseline, Past
from delivery.golden.criteria import Check
from delivery.golden.dataset import Case
from delivery.golden.errors import GoldenError
from delivery.golden.example import Example
from delivery.golden.gate import Answer
from delivery.golden.results import Result
from runbooks.checklist.evidence import GoldenDataset

FAILED = Check(name="path", passed=False, expected="a > b", got="a", step=2)
HARD = Check(name="tools_allowed", passed=False, expected="lookup", got="delete", hard=True)


def example(number, **more):
    return Example.model_validate_json(json.dumps({
        "id": f"c{number}", "input": number, "expected_behavior": "x", "tools_allowed": [],
        "success_criteria": {"outcome": "success"}, "agent_path_expected": ["a", "b"], **more,
    }))  # fmt: skip


def result(case, run=0, *checks, **more):
    made = {
        "behaviour": "x", "outcome": "success", "path": (("a",), ("b",)), "tools": ("lookup",), "answer": "",
        "answer_digest": "", "cost_usd": 1.0, "tokens": 10, "tool_calls": 1, "model_calls": 1, "retries": 0, **more,
    }  # fmt: skip
    return Result(case=case, run=run, passed=not checks, failed=checks, **made)


class Desk:
    """Cases with a past, and the runs that follow it but for what is changed."""

    def __init__(self, cases=100, nb=10, passed=None, behaviour="", **example_):
        self.cases = [Case(example(number, **example_), number + 1, f"{number}") for number in range(cases)]
        past = {
            f"c{number}": Past(runs=nb, passed=nb if passed is None else passed(number), behaviour=behaviour,
                               path=(("a",), ("b",)), cost_usd=1.0, tokens=10, tool_calls=1, model_calls=1)
            for number in range(cases)
        }  # fmt: skip
        self.dataset = dataset.Dataset(Path("desk"), tuple(self.cases))
        self.baseline = Baseline(dataset="d@1#0", digest=self.dataset.digest, system="s", by="a", at="", cases=past)

    def decide(self, now, fresh=None, margin=gate.MARGIN):
        compared = gate.paired(self.dataset, self.cases, self.baseline, now)
        return gate.decide(compared, self.baseline, fresh or {}, margin)

    def suspects(self, now):
        compared = gate.paired(self.dataset, self.cases, self.baseline, now)
        return [(each.case, each.rule, each.fresh) for each in gate.suspects(compared, self.baseline)]

    def runs(self, changed=None, runs=1, **more):
        broken = changed or {}
        return [
            result(case.example.id, run, *broken.get(case.example.id, ()), **more)
            for case in self.cases
            for run in range(runs)
        ]


def test_no_change_passes():
    found = Desk().decide(Desk().runs())
    assert (found.answer, found.answer.exit_code, found.reasons) == (Answer.PASSED, 0, ())


def test_a_stable_case_that_breaks_is_run_again_and_blocks():
    desk, now = Desk(), Desk().runs({"c7": (FAILED,)}, path=(("a",),))
    assert desk.suspects(now) == [("c7", "G2", 5)]
    open_ = desk.decide(now)
    assert (open_.answer, open_.reasons[0].rule) == (Answer.UNDECIDED, "G2")
    blocked = desk.decide(now, {"c7": [result("c7", run, FAILED) for run in range(1, 6)]})
    assert (blocked.answer, blocked.answer.exit_code, blocked.regressed) == (Answer.REGRESSED, 1, {"c7"})
    assert "agent 2 was b, is nothing" in blocked.reasons[0].text
    flicker = [result("c7", 1, FAILED), *(result("c7", run) for run in range(2, 6))]
    assert desk.decide(now, {"c7": flicker}).answer is Answer.PASSED


def test_where_every_run_is_alike_once_more_is_enough():
    desk, now = Desk(behaviour="same"), Desk().runs({"c7": (FAILED,)})
    assert desk.suspects(now) == [("c7", "G2", 1)]
    assert desk.decide(now, {"c7": [result("c7", 1, FAILED)]}).regressed == {"c7"}
    assert desk.decide(now, {"c7": [result("c7", 1)]}).answer is Answer.PASSED


@pytest.mark.parametrize(("check", "more"), [(HARD, {}), (FAILED, {"critical": True})])
def test_what_is_never_acceptable_blocks_once_it_is_seen_again(check, more):
    desk = Desk(**more)
    now = desk.runs({"c3": (check,)})
    assert desk.suspects(now) == [("c3", "G1", 1)]
    assert desk.decide(now, {"c3": [result("c3", 1, check)]}).reasons[0].rule == "G1"
    assert desk.decide(now, {"c3": [result("c3", 1)]}).answer is Answer.PASSED


def test_a_critical_case_that_failed_before_is_judged_by_its_share():
    desk = Desk(critical=True, passed=lambda _: 9)
    assert desk.suspects(desk.runs({"c3": (FAILED,)})) == []
    assert desk.suspects(desk.runs({"c3": (HARD,)})) == [("c3", "G1", 1)]


def test_many_unstable_cases_that_pass_less_often_block_together():
    desk = Desk(200, passed=lambda _: 9)
    found = desk.decide(desk.runs({f"c{number}": (FAILED,) for number in range(60)}))
    assert found.answer is Answer.REGRESSED
    assert [reason.rule for reason in found.reasons if reason.blocks] == ["G3"]
    assert "20.0 points" in found.reasons[0].text


def test_a_loss_of_less_than_a_point_in_all_blocks_nobody():
    desk = Desk(1000)
    found = desk.decide(desk.runs({f"c{number}": (FAILED,) for number in range(9)}))
    assert "G3" not in {reason.rule for reason in found.reasons}
    found = desk.decide(desk.runs({f"c{number}": (FAILED,) for number in range(10)}))
    assert "G3" in {reason.rule for reason in found.reasons}


def test_dependent_cases_count_as_one():
    alone = Desk(200, passed=lambda _: 9)
    together = Desk(200, passed=lambda _: 9, cluster="all from one customer")
    broken = {f"c{number}": (FAILED,) for number in range(30)}
    assert alone.decide(alone.runs(broken)).bound > together.decide(together.runs(broken)).bound


@pytest.mark.parametrize(("cases", "margin", "answer"), [
    (58, 0.05, Answer.UNDECIDED), (59, 0.05, Answer.PASSED), (28, 0.10, Answer.UNDECIDED), (29, 0.10, Answer.PASSED),
])  # fmt: skip
def test_too_few_cases_cannot_rule_out_a_loss(cases, margin, answer):
    found = Desk(cases).decide(Desk(cases).runs(), margin=margin)
    assert found.answer is answer
    if answer is Answer.UNDECIDED:
        assert found.answer.exit_code == 2
        assert "1 more cases would decide" in found.reasons[0].text


def test_what_would_decide_does_decide():
    """The number of cases and of runs that it names, tried."""
    desk = Desk(60, passed=lambda number: 9 if number < 6 else 10)
    now = desk.runs({"c0": (FAILED,), "c1": (FAILED,)})
    text = next(reason.text for reason in desk.decide(now, {}).reasons if reason.rule == "G4")
    more = int(text.split(" more cases")[0].rsplit(" ", 1)[1])
    differences = [*([-0.9] * 2), *([0.1] * 4), *([0.0] * 54)]
    mean = sum(differences) / 60
    grown = differences * ((60 + more) // 60) + [mean] * ((60 + more) % 60)
    assert lower_bound(differences) < -0.05 < lower_bound(grown)


@pytest.mark.parametrize(("differences", "confidence", "bound"), [
    ([], 0.95, -1.0),
    ([0.0] * 20, 0.95, -0.139108),  # Clopper and Pearson's table: none of 20
    ([-1.0] + [0.0] * 7, 0.95, -0.429053),  # by hand: mean -0.1, squares 2.9, t(9) = 1.833113
    ([-1.0] + [0.0] * 7, 0.99, -0.606462),  # t(9) = 2.821438
    ([-0.5, -0.5, 0.5] + [0.0] * 15, 0.95, -0.171762),  # mean -0.025, squares 2.7375, t(19) = 1.729133
    ([-1.0], 0.95, -1.0),  # no loss is larger than all
])  # fmt: skip
def test_the_bound_of_a_loss_is_what_tables_of_quantiles_give(differences, confidence, bound):
    assert lower_bound(differences, confidence) == pytest.approx(bound, abs=2e-6)


def test_one_run_of_a_baseline_tells_no_flicker_from_harm():
    found = Desk(nb=1, behaviour="same").decide(Desk().runs())
    assert found.answer is Answer.UNDECIDED
    assert "--runs 10" in found.reasons[0].text


@pytest.mark.parametrize("metric", ["cost_usd", "tokens", "tool_calls", "model_calls"])
def test_use_beyond_the_tolerance_blocks_and_within_it_does_not(metric):
    before = {"cost_usd": 1.0, "tokens": 10, "tool_calls": 1, "model_calls": 1}[metric]
    much = Desk().decide(Desk().runs(**{metric: 2 * before}))
    assert (much.answer, [reason.rule for reason in much.reasons]) == (Answer.REGRESSED, ["G5"])
    assert f"{metric} is 2.00 times" in much.reasons[0].text
    assert Desk().decide(Desk().runs(**{metric: 1.09 * before})).answer is Answer.PASSED
    assert Desk().decide(Desk().runs(**{metric: 0.5 * before})).answer is Answer.PASSED


def test_runs_that_used_nothing_or_cannot_be_judged_say_nothing_of_use():
    found = Desk().decide(Desk().runs(tool_calls=0))
    assert (found.answer, found.ratios["tool_calls"]) == (Answer.PASSED, 1.0)
    broken = Desk().decide(Desk().runs(invalid="timeout", cost_usd=9.0))
    assert broken.ratios["cost_usd"] == 1.0


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda desk: desk.baseline.__class__(**{**desk.baseline.__dict__, "digest": "f" * 64}), "golden bless"),
        (lambda desk: desk.baseline.__class__(**{**desk.baseline.__dict__, "cases": {"c0": desk.baseline.cases["c0"]}}),
         "c1 is not in the baseline"),
    ],
)  # fmt: skip
def test_a_baseline_of_something_else_is_not_run(spoil, told):
    desk = Desk(2)
    desk.baseline = spoil(desk)
    with pytest.raises(GoldenError, match=told):
        gate.belongs(desk.dataset, desk.cases, desk.baseline)


@pytest.mark.parametrize("left", [lambda runs: runs[:-1], lambda runs: [run for run in runs if run.case != "c0"]])
def test_missing_runs_are_not_green(left):
    desk = Desk(3)
    with pytest.raises(GoldenError, match="runs; fix"):
        desk.decide(left(desk.runs(runs=2)))


def test_few_blocks_without_a_change_and_most_real_drops_are_found():
    """60 repetitions of the reference's table at 200 cases, 10 % of them flickering, with one run now."""
    rng = random.Random(7)
    answers = {change: [_played(rng, change) for _ in range(60)] for change in (0.0, 0.05)}
    assert answers[0.0].count(Answer.REGRESSED) <= 3  # measured 0.8 %: more than 3 of 60 come once in 3000
    assert answers[0.05].count(Answer.REGRESSED) >= 46  # measured 92 %: fewer come once in 3000
    assert answers[0.05].count(Answer.PASSED) <= 8


def _played(rng, drop):
    rates = [rng.betavariate(4, 1) if number < 20 else 1.0 for number in range(200)]
    past = [sum(rng.random() < rate for _ in range(10)) for rate in rates]
    desk = Desk(200, passed=past.__getitem__)

    def once(number, run):
        return result(f"c{number}", run, *(() if rng.random() < rates[number] * (1 - drop) else (FAILED,)))

    now = [once(number, 0) for number in range(200)]
    fresh = {case: [once(int(case[1:]), run + 1) for run in range(count)] for case, _, count in desk.suspects(now)}
    return desk.decide(now, fresh).answer


def test_reports_carry_the_answer_and_nothing_of_an_answer_acts():
    evil = "</td><script>alert(1)</script> | `x` <!-- \x1b[31m \x00 ]]>"
    check = dataclasses.replace(FAILED, got=evil)
    desk = Desk(60)
    now = desk.runs({"c0": (check,)})
    found = desk.decide(now, {"c0": [result("c0", run, check) for run in range(1, 6)]})
    comment, page = report.markdown(desk.dataset, found), report.page(desk.dataset, found, now)
    assert "regressed" in comment
    assert "<script" not in page
    assert r"\<script" in comment
    assert len(report.markdown(desk.dataset, dataclasses.replace(found, reasons=found.reasons * 9000))) < 60_000
    odd = dataclasses.replace(now[-1], invalid="tape miss\x00")
    suite = ET.fromstring(  # noqa: S314 our own document
        report.junit(desk.dataset, [*now[:-1], odd], found, [desk.cases[1]])
    )
    kinds = {case.get("name"): [child.tag for child in case] for case in suite}
    assert (kinds["c0"], kinds["c59"], kinds["gate"]) == (["failure"], ["error"], ["failure"])
    assert suite.get("skipped") == "1"


def test_the_evidence_is_what_the_checklist_reads():
    desk = Desk(60)
    ended = dt.datetime.now(tz=dt.UTC).isoformat()
    section = report.evidence(desk.dataset, desk.decide(desk.runs()), desk.runs(), ended)
    read = GoldenDataset.model_validate(section)
    assert (read.cases, read.passed) == (60, 60)
    assert read.required_share == pytest.approx(0.95)
