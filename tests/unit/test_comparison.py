"""Before against after: what counts as worse, and what as chance."""

import math

import pytest

from alerts.catalogue import MIN_EVENTS, POLICY_VIOLATIONS, TASK_COST, TOOL_SUCCESS, TOOL_TIMEOUTS
from runbooks.comparison import Reading, compare


def test_too_few_events_say_nothing():
    assert compare(TOOL_SUCCESS, Reading(MIN_EVENTS - 1, MIN_EVENTS - 1), Reading(0, 100)) is None
    assert compare(TOOL_SUCCESS, Reading(100, 100), Reading(0, MIN_EVENTS - 1)) is None


def test_z_of_two_ratios_is_the_pooled_two_proportion_statistic():
    # 90/100 against 70/100: pooled 0.8, standard error sqrt(0.8 * 0.2 * 2/100) = 0.0566, z = 0.2/0.0566.
    found = compare(TOOL_SUCCESS, Reading(90, 100), Reading(70, 100))
    assert found is not None
    assert found.z == pytest.approx(0.2 / math.sqrt(0.8 * 0.2 * 0.02))
    assert found.worsening == pytest.approx(0.2)
    assert found.is_regression


def test_better_is_never_a_regression():
    better = compare(TOOL_SUCCESS, Reading(50, 100), Reading(100, 100))
    fewer_timeouts = compare(TOOL_TIMEOUTS, Reading(50, 100), Reading(0, 100))
    assert better is not None
    assert better.z < 0
    assert not better.is_regression
    assert fewer_timeouts is not None
    assert fewer_timeouts.z < 0
    assert not fewer_timeouts.is_regression


def test_a_change_within_chance_is_no_regression():
    found = compare(TOOL_SUCCESS, Reading(19, 20), Reading(17, 20))
    assert found is not None
    assert not found.is_regression


def test_a_certain_but_small_change_is_tolerated():
    found = compare(TOOL_SUCCESS, Reading(99_000, 100_000), Reading(97_000, 100_000))
    assert found is not None
    assert found.z > 10
    assert not found.is_regression


def test_two_perfect_periods_do_not_divide_by_zero():
    found = compare(TOOL_SUCCESS, Reading(100, 100), Reading(100, 100))
    assert found is not None
    assert found.z == 0


def test_a_mean_worsens_as_a_share_of_its_old_value():
    found = compare(TASK_COST, Reading(1.0, 100), Reading(2.0, 100))
    assert found is not None
    assert found.worsening == pytest.approx(1.0)
    assert found.is_regression


def test_one_rare_event_is_no_regression_though_there_was_none_before():
    found = compare(POLICY_VIOLATIONS, Reading(0, 60), Reading(1, 60))
    assert found is not None
    assert found.worsening == math.inf
    assert not found.is_regression
