"""Baselines: intervals are those of the textbooks, equal things are not accused, worse ones are, files are strict."""

import math
import random
from dataclasses import replace

import pytest
from support.in_order import baseline
from typer.testing import CliRunner

from alerts import promql, rules
from alerts.catalogue import (
    AGENT_RUNS_PER_TASK,
    BLIND,
    CATALOGUE,
    MODEL_COST,
    PLAN_COMPLETION,
    TASK_LATENCY,
    TASK_SUCCESS,
)
from alerts.source import Sample, Series
from alerts.statistics import Counted, Method, detectable_rate, estimate, method_of
from runbooks.baseline import BaselineError, Finding, compare, parse, points, record
from runbooks.baseline.judging import Side, judge
from stacks.cli.main import app
from stacks.components import prometheus
from stacks.deployment import Deployment
from stacks.environments import LOCAL
from stacks.settings import SettingsError

RUN = CliRunner()


def test_every_kpi_has_the_statistics_that_hold_for_it():
    methods = {kpi.key: method_of(kpi) for kpi in CATALOGUE}
    assert methods["task_success"] is Method.WILSON
    assert methods["policy_violations"] is Method.POISSON
    assert methods["task_latency"] is Method.HISTOGRAM
    # Steps of one plan stand and fall together, tokens of one call too.
    assert {key for key, method in methods.items() if method is Method.PARTS} == {
        "plan_completion", "model_cost", "cache_hits", "unpriced",
    }  # fmt: skip


def test_the_interval_of_a_share_is_wilsons():
    # Wilson 1927 for 9 of 10 at 95 %: 0.5958 to 0.9821.
    made = estimate(TASK_SUCCESS, Counted(numerator=9, denominator=10))
    assert (made.low, made.high) == (pytest.approx(0.5958, abs=1e-4), pytest.approx(0.9821, abs=1e-4))


def test_the_interval_of_a_rate_is_garwoods():
    # Garwood 1936 for 3 events at 95 %: 0.6187 to 8.7673; for none: 0 to 3.6889.
    made = estimate(AGENT_RUNS_PER_TASK, Counted(numerator=3, denominator=1))
    assert (made.low, made.high) == (pytest.approx(0.6187, abs=1e-4), pytest.approx(8.7673, abs=1e-4))
    none = estimate(AGENT_RUNS_PER_TASK, Counted(numerator=0, denominator=1))
    assert (none.low, none.high) == (0.0, pytest.approx(3.6889, abs=1e-4))


def test_the_interval_of_a_mean_holds_the_mean_as_often_as_it_says():
    chance, hits = random.Random(5), 0
    bounds = [*TASK_LATENCY.histogram.buckets, math.inf]
    for _ in range(300):
        values = [chance.lognormvariate(1.5, 0.6) for _ in range(80)]
        buckets = [(bound, float(sum(value <= bound for value in values))) for bound in bounds]
        made = estimate(TASK_LATENCY, Counted(numerator=sum(values), denominator=80, buckets=buckets))
        hits += made.low <= math.exp(1.5 + 0.18) <= made.high
    assert 0.92 <= hits / 300 <= 1


def test_bundles_are_judged_by_the_parts_of_the_window():
    even = [(8.0, 10.0)] * 10
    uneven = [(16.0, 20.0), (0.0, 10.0), (10.0, 10.0)] * 3
    narrow, wide = (
        estimate(
            PLAN_COMPLETION,
            Counted(numerator=sum(a for a, _ in parts), denominator=sum(b for _, b in parts), parts=parts),
        )
        for parts in (even, uneven)
    )
    assert narrow.error == pytest.approx(0)
    assert wide.high - wide.low > 0.2
    assert estimate(MODEL_COST, Counted(numerator=1, denominator=9, parts=even[:3])).low is None


class Store:
    """Counts of tasks by workflow, before and after; nothing else is measured."""

    def __init__(self, good: float, every: float) -> None:
        self.good, self.every = good, every

    def instant(self, query, at):  # noqa: ARG002 a protocol
        where = "environment", "prod"
        labels = {where[0]: where[1], "workflow": "support"}
        if query.startswith("sum by (environment, workflow) (increase(agentic_task_calls_total"):
            return [
                Sample(labels, self.good if 'outcome="success"' in query else 0.0 if "timeout" in query else self.every)
            ]
        return []

    def range(self, query, start, end, step) -> list[Series]:  # noqa: ARG002 a protocol
        return []


def made(good: float, every: float):
    return compare(baseline(), Store(good, every), 0, 100)


def test_worse_needs_both_more_than_chance_and_more_than_tolerance():
    assert [change.kpi for change in made(430, 500).of(Finding.WORSE)] == ["task_success"]
    # 96 % -> 93 % of very many: certain, and tolerated.
    assert made(46_500, 50_000).of(Finding.WORSE) == []
    # 96 % -> 90 % of thirty: chance.
    assert made(27, 30).of(Finding.WORSE) == []


