"""What is read of both tracks: counted by hand from series in memory. A real Prometheus: `tests/rules`."""

import re
from collections.abc import Sequence

import pytest
from support.canaries import changed, plan
from support.memory_source import MemorySource

from agentobs.contract import (
    AGENT_CALLS,
    EVAL_RESULTS,
    POLICY_VIOLATIONS,
    TASK_CALLS,
    TASK_DURATION,
    TOOL_CALLS,
    Label,
    Track,
)
from alerts.statistics import Outcomes
from delivery.releases.document import Dim
from delivery.rollout import Plan, Sides, Watched
from delivery.rollout.query import CanaryReader, prove

BEGAN = 1_700_100_000.0
HOUR = 3600.0
ENV = {Label.ENVIRONMENT: "prod"}


class Series:
    """Counters that grow evenly: so many an hour from `start` on, one sample each half minute."""

    def __init__(self, source: MemorySource | None = None) -> None:
        self.source = source or MemorySource()

    def add(
        self, name: str, track: Track, per_hour: float, hours: tuple[float, float] = (-1, 3), **labels: str
    ) -> "Series":
        first, last = (BEGAN + hour * HOUR for hour in hours)
        times = [first + 30 * step for step in range(int((last - first) / 30) + 1)]
        points = [(at, per_hour * (at - first) / HOUR) for at in times]
        return self.points(name, track, points, **labels)

    def points(self, name: str, track: Track, points: Sequence[tuple[float, float]], **labels: str) -> "Series":
        none = dict.fromkeys((Label.AGENT, Label.PROMPT_VERSION, Label.TOOL, Label.TOOL_VERSION), "none")
        given = {**ENV, **none, Label.GRAPH_VERSION: "7", Label.TRACK: track, **labels}
        self.source.add(name, {str(label): value for label, value in given.items()}, points)
        return self

    def tasks(self, track: Track, good: float, bad: float, **rest: object) -> "Series":
        for outcome, per_hour in (("success", good), ("failure", bad)):
            self.add(TASK_CALLS.series, track, per_hour, outcome=outcome, **rest)  # type: ignore[arg-type]
        return self


def read(series: Series, plan_: Plan | None = None, *, hours: float = 1.0) -> dict[str, Sides]:
    made = plan_ or plan(began=BEGAN)
    return dict(CanaryReader(series.source, made).read(BEGAN + hours * HOUR).counts)


def sides(*counts: float) -> Sides:
    bad, events, bad_canary, canary = (pytest.approx(count, abs=1e-6) for count in counts)
    return Sides(Outcomes(bad, events), Outcomes(bad_canary, canary))


def test_tasks_of_both_tracks_count_from_the_beginning_in_this_environment_alone():
    series = Series().tasks(Track.STABLE, 950, 50).tasks(Track.CANARY, 30, 20, hours=(0, 2))
    series.tasks(Track.SHADOW, 0, 1000).tasks(Track.STABLE, 0, 1000, environment="staging")
    assert read(series) == {"task_success": sides(50, 1000, 20, 50)}
    assert read(series, hours=0.5) == {"task_success": sides(25, 500, 10, 25)}
    assert read(series, hours=0) == {}


def test_a_track_without_events_is_zero_and_a_guardrail_without_series_is_missing():
    series = Series().tasks(Track.STABLE, 950, 50)
    found = read(series, plan("task_success", "evaluation_pass", "task_latency", began=BEGAN))
    assert found == {"task_success": sides(50, 1000, 0, 0)}


def test_what_never_happened_has_no_series_and_is_none():
    series = Series().tasks(Track.STABLE, 1000, 0).tasks(Track.CANARY, 50, 0)
    made = plan("task_success", "violations_passed", began=BEGAN)
    assert read(series, made) == {"task_success": sides(0, 1000, 0, 50), "violations_passed": sides(0, 1000, 0, 50)}
    series.add(POLICY_VIOLATIONS.series, Track.CANARY, 3, action="flagged")
    series.add(POLICY_VIOLATIONS.series, Track.CANARY, 9, action="blocked")
    assert read(series, made)["violations_passed"] == sides(0, 1000, 3, 50)


def test_a_counter_that_was_reset_loses_nothing_and_is_never_negative():
    series = Series()
    points = [(BEGAN - 30, 900.0), (BEGAN + 600, 960.0), (BEGAN + 630, 5.0), (BEGAN + 1200, 40.0)]
    series.points(TASK_CALLS.series, Track.STABLE, points, outcome="success")
    reader = CanaryReader(series.source, plan(began=BEGAN))
    counts = [reader.read(BEGAN + at).counts["task_success"].stable.events for at in (600, 630, 1200)]
    assert counts == [60, 65, 100]


