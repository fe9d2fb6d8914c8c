"""The made-up worlds themselves: what is drawn is what the counters show."""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from support.worlds.kinds import FAULTY, KINDS, draw
from support.worlds.model import NAMED, Restart, World
from support.worlds.sampled import Numbers, sampled
from support.worlds.simulate import play

Series = dict[str, list[tuple[dict[str, str], Numbers, Numbers]]]


def series(world: World) -> Series:
    found: Series = defaultdict(list)
    for name, labels, at, values in sampled(world):
        found[name].append((labels, at, values))
    return found


def grown(found: Series, name: str, until: float, where: Callable[[dict[str, str]], bool] = lambda _: True) -> float:
    """What a counter that is never reset has counted until a moment."""
    total = 0.0
    for labels, at, values in found[name]:
        if where(labels) and at[0] <= until:
            total += values[np.searchsorted(at, until, side="right") - 1]
    return float(total)


def likely(hits: float, events: float, chance: float) -> bool:
    """Whether a share is within four standard errors of its chance."""
    return abs(hits - events * chance) <= 4 * math.sqrt(max(1.0, events * chance * (1 - chance)))


@pytest.mark.parametrize("number", range(4))
def test_a_tool_fails_as_often_as_drawn_before_and_after(number):
    world = draw(1, number, "one agent fails with a shared tool")
    (fault,), found = world.faults, series(world)
    tool = next(tool for tool in world.tools if tool.name == fault.entity)

    def first(labels, *, user: bool):
        mine = (labels["agent_name"] == fault.user) == user
        return labels["tool_name"] == tool.name and labels["is_retry"] == "false" and mine

    def failed(labels, *, user: bool):
        return first(labels, user=user) and labels["error_class"] != "none"

    border, end = math.floor(fault.at / 5) * 5, world.seconds
    name = "agentic_tool_calls_total"
    for user, chance_after in ((True, fault.size), (False, tool.fails)):
        calls = [grown(found, name, at, lambda x, u=user: first(x, user=u)) for at in (border, border + 15, end)]
        bad = [grown(found, name, at, lambda x, u=user: failed(x, user=u)) for at in (border, border + 15, end)]
        assert calls[0] > 30
        assert likely(bad[0], calls[0], tool.fails)
        assert likely(bad[2] - bad[1], calls[2] - calls[1], chance_after)


def test_tasks_arrive_at_the_drawn_rate():
    for number in range(5):
        world = draw(2, number, "healthy")
        tasks = sum(len(events[0]) for events in play(world).tasks.values())
        wanted = world.traffic.rate * world.seconds
        assert abs(tasks - wanted) < 4 * math.sqrt(wanted)


def test_a_canary_gets_its_share_of_the_tasks_and_only_its_track_runs_it():
    world = draw(3, 1, "canary of a prompt")
    cause, played = world.truth.causes[0], play(world)
    share = next(change.share for change in world.changes if change.new == cause.version)
    runs = defaultdict(float)
    for (agent, prompt, _, track, _), (ends, _) in played.runs.items():
        if agent == cause.entity:
            runs[prompt, track] += sum(end > cause.at + 30 for end in ends)
    assert runs[cause.version, "stable"] == 0
    new = runs[cause.version, "canary"]
    assert likely(new, new + runs[cause.previous, "stable"] + runs[cause.previous, "canary"], share)