def test_ten_events_suffice_to_say_worse():
    assert [change.kpi for change in made(3, 10).of(Finding.WORSE)] == ["task_success"]


def test_too_few_events_are_said_and_not_judged():
    (change,) = made(5, 9).changes
    assert change.finding is Finding.TOO_FEW
    assert change.p is None
    assert change.test is None


def test_not_worse_is_not_said_where_five_tolerances_would_have_been_missed():
    (few,), (enough,) = made(20, 20).changes, made(58, 60).changes
    assert (few.finding, enough.finding) == (Finding.TOO_FEW, Finding.NOT_WORSE)
    assert few.p is not None
    assert few.detectable > BLIND * TASK_SUCCESS.tolerance >= enough.detectable


def test_what_is_not_measured_any_more_is_said():
    class Empty(Store):
        def instant(self, query, at):  # noqa: ARG002 a protocol
            return []

    (change,) = compare(baseline(), Empty(0, 0), 0, 100).changes
    assert (change.finding, change.after) == (Finding.GONE, None)


def test_a_sample_says_what_it_could_have_seen():
    (small,), (large,) = made(288, 300).changes, made(28_800, 30_000).changes
    assert small.detectable > large.detectable > 0


def test_more_comparisons_see_less():
    (point,) = baseline().points
    (alone,), (first, _) = (
        compare(baseline(points=points), Store(288, 300), 0, 100).changes for points in ([point], [point, point])
    )
    assert first.detectable > alone.detectable


def test_what_a_comparison_of_rates_could_have_seen_is_a_growth():
    before, after = (Side(numerator=n, denominator=200) for n in (60, 66))
    found = judge(AGENT_RUNS_PER_TASK, before, after)
    assert found.detectable(0.01) == pytest.approx(detectable_rate(60, 200, 200, 0.01) / 0.3 - 1)
    assert judge(AGENT_RUNS_PER_TASK, replace(before, numerator=0), after).detectable(0.01) is None


def test_recording_where_nothing_happened_is_an_error_with_the_fix():
    with pytest.raises(BaselineError, match=r"environment prod had too little traffic.*--since"):
        record(Store(0, 0), name="x", environment="prod", start=0, end=100, by="ada")


def test_few_events_are_listed_and_not_recorded():
    found = record(Store(40, 42), name="x", environment="prod", start=0, end=100, by="ada")
    assert found.kpis() == {"task_success", "task_timeouts"}
    assert found.points[0].low < 40 / 42 < found.points[0].high
    with pytest.raises(BaselineError):
        record(Store(4, 5), name="x", environment="prod", start=0, end=100, by="ada")


def test_a_file_comes_back_as_it_was():
    assert parse(baseline().model_dump_json(), "f") == baseline()


BAD = [
    ("{", "f is not a baseline"),
    (baseline().model_dump_json().replace('"june"', '""'), "name: "),
    (baseline().model_dump_json().replace('"events":500.0', '"events":0'), "points.0.events: "),
    (baseline().model_dump_json().replace('"kpi"', '"kpl"'), "points.0.kpi: Field required"),
    (baseline(points=baseline().points).model_dump_json().replace('"format":2', '"format":3'), "format: "),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_file_that_is_no_baseline_names_the_key(text, said):
    with pytest.raises(BaselineError) as error:
        parse(text, "f")
    assert said in str(error.value)
    assert "agentobs baseline record" in str(error.value)


def test_a_baseline_becomes_the_constants_that_rules_compare_with():
    text = rules.render(baseline=points(baseline()))
    assert "record: kpi:baseline\n" in text
    assert "vector(0.96)" in text
    assert "workflow: support" in text
    assert promql.duration(3600) == "1h"


def test_show_names_what_there_is_and_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "none in baselines/" in " ".join(RUN.invoke(app, ["baseline", "show"]).output.split())
    missing = RUN.invoke(app, ["baseline", "show", "june"])
    assert "there is no baseline baselines/june.json; fix: agentobs baseline record june" in str(missing.exception)
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines/june.json").write_text(baseline().model_dump_json())
    shown = RUN.invoke(app, ["baseline", "show", "june"]).output
    assert "93.0 % to 98.0 %" in shown
    assert "support" in shown


def test_a_record_is_not_replaced_by_accident(tmp_path):
    path = tmp_path / "june.json"
    path.write_text("kept")
    refused = RUN.invoke(app, ["baseline", "record", str(path), "--prometheus", "http://127.0.0.1:9"])
    assert "--replace" in str(refused.exception)
    assert path.read_text() == "kept"


def test_a_stack_with_a_baseline_renders_it_and_a_bad_file_is_an_error_of_its_setting(tmp_path, placement):
    path = tmp_path / "june.json"
    path.write_text(baseline().model_dump_json())
    chosen = Deployment.of(LOCAL, baseline_file=path)
    assert "record: kpi:baseline\n" in prometheus.workload(chosen, placement).files["rules.yml"]
    path.write_text("{}")
    with pytest.raises(SettingsError, match="agentobs:baselineFile is not a baseline"):
        prometheus.workload(chosen, placement)
