"""`why` about made-up systems with faults of every kind, each with its truth: a fixed sample of `make bench-why`.

The series are simulated on a virtual clock and kept in memory; `test_memory_source` proves that a real Prometheus
answers the same. What counts as right is in `support.worlds.judging`.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from support.memory_source import MemorySource
from support.worlds.judging import Judgement, judge
from support.worlds.kinds import KINDS, QUIET, draw
from support.worlds.model import World
from support.worlds.openmetrics import memory
from support.worlds.sampled import sampled

from agentobs.contract import Label
from alerts.catalogue import MIN_BAD, MIN_EVENTS, VERSION_LEVEL
from alerts.statistics import nats_needed, nats_of_shares
from runbooks.why import mechanism, text
from runbooks.why.changes import VersionChange
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Diagnosis
from runbooks.why.examination import Examination, examine
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


@pytest.mark.parametrize("kind", sorted(QUIET))
def test_asked_again_and_again_a_healthy_system_stays_healthy(kind):
    """From young to old, six times; `make bench-why WHY=--hours` asks every 20 s for hours."""
    world = draw(SEED, 0, kind, 900.0)
    source = memory(sampled(world), START)
    for at in (60, 120, 300, 500, 700, 900):
        found = _ask(source, world, float(at))
        assert found.hypotheses == [], text.plain(found)


def _fires(table: Table, change: VersionChange, comparisons: int) -> bool | None:
    """The condition of the alert VersionRegression (`alerts.recording.versions`), of a share; None without events."""
    rows = labelled(change, table)
    if rows is None or not table.kpi.is_share:
        return None
    own, entity = rows
    old = np.asarray(entity & (table.values(change.dimension.version) == change.previous), bool)
    sides = [table.counts(np.broadcast_to(side[:, None], table.bad.shape)) for side in (old, own)]
    before, after = sides
    if min(before.events, after.events) < MIN_EVENTS or before.value is None or after.value is None:
        return None
    nats = nats_of_shares(before.bad, before.events, after.bad, after.events)
    worse = table.kpi.worsening(before.value, after.value)
    return worse > table.kpi.tolerance and after.bad >= MIN_BAD and nats > nats_needed(comparisons, VERSION_LEVEL)


@pytest.fixture(scope="module")
def both(asked) -> list[tuple[Asked, Examination, Table, VersionChange, bool]]:
    """What the alert and its board say of each version's shares, beside the examination of `why`."""
    found = []
    for one in asked:
        if not any(cause.dimension for cause in one.world.truth.causes) and len(one.world.changes) != 1:
            continue  # versions that are guilty, and some that are not
        where = {Label.ENVIRONMENT: one.world.environment}
        (span,) = find_spans(one.source, where, START - 30, START + one.world.seconds)
        examination = examine(one.source, span, {})
        pairs = [(table, change) for table in examination.tables for change in examination.changes]
        homes = [(table, change) for table, change in pairs if mechanism.is_home(change, table.place)]
        comparisons = sum(table.kpi.sliced_by(change.dimension.labels) for table, change in homes)
        for table, change in homes:
            fires = _fires(table, change, max(1, comparisons))
            if fires is not None and not change.from_start:
                found.append((one, examination, table, change, fires))
    return found


def test_what_the_alert_of_regressions_says_why_says_too(both):
    """The alert knows one cause, so `why` may blame another one; but never is it well where the alert fires."""
    fired = [each for each in both if each[-1]]
    for one, examination, table, _, _ in fired:
        told = {(s.table.kpi.key, s.table.place) for incident in examination.incidents for s in incident.symptoms}
        assert (table.kpi.key, table.place) in told, f"{table.kpi.key} of {table.place.name}: {one.told}"
    assert len(fired) > 10


def test_what_why_blames_on_a_version_by_a_share_at_home_fires_the_alert(both):
    blamed = [
        (one, fires)
        for one, examination, table, change, fires in both
        for incident in examination.incidents
        if incident.change == change and incident.lead.table is table
    ]
    assert all(fires for _, fires in blamed), "\n".join(one.told for one, fires in blamed if not fires)
    assert len(blamed) > 10
