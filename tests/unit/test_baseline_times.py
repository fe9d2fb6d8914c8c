"""Baselines of times and of bundles: a hanging task is no change, slow ones are, and files without buckets are read."""

import json
import math
import re
from dataclasses import replace

import pytest

from alerts.catalogue import PLAN_COMPLETION, TASK_LATENCY
from alerts.source import Sample, Series
from alerts.statistics import chance_of_means, chance_of_shares
from runbooks.baseline import Basis, Finding, compare, parse, record
from runbooks.baseline.judging import Side, judge
from stacks.cli import show_baseline


class Timed:
    """Tasks that took so many seconds, and nothing else."""

    def __init__(self, seconds: list[float]) -> None:
        self.seconds = seconds

    def instant(self, query, at):  # noqa: ARG002 a protocol
        labels = {"environment": "prod", "workflow": "support"}
        name = re.search(r"increase\((\w+)", query)[1]
        if name == TASK_LATENCY.histogram.bucket:
            bounds = [*TASK_LATENCY.histogram.buckets, math.inf]
            return [
                Sample({**labels, "le": str(bound)}, float(sum(value <= bound for value in self.seconds)))
                for bound in bounds
            ]
        told = {TASK_LATENCY.numerator.series: sum(self.seconds), TASK_LATENCY.denominator.series: len(self.seconds)}
        return [Sample(labels, float(told[name]))] if name in told else []

    def range(self, query, start, end, step) -> list[Series]:  # noqa: ARG002 a protocol
        return []


def of_latency(*arguments, **options):
    (change,) = (each for each in timed(*arguments, **options).changes if each.kpi == "task_latency")
    return change


def timed(seconds: list[float], *, of_format: int = 2):
    """Against 200 tasks, of which one in ten takes 4 s and the others less than one."""
    old = record(Timed([0.7] * 180 + [4.0] * 20), name="x", environment="prod", start=0, end=100, by="ada")
    if of_format == 1:
        document = json.loads(old.model_dump_json())
        document["format"] = 1
        for point in document["points"]:
            del point["buckets"]
        old = parse(json.dumps(document), "f")
    return compare(old, Timed(seconds), 0, 100)


def test_one_task_that_hangs_is_no_change_of_the_time_per_task():
    change = of_latency([0.7] * 180 + [4.0] * 19 + [1700.0])
    assert change.worsening > 1
    assert (change.finding, change.bound) == (Finding.NOT_WORSE, 1.0)
    assert change.p > 0.4


def test_many_slow_tasks_are_worse():
    change = of_latency([0.7] * 120 + [4.0] * 80)
    assert (change.finding, change.test) == (Finding.WORSE, Basis.TAIL)
    assert change.p == pytest.approx(chance_of_shares(20, 200, 80, 200))


def test_what_a_sample_of_times_could_have_seen_is_a_growth_of_the_mean():
    few, many = of_latency([0.7] * 18 + [4.0] * 2), of_latency([0.7] * 180 + [4.0] * 20)
    assert few.detectable > many.detectable > 0.1


def test_a_file_without_buckets_is_read_and_its_means_are_compared_and_called_so():
    change = of_latency([0.7] * 120 + [4.0] * 80, of_format=1)
    assert (change.finding, change.test, change.bound) == (Finding.WORSE, Basis.MEANS_ONLY, None)
    assert "record the baseline again" in change.test
    assert "record the baseline again" in show_baseline.comparison(timed([0.7] * 20, of_format=1)).caption
    assert show_baseline.comparison(timed([0.7] * 20)).caption is None


def test_bundles_are_compared_as_means_on_the_side_where_they_get_worse():
    well, ill = (Side(numerator=n, denominator=100, error=0.02, freedom=11) for n in (95, 80))
    found, back = judge(PLAN_COMPLETION, well, ill), judge(PLAN_COMPLETION, ill, well)
    assert (found.test, found.matters, back.matters) == (Basis.MEANS, True, False)
    assert found.p == pytest.approx(1 - back.p) == pytest.approx(chance_of_means(0.15, (0.02, 0.02), (11, 11)))
    assert judge(PLAN_COMPLETION, well, replace(ill, error=None)) is None
    assert 0 < judge(PLAN_COMPLETION, replace(well, error=0.0), replace(well, error=0.0)).detectable(0.01) < 0.05


def test_a_file_keeps_the_buckets_as_they_were():
    kept = record(Timed([0.7] * 40), name="x", environment="prod", start=0, end=100, by="ada")
    assert parse(kept.model_dump_json(), "f") == kept
    assert kept.points[0].buckets[-1].upper is None