def test_a_failed_call_is_tried_again_and_mostly_fails_again():
    world = draw(4, 0, "tool version fails")
    calls = defaultdict(float)
    for (*_, tool, _version, _track, error, retry), (ends, _) in play(world).tools.items():
        if tool == world.truth.causes[0].entity:
            calls[retry == "true", error == "none"] += len(ends)
    first_failed, retries = calls[False, False], calls[True, True] + calls[True, False]
    assert first_failed <= retries <= 2 * first_failed
    assert calls[True, False] / retries > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_counters_are_those_of_a_store(kind):
    world = draw(5, 0, kind) if "young" not in kind else draw(5, 0, kind, seconds=300.0)
    found = series(world)
    for name, every in found.items():
        for labels, at, values in every:
            assert (np.diff(at) > 0).all(), (name, labels)
            assert values[0] == 0
            assert 0 <= at[0] <= at[-1] <= world.seconds + 0.002
            if not world.restarts:
                assert (np.diff(values) >= -1e-9).all(), (name, labels)
    for calls, lasted in (
        ("tool_calls", "tool"),
        ("agent_calls", "agent"),
        ("llm_calls", "llm"),
        ("task_calls", "task"),
    ):
        counts = {key(labels): values[-1] for labels, _, values in found[f"agentic_{lasted}_duration_seconds_count"]}
        assert counts == {key(labels): values[-1] for labels, _, values in found[f"agentic_{calls}_total"]}
        buckets = defaultdict(list)
        for labels, _, values in found[f"agentic_{lasted}_duration_seconds_bucket"]:
            buckets[key(labels)].append((float(labels["le"]), values[-1]))
        sums = {key(labels): values[-1] for labels, _, values in found[f"agentic_{lasted}_duration_seconds_sum"]}
        for of, of_bounds in buckets.items():
            ordered = sorted(of_bounds)
            assert ordered[-1] == (math.inf, counts[of])
            assert all(a <= b for (_, a), (_, b) in itertools.pairwise(ordered))
            below = 0.0
            low = high = 0.0
            lower = 0.0
            for bound, count in ordered:
                low, high = low + (count - below) * lower, high + (count - below) * bound if count > below else high
                below, lower = count, bound
            assert low - 1e-6 <= sums[of] <= high + 1e-6


def key(labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((label, value) for label, value in labels.items() if label != "le")


def test_a_restart_resets_counters_or_begins_new_ones():
    world = next(w for n in range(20) if len((w := draw(6, n, "healthy, restarts")).restarts) == 1)
    (restart,) = world.restarts
    for renamed in (False, True):
        again = Restart(restart.at, restart.gap, renamed)
        found = series(World(**{f: getattr(world, f) for f in World.__slots__} | {"restarts": (again,)}))
        every = found["agentic_task_calls_total"]
        falls = [at[1:][np.diff(values) < 0] for _, at, values in every]
        assert {labels["instance"] for labels, _, _ in every} == (
            {"collector-0", "collector-1"} if renamed else {"collector-0"}
        )
        if renamed:
            assert not any(len(at) for at in falls)
        else:
            assert any(len(at) for at in falls)
            assert all(restart.at < t <= world.seconds for at in falls for t in at)


def test_a_world_is_the_same_each_time_and_its_name_gives_nothing_away():
    one, two = draw(7, 3, "rollback"), draw(7, 3, "rollback")
    assert one == two
    assert [(n, x, at.tolist(), v.tolist()) for n, x, at, v in sampled(one)] == [
        (n, x, at.tolist(), v.tolist()) for n, x, at, v in sampled(two)
    ]
    assert one.environment == "w7-3"


@pytest.mark.parametrize("kind", FAULTY)
def test_every_kind_of_fault_says_what_is_true_of_it(kind):
    for number in range(5):
        world = draw(8, number, kind)
        assert world.truth.causes
        bad = {fault.change for fault in world.faults if fault.change}
        for cause in world.truth.causes:
            assert 0 <= cause.at < world.seconds
            if cause.previous == "none":
                # No change of a version: an agent thinks that did not.
                assert [agent.thinks for agent in world.agents if agent.name == cause.entity] == [cause.at]
            elif cause.dimension:
                what = (cause.dimension, cause.entity, cause.version)
                (mine,) = [c for c in world.changes if (c.dimension, c.entity, c.new.rpartition(NAMED)[2]) == what]
                assert world.truth.one_of or mine in bad
                renamed = f"{mine.entity} {mine.old}" if NAMED in mine.new else mine.old
                assert renamed == cause.previous
