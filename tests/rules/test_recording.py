"""Every recording rule gives the numbers worked out by hand, adds up collectors, and is silent without traffic."""

import pytest
from rules.cases_recording import CASES as OF_KPIS
from rules.cases_versions import CASES as OF_VERSIONS
from support.promtool import title, verdicts

from alerts import rules
from alerts.recording import BaselinePoint

CASES = (*OF_KPIS, *OF_VERSIONS)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return verdicts(rules.recording_groups(), CASES, tmp_path_factory.mktemp("recording"), interval="1m")


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case(said, case):
    assert said[title(case)] == ""


def test_every_recorded_series_has_a_case_with_a_number():
    recorded = {rule["record"] for group in rules.recording_groups() for rule in group["rules"]}
    assert recorded == {case.record for case in CASES if case.expect}


def test_a_baseline_and_a_budget_are_constants():
    points = [BaselinePoint(kpi="task_success", labels={"environment": "prod", "workflow": "support"}, value=0.97)]
    groups = rules.recording_groups(baseline=points, daily_budget_usd=100)
    found = {rule["record"]: rule for group in groups for rule in group["rules"]}
    labels = {"kpi": "task_success", "environment": "prod", "workflow": "support"}
    assert found["kpi:baseline"] == {"record": "kpi:baseline", "expr": "vector(0.97)", "labels": labels}
    assert found["kpi:spend:daily_budget"]["expr"] == "vector(100)"
    assert "kpi:spend:daily_budget" not in {rule["record"] for g in rules.recording_groups() for rule in g["rules"]}
