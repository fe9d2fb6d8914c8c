"""`why`, baselines and the checklist say the same of the same counters: p-value, worsening and verdict."""

import random
from dataclasses import dataclass

import numpy as np
import pytest
from support.memory_source import MemorySource

from agentobs.contract import Label, Outcome, PolicyAction
from alerts import catalogue
from alerts.catalogue import FAMILY_LEVEL, TASK_LATENCY, Kpi
from alerts.source import Sample
from alerts.statistics import Kind, kind_of
from runbooks import baseline
from runbooks.baseline import Finding
from runbooks.why import evidence, tables
from runbooks.why.evidence import Cells
from runbooks.why.reading import Reader
from runbooks.why.spans import Segment, Span

HALF_S = 60.0
LABELS = {
    Label.ENVIRONMENT: "prod", Label.WORKFLOW: "support", Label.AGENT: "triage", Label.TOOL: "search",
    Label.PROVIDER: "acme", Label.EVALUATION: "tone", Label.IS_RETRY: "false", Label.TASK_TYPE: "refund",
}  # fmt: skip


class Both(MemorySource):
    """Counters that also answer what a baseline asks: increases up to one moment."""

    def instant(self, query: str, at: float) -> list[Sample]:
        return [Sample(series.labels, series.points[-1][1]) for series in self.range(query, at, at, 1.0)]


@dataclass(frozen=True)
class Pair:
    """A KPI with `(bad, events)` before and after; counts, not bad events, for a rate."""

    kpi: Kpi
    before: tuple[int, int]
    after: tuple[int, int]


def pairs() -> list[Pair]:
    """Shares and rates; much worse, a little worse, equal, better; many events and few."""
    chance = random.Random(41)
    kpis = [catalogue.TASK_SUCCESS, catalogue.TOOL_TIMEOUTS, catalogue.POLICY_VIOLATIONS]
    found = []
    for kpi in kpis:
        for worse in (4.0, 1.4, 1.0, 0.3):
            for events in ((300, 120), (25, 14)):
                shares = (0.1, 0.1 * worse)
                bad = [sum(chance.random() < share for _ in range(n)) for share, n in zip(shares, events, strict=True)]
                found.append(Pair(kpi, (bad[0], events[0]), (bad[1], events[1])))
    return found


def counters(pair: Pair) -> Both:
    """Both counters of the KPI, each growing by its count in either half."""
    source = Both()
    of_bad, of_rest = selected(pair.kpi)

    def add(series: str, where: dict[Label, str], before: float, after: float) -> None:
        labels = {str(key): value for key, value in {**LABELS, **where}.items()}
        source.add(series, labels, [(0, 0), (HALF_S - 10, before), (2 * HALF_S - 10, before + after)])

    (bad_old, old), (bad_new, new) = pair.before, pair.after
    rate = kind_of(pair.kpi) is Kind.RATE
    add(pair.kpi.numerator.series, of_bad, bad_old, bad_new)
    add(pair.kpi.denominator.series, of_rest, old - bad_old * (not rate), new - bad_new * (not rate))
    return source


def selected(kpi: Kpi) -> tuple[dict[Label, str], dict[Label, str]]:
    """Labels of bad events, and of the others."""
    return {
        "task_success": ({Label.OUTCOME: Outcome.FAILURE}, {Label.OUTCOME: Outcome.SUCCESS}),
        "tool_timeouts": ({Label.ERROR_CLASS: "timeout"}, {Label.ERROR_CLASS: "none"}),
        "policy_violations": ({Label.POLICY_ACTION: PolicyAction.BLOCKED}, {Label.OUTCOME: Outcome.SUCCESS}),
    }[kpi.key]


def table_of(source: Both, kpi: Kpi) -> tables.Table:
    span = Span("prod", (Segment(0.0, HALF_S, 2),))
    read = tables.read(Reader(source, span, {Label.ENVIRONMENT: "prod"}))
    return next(table for table in read if table.kpi is kpi)


def by_why(table: tables.Table):
    mask = np.zeros(table.bad.shape, bool)
    mask[:, 1] = True
    return evidence.judged(Cells(table), mask, 1.0)


def by_baseline(source: Both, kpi: Kpi):
    old = baseline.record(source, name="x", environment="prod", start=0, end=HALF_S, by="ada")
    # The only KPI, so that its comparison is not one of several.
    alone = old.model_copy(update={"points": [point for point in old.points if point.kpi == kpi.key]})
    (change,) = baseline.compare(alone, source, HALF_S, 2 * HALF_S).changes
    return change


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: f"{pair.kpi.key}-{pair.before}-{pair.after}")
def test_why_and_a_baseline_say_the_same(pair):
    source = counters(pair)
    why, change = by_why(table_of(source, pair.kpi)), by_baseline(source, pair.kpi)
    assert (why.before.bad, why.before.events) == pair.before
    assert (why.after.bad, why.after.events) == pair.after
    assert change.p == pytest.approx(why.p)
    assert change.worsening == pytest.approx(why.worsening)
    assert (change.finding is Finding.WORSE) == (why.p <= FAMILY_LEVEL and why.matters)


def test_the_pairs_are_of_every_kind():
    found = {}
    for pair in pairs():
        finding = by_baseline(counters(pair), pair.kpi).finding
        found.setdefault(kind_of(pair.kpi), set()).add(finding)
    every = {Finding.WORSE, Finding.NOT_WORSE, Finding.TOO_FEW}
    assert found == {Kind.SHARE: every, Kind.RATE: every}


@pytest.mark.parametrize(("slow_before", "slow_after"), [(20, 60), (20, 22), (25, 5)])
def test_why_and_a_baseline_say_the_same_of_times(slow_before, slow_after):
    source = Both()
    labels = {str(key): value for key, value in {**LABELS, Label.OUTCOME: Outcome.SUCCESS}.items()}
    histogram = TASK_LATENCY.histogram

    def add(series: str, before: float, after: float, **more: str) -> None:
        source.add(series, {**labels, **more}, [(0, 0), (HALF_S - 10, before), (2 * HALF_S - 10, before + after)])

    add(histogram.count, 200, 200)
    add(histogram.sum, *(0.7 * (200 - slow) + 7 * slow for slow in (slow_before, slow_after)))
    for bound in (*histogram.buckets, float("inf")):
        upto = [200 * (bound >= 7) + (200 - slow) * (0.7 <= bound < 7) for slow in (slow_before, slow_after)]
        add(histogram.bucket, *upto, le="+Inf" if bound == float("inf") else str(bound))
    table, change = table_of(source, TASK_LATENCY), by_baseline(source, TASK_LATENCY)
    # `why` chooses its bounds by all events of its window, a baseline by its own: here both part the same events.
    assert 0.7 <= min(table.bound, change.bound) <= max(table.bound, change.bound) < 7
    why = by_why(table)
    assert change.p == pytest.approx(why.p)
    assert change.worsening == pytest.approx(why.worsening)
    assert (change.finding is Finding.WORSE) == (why.p <= FAMILY_LEVEL and why.matters)