def test_retries_of_a_call_do_not_count():
    series = Series().tasks(Track.STABLE, 100, 0)
    for is_retry, error, per_hour in (("false", "none", 90), ("false", "timeout", 10), ("true", "timeout", 500)):
        series.add(TOOL_CALLS.series, Track.CANARY, per_hour, is_retry=is_retry, error_class=error)
    found = read(series, plan("task_success", "tool_success", "tool_retries", "tool_timeouts", began=BEGAN))
    assert found["tool_success"] == sides(0, 0, 10, 100)
    assert found["tool_timeouts"] == sides(0, 0, 10, 100)
    assert found["tool_retries"] == sides(0, 0, 500, 600)


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        (changed(Dim.PROMPT, "13", agent="executor"), 110),
        (changed(Dim.TOOL, "v4", agent="executor", tool="search"), 1110),
        (changed(Dim.GRAPH, "7"), 1110),
        (changed(Dim.GRAPH, "8"), 0),
        (changed(Dim.MODEL, "gpt-4.1", agent="executor"), 1110),
    ],
)
def test_the_last_tasks_of_the_canary_before_do_not_count(change, counted):
    series = Series().tasks(Track.STABLE, 100, 0).tasks(Track.CANARY, 100, 0)
    for agent, version, per_hour in (("executor", "13", 100), ("executor", "12", 1000), ("planner", "4", 10)):
        series.add(
            AGENT_CALLS.series, Track.CANARY, per_hour, agent_name=agent, prompt_version=version, is_retry="false"
        )
    found = read(series, plan("task_success", "agent_success", began=BEGAN, changes=(change,)))
    assert found.get("agent_success", Sides()).canary.events == pytest.approx(counted)


def _durations(series: Series, track: Track, *upto: tuple[str, float]) -> None:
    for le, per_hour in upto:
        series.add(TASK_DURATION.bucket, track, per_hour, le=le)


def test_large_values_are_those_beyond_the_bound():
    series = Series().tasks(Track.STABLE, 100, 0)
    _durations(series, Track.STABLE, ("10", 800), ("60.0", 950), ("+Inf", 1000))
    _durations(series, Track.CANARY, ("10", 10), ("60.0", 20), ("+Inf", 50))
    for bound, expected in ((60.0, sides(50, 1000, 30, 50)), (10.0, sides(200, 1000, 40, 50)), (61.0, None)):
        watched = {"task_success": Watched(), "task_latency": Watched(Outcomes(5, 100), bound)}
        assert read(series, plan(began=BEGAN, watched=watched)).get("task_latency") == expected


class Spied(MemorySource):
    """Keeps the longest window (seconds) that it was asked for."""

    longest: float = 0.0

    def range(self, query: str, start: float, end: float, step: float):
        number, unit = re.search(r"\[(\d+)(ms|[dhms])\]", query).groups()
        self.longest = max(self.longest, int(number) * {"d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}[unit])
        return super().range(query, start, end, step)


def test_a_look_at_a_canary_of_days_asks_for_an_hour():
    series = Series(Spied()).tasks(Track.STABLE, 900, 100, hours=(-1, 80))
    source = series.tasks(Track.CANARY, 40, 10, hours=(-1, 80)).source
    reader = CanaryReader(source, plan(began=BEGAN))
    for hours in (0.5, 1.5, 30, 30.1, 75, 75.5):
        source.longest = 0.0
        before = source.asked
        counts = reader.read(BEGAN + hours * HOUR).counts
        assert counts == {"task_success": sides(*(hours * each for each in (100, 1000, 10, 50)))}
        assert source.longest <= HOUR
    assert source.asked - before == 2


def test_a_clock_that_is_a_day_ahead_or_behind_loses_nothing():
    """The store has no samples of tomorrow; they come, and nothing was kept that said there are none."""
    source = Series().tasks(Track.STABLE, 900, 100, hours=(-1, 5)).source
    later = Series().tasks(Track.STABLE, 900, 100, hours=(-1, 9)).source
    reader = CanaryReader(source, plan(began=BEGAN))
    assert reader.read(BEGAN + 29 * HOUR).counts["task_success"].stable.events == pytest.approx(5000)
    reader.source = later
    assert reader.read(BEGAN + 33 * HOUR).counts["task_success"].stable.events == pytest.approx(9000)
    assert reader.read(BEGAN - 24 * HOUR).counts == {}
    assert reader.read(BEGAN + 6 * HOUR).counts["task_success"].stable.events == pytest.approx(6000)


def test_before_a_canary_its_queries_are_proven_on_what_is_there():
    series = Series().tasks(Track.STABLE, 950, 50)
    _durations(series, Track.STABLE, ("10", 800), ("60", 940), ("120", 990), ("+Inf", 1000))
    series.add(EVAL_RESULTS.series, Track.STABLE, 8, eval_name="hallucination", label="pass")
    series.add(AGENT_CALLS.series, Track.CANARY, 500, is_retry="false", error_class="none")
    proof = prove(series.source, "prod", BEGAN + HOUR, past_s=HOUR)
    assert proof.watched == {
        "task_success": Watched(Outcomes(pytest.approx(50), pytest.approx(1000))),
        "task_latency": Watched(Outcomes(pytest.approx(60), pytest.approx(1000)), 60.0),
        "violations_passed": Watched(Outcomes(0, pytest.approx(1000))),
    }
    assert proof.without["hallucination"] == "8 events in 1h, at least 10 are needed"
    assert proof.without["agent_success"] == "agentic_agent_calls_total has no series of the track stable in prod"
    assert {*proof.watched} | {*proof.without} >= {"task_success", "task_cost", "model_latency"}


def test_a_selector_that_matches_nothing_is_found_out_before_the_canary():
    proof = prove(Series().tasks(Track.STABLE, 950, 50).source, "production", BEGAN + HOUR)
    assert proof.watched == {}
    assert "production" in proof.without["task_success"]
