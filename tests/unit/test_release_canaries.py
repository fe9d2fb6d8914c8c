"""Canaries under watch: counters of both tracks in, revisions out; also killed, restarted, and with nobody to ask.

The counts are those of a store of series in memory, the decisions those of `delivery.rollout`; here is what is done.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from support.delivered import AT, ENVIRONMENT, Desk, release, request
from support.memory_source import MemorySource

from agentobs.contract import POLICY_VIOLATIONS, TASK_CALLS, Label, Track
from alerts.prometheus import PrometheusError
from delivery.controller.canaries import Canaries
from delivery.controller.journal import Journal
from delivery.environments.operations import End, Freeze, Share, Start
from delivery.environments.state import SplitKind
from delivery.errors import DeliveryError
from delivery.rollout import Action
from delivery.store import FileBlobs

BEGAN = datetime.fromisoformat(AT).timestamp()
DAY, HOUR, MINUTE = 86_400.0, 3600.0, 60.0
PER_MIN = 60


class Away(MemorySource):
    """A Prometheus that does not answer."""

    def range(self, *_):
        raise PrometheusError("no Prometheus answers")


@dataclass
class World:
    """A store with a canary, and time that passes when it is told to."""

    desk: Desk
    folder: object
    source: MemorySource
    at: float = BEGAN
    ticks: float = 1000.0
    promotes: frozenset = frozenset()
    canaries: Canaries = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new controller over the same store."""
        self.canaries = Canaries(
            self.desk.store,
            Journal(FileBlobs(self.folder)),
            self.source,
            promotes=self.promotes,
            tasks_per_session=1,
            clock=lambda: self.ticks,
            now=lambda: self.at,
        )

    def look(self, minutes: float = 0.0) -> Action | None:
        """Look each 15 s for so long, and once; the last decision."""
        for _ in range(round(minutes * 4)):
            self._once()
            self.at, self.ticks = self.at + 15, self.ticks + 15
        self._once()
        watching = self.canaries.watching.get(ENVIRONMENT)
        return watching.decision.action if watching and watching.decision else None

    def _once(self) -> None:
        if self.desk.head.canary is not None:
            self.canaries.look(ENVIRONMENT)

    @property
    def head(self):
        return self.desk.head

    def looks(self, split="c2"):
        return self.canaries.looks(ENVIRONMENT).of(split)


def tasks(source, track, good, bad, *, hours=(0.0, 8.0), series=TASK_CALLS.series, **labels):
    """Counters of tasks (or else) that grow evenly: so many a minute."""
    first, last = (BEGAN + hour * HOUR for hour in hours)
    for outcome, per_min in (("success", good), ("failure", bad)):
        points = [(at, per_min * (at - first) / MINUTE) for at in _each(first, last, 15)]
        told = {Label.ENVIRONMENT: ENVIRONMENT, Label.TRACK: track, "outcome": outcome, **labels}
        none = dict.fromkeys((Label.AGENT, Label.PROMPT_VERSION, Label.TOOL, Label.TOOL_VERSION), "none")
        named = {**none, Label.GRAPH_VERSION: "7", **told}
        source.add(series, {str(key): str(value) for key, value in named.items()}, points)


def _each(first, last, step):
    return [first + step * number for number in range(int((last - first) / step) + 1)]


@pytest.fixture
def world(tmp_path, share):
    desk = Desk(tmp_path / "store")
    desk.promote(release())
    candidate = desk.add(release(planner="13", name="support-2"))
    desk.do(Start(request=request(), release=candidate, share=share))
    source = MemorySource()
    tasks(source, Track.STABLE, 0.96 * PER_MIN, 0.04 * PER_MIN, hours=(-20.0, 8.0))
    return World(desk, tmp_path / "store", source)


@pytest.fixture
def share():
    return 500


def starting_at(share):
    """In 1/10,000; the counters of a test are those of this share."""
    return pytest.mark.parametrize("share", [share])


