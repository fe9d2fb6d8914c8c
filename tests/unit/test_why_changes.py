"""Version changes from counted calls: since when does an entity run another version, and does it still?"""

import numpy as np
import pytest
from support.why_tables import COLUMNS, SPAN, WIDTH

from agentobs.contract import Label
from alerts.catalogue import DIMENSIONS
from runbooks.why import changes
from runbooks.why.reading import Reader

TOOL = next(dimension for dimension in DIMENSIONS if dimension.key == "tool")


def counted(version: str, *stretches: tuple[int, int], calls: float = 10, every: int = 1, tool: str = "search"):
    """Calls of a version in the columns of some stretches."""
    row = np.zeros(COLUMNS)
    for start, end in stretches:
        row[start:end:every] = calls
    return {Label.ENVIRONMENT: "prod", Label.TOOL: tool, Label.TOOL_VERSION: version}, row


def find(*rows) -> list[changes.VersionChange]:
    reader = Reader(source=None, span=SPAN, where={})  # type: ignore[arg-type]  # nothing is asked
    for dimension in DIMENSIONS:
        reader._kept[dimension.counted.series] = [*rows] if dimension is TOOL else []
    return changes.find(reader)


def test_one_version_all_the_time_is_no_change():
    assert find(counted("1", (0, 40))) == []


def test_a_deployment_is_a_change_since_its_first_use():
    (change,) = find(counted("1", (0, 20)), counted("2", (20, 40)))
    assert (change.entity, change.previous, change.version) == (("prod", "search"), "1", "2")
    assert (change.since, change.until) == (20 * WIDTH, None)


def test_a_canary_beside_the_old_version_is_a_change():
    (change,) = find(counted("1", (0, 40)), counted("2", (25, 40), calls=1))
    assert (change.previous, change.version, change.since) == ("1", "2", 25 * WIDTH)


def test_a_rare_canary_is_one_change_not_many():
    found = find(counted("1", (0, 40)), counted("2", (10, 40), calls=1, every=8))
    assert [(change.since, change.until) for change in found if change.version == "2"] == [(10 * WIDTH, None)]


def test_a_canary_that_was_taken_back_is_remembered_as_such():
    (change,) = find(counted("1", (0, 40)), counted("2", (10, 20)))
    assert (change.version, change.until, change.taken_back) == ("2", 20 * WIDTH, True)


def test_a_rollback_ends_the_change_and_is_a_change_to_the_old_version():
    bad, back = find(counted("1", (0, 15), (22, 40)), counted("2", (15, 22)))
    assert (bad.version, bad.since, bad.until, bad.taken_back) == ("2", 15 * WIDTH, 22 * WIDTH, True)
    assert (back.previous, back.version, back.since, back.until) == ("2", "1", 22 * WIDTH, None)


def test_a_version_replaced_by_a_third_is_not_taken_back():
    second, third = find(counted("1", (0, 15)), counted("2", (15, 30)), counted("3", (30, 40)))
    assert (second.later, second.taken_back, second.current) == (("3",), False, "3")
    assert (third.previous, third.version, third.until) == ("2", "3", None)


def test_of_versions_that_ran_side_by_side_from_the_start_either_may_be_the_worse():
    found = find(counted("a", (0, 40)), counted("b", (0, 40), calls=3))
    assert {(change.previous, change.version) for change in found} == {("a", "b"), ("b", "a")}
    assert all(change.from_start for change in found)


def test_a_quiet_night_is_no_change():
    assert find(counted("1", (0, 5), (35, 40))) == []


def test_a_lull_of_one_version_is_no_change_of_the_other():
    """The canary is silent for as many calls as it often is."""
    found = find(counted("1", (0, 40), calls=3), counted("2", (10, 12), (18, 20), (30, 31), calls=1))
    assert [change.version for change in found].count("2") == 1


@pytest.mark.parametrize("missing", [Label.TOOL, Label.TOOL_VERSION])
def test_calls_without_entity_or_version_say_nothing(missing):
    labels, row = counted("2", (20, 40))
    assert find(counted("1", (0, 20)), ({**labels, missing: "none"}, row)) == []


def test_entities_are_told_apart():
    found = find(counted("1", (0, 20), tool="a"), counted("2", (20, 40), tool="a"), counted("1", (0, 40), tool="b"))
    assert [change.entity for change in found] == [("prod", "a")]


@pytest.mark.parametrize("odd", ["[/red]", "~x", "!y", "", "x" * 200, 'a"b', "{version}"])
def test_odd_versions_are_text(odd):
    (change,) = find(counted("1", (0, 20)), counted(odd, (20, 40)))
    assert change.version == odd
    assert change.where(odd)[Label.TOOL_VERSION] == odd
