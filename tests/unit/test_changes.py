"""Version changes from activity: since when does an entity run another version than before?"""

import pytest

from alerts.catalogue import DIMENSIONS
from alerts.source import Series
from collector.signals import Label
from runbooks import changes

TOOL = next(dimension for dimension in DIMENSIONS if dimension.key == "tool")
STEP = 10.0


def series(version: str, *uses: float, tool: str = "search", environment: str = "prod", until: float = 1000) -> Series:
    """A counter that rises at the given times and is exported from its first use on."""
    start = min(uses)
    times = [start + STEP * i for i in range(int((until - start) / STEP) + 1)]
    points = [(at, float(sum(use <= at for use in uses))) for at in times]
    return Series({Label.ENVIRONMENT: environment, Label.TOOL: tool, Label.TOOL_VERSION: version}, points)


def every(step: float, start: float, end: float) -> list[float]:
    return [start + step * i for i in range(int((end - start) / step))]


def find(*found: Series) -> list[changes.VersionChange]:
    return changes.find(TOOL, found, start=0, step=STEP)


def test_one_version_all_the_time_is_no_change():
    assert find(series("1", *every(10, 10, 1000))) == []


def test_a_deployment_is_a_change_since_its_first_use():
    (change,) = find(series("1", *every(10, 10, 500)), series("2", *every(10, 500, 1000)))
    assert (change.entity, change.previous, change.version, change.since) == (("prod", "search"), "1", "2", 500)


def test_a_canary_beside_the_old_version_is_a_change():
    (change,) = find(series("1", *every(10, 10, 1000)), series("2", *every(10, 600, 1000)))
    assert (change.previous, change.version, change.since) == ("1", "2", 600)


def test_a_rare_canary_is_one_change_not_many():
    (change,) = find(series("1", *every(10, 10, 1000)), series("2", *every(100, 300, 1000)))
    assert (change.version, change.since) == ("2", 300)


def test_a_canary_that_was_taken_back_is_in_the_past():
    assert find(series("1", *every(10, 10, 1000)), series("2", *every(10, 300, 600))) == []


def test_another_version_in_another_environment_is_no_change():
    staging = series("2", *every(10, 500, 1000), environment="staging")
    assert find(series("1", *every(10, 10, 1000)), staging) == []


def test_a_rollback_is_a_change_to_the_old_version():
    first, second = every(10, 10, 300), every(10, 700, 1000)
    first_change, change = find(series("1", *first, *second), series("2", *every(10, 300, 700)))
    assert (first_change.version, first_change.since, first_change.current) == ("2", 300, "1")
    assert (change.previous, change.version, change.since) == ("2", "1", 700)


def test_a_quiet_night_is_no_change():
    assert find(series("1", *every(10, 10, 100), *every(10, 900, 1000))) == []


def test_a_counter_that_no_longer_moves_is_not_a_version_in_use():
    idle = Series(
        {Label.ENVIRONMENT: "prod", Label.TOOL: "search", Label.TOOL_VERSION: "0"},
        [(at, 7.0) for at in every(10, 0, 1000)],
    )
    assert find(idle, series("1", *every(10, 10, 1000))) == []


def test_a_restarted_counter_counts_as_use():
    points = [(10.0, 5.0), (20.0, 6.0), (30.0, 1.0), (40.0, 2.0)]
    assert changes.uses(points, start=10, step=STEP) == [20.0, 30.0, 40.0]


@pytest.mark.parametrize("missing", [Label.TOOL, Label.TOOL_VERSION])
def test_series_without_entity_or_version_say_nothing(missing):
    labels = {Label.ENVIRONMENT: "prod", Label.TOOL: "search", Label.TOOL_VERSION: "2", missing: "none"}
    assert find(series("1", *every(10, 10, 500)), Series(labels, [(600.0, 1.0), (610.0, 2.0)])) == []


def test_telemetry_without_an_environment_is_examined_too():
    old = series("1", *every(10, 10, 500), environment="none")
    (change,) = find(old, series("2", *every(10, 500, 1000), environment="none"))
    assert change.entity == ("none", "search")


def test_entities_are_told_apart():
    found = find(
        series("1", *every(10, 10, 500), tool="a"),
        series("2", *every(10, 500, 1000), tool="a"),
        series("1", *every(10, 10, 1000), tool="b"),
    )
    assert [change.entity for change in found] == [("prod", "a")]


def test_a_version_replaced_by_a_third_is_still_a_change_that_led_here():
    found = find(
        series("1", *every(10, 10, 300)), series("2", *every(10, 300, 600)), series("3", *every(10, 600, 1000))
    )
    assert [(change.previous, change.version, change.later) for change in found] == [("1", "2", ("3",)), ("2", "3", ())]