def test_a_bad_canary_is_taken_back_and_what_it_changed_is_locked(world):
    tasks(world.source, Track.CANARY, 1.5, 1.5)
    world.look(60)
    head = world.head
    assert head.canary is None
    assert [lock.title for lock in head.locked] == ["prompt 13 of planner"]
    done = head.operation
    assert (done.kind, done.automatic, done.by) == ("end", True, "release controller")
    assert "c2" in done.reason
    assert "Task success" in done.reason
    last = world.looks()[-1]
    assert last.decision.action is Action.ROLL_BACK
    assert last.decision.findings[0].canary.bad > 0


@starting_at(2500)
def test_a_good_canary_grows_by_a_step(world):
    tasks(world.source, Track.CANARY, 19.6, 0.4)
    world.look(40)
    assert (world.head.canary.share, world.head.operation.kind) == (5000, "share")
    assert [look.state.share for look in world.looks()] == sorted(look.state.share for look in world.looks())


@starting_at(5000)
@pytest.mark.parametrize("configured", [True, False])
def test_after_its_last_step_a_canary_is_promoted_only_where_that_is_configured(world, configured):
    tasks(world.source, Track.CANARY, 0.98 * PER_MIN, 0.02 * PER_MIN)
    world.promotes = frozenset({ENVIRONMENT} if configured else {"staging"})
    candidate = world.head.canary.release
    world.restart()
    world.look(40)
    if configured:
        assert (world.head.canary, world.head.stable.release, world.head.operation.automatic) == (None, candidate, True)
    else:
        assert (world.looks()[-1].decision.action, world.head.revision) == (Action.PROMOTABLE, 2)


def test_a_restart_goes_on_with_the_evidence_that_there_was(world):
    tasks(world.source, Track.CANARY, 2.4, 0.6)
    world.look(10)
    before = world.looks()[-1].state
    world.restart()
    world.look(1)
    after = world.looks()[-1].state
    assert after.watches["task_success"].seen.events > before.watches["task_success"].seen.events
    assert after.watches["task_success"].worse.e_value(1) >= before.watches["task_success"].worse.e_value(1) / 10
    assert after.key == before.key


@pytest.mark.parametrize("done", ["nothing", "revision"])
def test_killed_between_the_decision_and_its_revision_it_is_done_once_after_the_next_start(world, monkeypatch, done):
    tasks(world.source, Track.CANARY, 1.5, 1.5)
    acted = []

    def killed(canaries, *rest):
        if done == "revision":
            act(canaries, *rest)
        acted.append(rest)
        raise KeyboardInterrupt

    act = Canaries._act
    with monkeypatch.context() as patched:
        patched.setattr(
            Canaries,
            "_act",
            lambda self, w, h, d, p: killed(self, w, h, d, p) if d.action is Action.ROLL_BACK else None,
        )
        with pytest.raises(KeyboardInterrupt):
            world.look(60)
    assert len(acted) == 1
    world.restart()
    world.look(5)
    assert world.head.canary is None
    assert [one.operation.kind for one in world.desk.store.history(ENVIRONMENT)] == ["end", "start", "promote"]


def test_with_prometheus_away_nothing_moves_and_the_time_is_counted(world):
    tasks(world.source, Track.CANARY, 20, 0)
    world.look(2)
    share = world.head.canary.share
    there, world.source = world.source, Away()
    watching = world.canaries.watching[ENVIRONMENT]
    watching.reader.source = world.source
    assert world.look(6) is Action.HOLD
    assert world.head.canary.share == share
    assert watching.unanswered_s >= 5 * MINUTE
    watching.reader.source = there
    world.look(1)
    assert watching.unanswered_s == 0


@pytest.mark.parametrize("source", [None, MemorySource(), Away()])
def test_without_anything_to_go_by_a_canary_waits_and_says_why(world, source):
    world.source = source
    world.restart()
    world.look(6)
    watching = world.canaries.watching[ENVIRONMENT]
    assert watching.waits
    assert (watching.decision, world.head.canary.share) == (None, 500)
    assert watching.unanswered_s >= 5 * MINUTE


