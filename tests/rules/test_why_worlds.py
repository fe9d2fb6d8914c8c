"""`why` about made-up systems with faults of every kind, each with its truth: a fixed sample of `make bench-why`.

The series are simulated on a virtual clock and kept in memory; `test_memory_source` proves that a real Prometheus
answers the same. What counts as right is in `support.worlds.judging`.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from support.memory_source import MemorySource
from support.worlds.healthy import HEALTHY
from support.worlds.judging import Judgement, judge
from support.worlds.kinds import KINDS, draw
from support.worlds.model import World
from support.worlds.openmetrics import memory
from support.worlds.sampled import sampled

from agentobs.contract import Label
from alerts.catalogue import SIGNIFICANT_Z
from runbooks.why import mechanism, text
from runbooks.why.changes import VersionChange
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Diagnosis, Verdict
from runbooks.why.examination import examine
from runbooks.why.explanations import labelled
from runbooks.why.spans import find as find_spans
from runbooks.why.tables import Table

START, SEED, NUMBERS, HOUR_S = 1_700_000_000.0, 7, (0,), 3600.0


@dataclass(frozen=True)
class Asked:
    """A world with what is said of it at its end."""

    world: World
    source: MemorySource
    found: Diagnosis
    judged: Judgement

    @property
    def told(self) -> str:
        return f"{self.world.text}\n{text.plain(self.found)}\n"


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    found = []
    for kind in KINDS:
        for number in NUMBERS:
            world = draw(SEED, number, kind)
            source = memory(sampled(world), START)
            answer = _ask(source, world, world.seconds)
            found.append(Asked(world, source, answer, judge(world, answer, START)))
    return found


def _ask(source: MemorySource, world: World, at: float) -> Diagnosis:
    start, end = START + max(-30.0, at - HOUR_S), START + at
    return diagnose(source, Window(start=start, end=end, where={Label.ENVIRONMENT: world.environment}))


def _wrong(asked: list[Asked], wrong) -> str:
    return "\n".join(one.told for one in asked if wrong(one.judged))


def test_the_first_answer_is_right_nineteen_times_of_twenty(asked):
    right = sum(one.judged.top1 for one in asked)
    assert right >= 0.95 * len(asked), _wrong(asked, lambda judged: not judged.top1)


def test_every_true_cause_is_among_the_first_three(asked):
    right = sum(one.judged.top3 for one in asked)
    assert right >= 0.95 * len(asked), _wrong(asked, lambda judged: not judged.top3)


def test_no_innocent_version_is_accused(asked):
    assert sum(one.judged.wronged for one in asked) == 0, _wrong(asked, lambda judged: judged.wronged > 0)


def test_nothing_is_named_where_nothing_broke(asked):
    assert not any(one.judged.named for one in asked), _wrong(asked, lambda judged: judged.named)


def test_what_is_over_is_told_as_over_and_what_goes_on_as_open(asked):
    assert all(one.judged.resolved in {True, None} for one in asked), _wrong(asked, lambda j: j.resolved is False)


def test_a_cause_is_dated_to_seconds(asked):
    errors = sorted(abs(one.judged.since_s) for one in asked if one.judged.since_s is not None)
    assert errors[len(errors) // 2] < 10


@pytest.mark.parametrize("kind", sorted(HEALTHY))
def test_asked_every_twenty_seconds_a_healthy_system_stays_healthy(kind):
    """Five minutes of asking; `make bench-why WHY=--hours` asks for hours."""
    world = draw(SEED, 0, kind, 1500.0)
    source = memory(sampled(world), START)
    for at in range(1200, 1500, 20):
        found = _ask(source, world, float(at))
        assert found.hypotheses == [], text.plain(found)


def _condition(table: Table, change: VersionChange) -> bool | None:
    """The condition of the alert VersionRegression (`alerts.recording.versions`), of a share: worsening and z."""
    rows = labelled(change, table)
    if rows is None or not table.kpi.is_share:
        return None
    own, entity = rows
    old = entity & (table.values(change.dimension.version) == change.previous)
    (good_new, n_new), (good_old, n_old) = (
        (float(table.above[side].sum()), float(table.below[side].sum())) for side in (own, np.asarray(old, bool))
    )
    if min(n_new, n_old) < 1:
        return None
    worse = table.kpi.worsening(good_old / n_old, good_new / n_new)
    pooled = (good_new + good_old) / (n_new + n_old)
    spread = (pooled * (1 - pooled) * (1 / n_new + 1 / n_old)) ** 0.5
    return worse > table.kpi.tolerance and spread > 0 and worse / spread > SIGNIFICANT_Z


def test_a_version_that_why_accuses_by_a_share_at_home_fires_the_alert_of_regressions_too(asked):
    """Both look at calls by version; `why` asks for more, so what it says the alert and its board say as well."""
    compared = 0
    for one in asked:
        if one.found.verdict is not Verdict.REGRESSION:
            continue
        where = {Label.ENVIRONMENT: one.world.environment}
        (span,) = find_spans(one.source, where, START - 30, START + one.world.seconds)
        for incident in examine(one.source, span, {}).incidents:
            change, table = incident.change, incident.lead.table
            if change is None or not mechanism.is_home(change, table.place):
                continue
            condition = _condition(table, change)
            if condition is not None:
                compared += 1
                assert condition, one.told
    assert compared > 5
