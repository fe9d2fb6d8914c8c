"""Before against after: what counts as worse, and what as chance."""

import math

import pytest
from scipy import stats

from alerts.catalogue import MIN_EVENTS, POLICY_VIOLATIONS, TASK_COST, TOOL_SUCCESS, TOOL_TIMEOUTS
from runbooks.comparison import Reading, compare


def test_too_few_events_say_nothing():
    assert compare(TOOL_SUCCESS, Reading(MIN_EVENTS - 1, MIN_EVENTS - 1), Reading(0, 100)) is None
    assert compare(TOOL_SUCCESS, Reading(100, 100), Reading(0, MIN_EVENTS - 1)) is None


def test_shares_are_compared_by_fishers_exact_test_with_mid_p():
    found = compare(TOOL_SUCCESS, Reading(90, 100), Reading(70, 100))
    assert found is not None
    exact = stats.fisher_exact([[30, 70], [10, 90]], alternative="greater").pvalue
    equal = stats.hypergeom(200, 40, 100).pmf(30)
    assert found.p == pytest.approx(exact - equal / 2)
    assert found.worsening == pytest.approx(0.2)
    assert found.is_regression


def test_the_interval_of_a_difference_of_shares_is_newcombes():
    # Newcombe 1998, Statistics in Medicine 17:873, table II (a): 56/70 against 48/80, method 10.
    found = compare(TOOL_TIMEOUTS, Reading(48, 80), Reading(56, 70))
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_bursts_count_for_less():
    steady = compare(TOOL_SUCCESS, Reading(90, 100), Reading(70, 100))
    bursts = compare(TOOL_SUCCESS, Reading(90, 100), Reading(70, 100), dispersion=4)
    assert steady is not None
    assert bursts is not None
    assert bursts.z < steady.z / 1.5
    assert bursts.events_needed() > 3 * steady.events_needed()


def test_the_worst_of_many_comparisons_needs_more_evidence():
    found = compare(TOOL_SUCCESS, Reading(95, 100), Reading(75, 100))
    assert found is not None
    assert found.is_regression_among(1)
    assert not found.is_regression_among(1000)


def test_the_events_needed_would_prove_the_effect():
    """With as many events as it asks for and the same shares, the effect is significant."""
    seen = compare(TOOL_SUCCESS, Reading(19, 20), Reading(14, 20))
    assert seen is not None
    assert not seen.is_regression_among(50)
    events = seen.events_needed(50)
    more = compare(TOOL_SUCCESS, Reading(0.95 * events, events), Reading(0.7 * events, events))
    assert more is not None
    assert more.is_regression_among(50)


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