def test_a_violation_that_reached_a_user_ends_the_canary_at_once_and_stops_nobody(world):
    tasks(world.source, Track.CANARY, 3, 0)
    tasks(world.source, Track.CANARY, 0.2, 0, hours=(0.2, 8.0), series=POLICY_VIOLATIONS.series, action="flagged")
    world.look(25)
    assert world.head.canary is None
    assert [lock.title for lock in world.head.locked] == ["prompt 13 of planner"]
    assert (world.head.killed.agents, world.head.killed.everything) == ({}, None)


@starting_at(2500)
def test_a_freeze_is_not_overruled(world):
    tasks(world.source, Track.CANARY, 19.6, 0.4)
    world.desk.do(Freeze(request=request("a weekend")))
    world.look(30)
    assert world.head.canary.share == 2500
    assert "is frozen" in world.canaries.watching[ENVIRONMENT].refused


def test_two_controllers_on_one_store_do_each_thing_once(world, tmp_path):
    tasks(world.source, Track.CANARY, 1.5, 1.5)
    other = World(world.desk, tmp_path / "store", world.source)
    for _ in range(240):
        for each in (world, other):
            each.look()
            each.at, each.ticks = each.at + 15, each.ticks + 15
    assert [one.operation.kind for one in world.desk.store.history(ENVIRONMENT)] == ["end", "start", "promote"]


def test_a_clock_that_jumps_a_day_decides_nothing(world):
    tasks(world.source, Track.CANARY, 3, 0.1)
    world.look(2)
    world.at += DAY
    assert world.look(1) is Action.HOLD
    world.at -= DAY
    world.look(1)
    assert (world.head.canary.share, world.head.locked) == (500, [])


@starting_at(2500)
def test_a_share_that_a_person_took_back_grows_again_when_it_is_good(world):
    tasks(world.source, Track.CANARY, 19.6, 0.4)
    world.look(30)
    assert world.head.canary.share == 5000
    world.desk.do(Share(request=request(), split_id="c2", share=2500))
    world.look(60)
    assert (world.head.canary.share, world.head.operation.by) == (5000, "release controller")


def test_a_shadow_is_left_to_people(world):
    shadow = Desk(world.folder.parent / "other")
    shadow.promote(release())
    candidate = shadow.add(release(planner="13"))
    shadow.do(Start(request=request(), release=candidate, share=500, split=SplitKind.SHADOW))
    other = World(shadow, world.folder.parent / "other", world.source)
    assert other.look(1) is None
    assert other.head.revision == 2


def test_old_canaries_are_looked_at_more_often_than_kept(world):
    tasks(world.source, Track.CANARY, 3, 0.12)
    world.look(240)
    assert 20 < len(world.looks()) < 200


def _another_version(world):
    """The newest look, as a version kept it that knew another word for what it decided."""
    newest = max((world.folder / "looks" / ENVIRONMENT).iterdir())
    document = json.loads(newest.read_bytes())
    document["state"]["verdict"] = {**document["decision"], "action": "dance"}
    newest.chmod(0o600)
    newest.write_text(json.dumps(document))


def test_what_another_version_kept_of_an_earlier_canary_is_no_matter(world):
    world.look(1)
    _another_version(world)
    world.desk.do(End(request=request(), split_id="c2"))
    world.desk.do(Start(request=request(), release=world.desk.add(release(planner="14")), share=500))
    world.restart()
    assert world.look(1) is Action.HOLD
    assert world.canaries.watching[ENVIRONMENT].split.id == "c4"


def test_what_another_version_kept_of_this_canary_is_told_and_nothing_is_done(world):
    world.look(1)
    _another_version(world)
    world.restart()
    with pytest.raises(DeliveryError, match="fix: end this canary and start it anew"):
        world.look(1)
    assert world.head.canary.share == 500
