"""One KPI before against after: what counts as worse, what as chance, and what would have been found."""

import math
import random
from functools import cache

import numpy as np
import pytest
from scipy import stats

from alerts.catalogue import (
    CATALOGUE,
    JUDGE_SCORE,
    MIN_BAD,
    MIN_EVENTS,
    POLICY_VIOLATIONS,
    POWER,
    TASK_COST,
    TASK_LATENCY,
    TOOL_SUCCESS,
    TOOL_TIMEOUTS,
    Direction,
    Unit,
)
from alerts.statistics import (
    chance_of_rates,
    chance_of_shares,
    compare,
    counts_of,
    detectable_rate,
    detectable_share,
    histograms,
    quantile,
    tail,
)

LATENCIES = [float(bound) for bound in (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)]


def made(kpi, before, after, dispersion=1.0):
    """Compare (numerator, denominator) with (numerator, denominator)."""
    return compare(kpi, counts_of(kpi, *before), counts_of(kpi, *after), dispersion)


def buckets(values, bounds=LATENCIES):
    ordered = np.sort(values)
    counts = np.searchsorted(ordered, [*bounds, math.inf], side="right")
    return list(zip([*bounds, math.inf], map(float, counts), strict=True))


def test_too_few_events_say_nothing():
    assert made(TOOL_SUCCESS, (MIN_EVENTS - 1, MIN_EVENTS - 1), (0, 100)) is None
    assert made(TOOL_SUCCESS, (100, 100), (0, MIN_EVENTS - 1)) is None
    assert made(TOOL_SUCCESS, (MIN_EVENTS, MIN_EVENTS), (0, MIN_EVENTS)).matters


def test_bad_events_are_failures_where_success_is_counted():
    found = made(TOOL_SUCCESS, (90, 100), (70, 100))
    assert (found.before.bad, found.after.bad) == (10, 30)
    assert found.p == pytest.approx(stats.fisher_exact([[30, 70], [10, 90]], alternative="greater").pvalue)
    assert found.worsening == pytest.approx(0.2)
    assert found.matters


def test_every_rate_of_the_catalogue_gets_worse_as_it_grows():
    """The test of rates looks to that side alone."""
    rates = [kpi for kpi in CATALOGUE if kpi.unit is Unit.PER_CALL]
    assert {kpi.direction for kpi in rates} == {Direction.LOWER_IS_BETTER}


def test_bursts_count_for_less():
    steady, bursts = (made(TOOL_SUCCESS, (90, 100), (70, 100), dispersion) for dispersion in (1, 4))
    assert bursts.z < steady.z / 1.5
    assert bursts.high - bursts.low > 1.5 * (steady.high - steady.low)
    assert bursts.events_needed() > 2 * steady.events_needed()


def test_the_events_needed_would_prove_the_effect():
    seen = made(TOOL_SUCCESS, (19, 20), (14, 20))
    assert seen.p > 0.01 / 50
    events = seen.events_needed(50)
    assert made(TOOL_SUCCESS, (0.95 * events, events), (0.7 * events, events)).p < 0.01 / 50


def test_better_and_equal_are_never_worse():
    for kpi, before, after in [(TOOL_SUCCESS, 50, 100), (TOOL_TIMEOUTS, 50, 0), (TOOL_SUCCESS, 100, 100)]:
        found = made(kpi, (before, 100), (after, 100))
        assert found.p > 0.5
        assert not found.matters


def test_a_certain_but_small_change_is_tolerated():
    found = made(TOOL_SUCCESS, (99_000, 100_000), (97_000, 100_000))
    assert found.z > 10
    assert not found.matters


def test_the_value_of_a_mean_worsens_as_a_share_of_its_old_value():
    assert TASK_COST.worsening(1.0, 2.0) == pytest.approx(1.0)
    assert TASK_COST.worsening(0.0, 2.0) == math.inf


def test_a_few_rare_events_do_not_matter_though_there_were_none_before():
    for count in range(1, MIN_BAD + 1):
        found = made(POLICY_VIOLATIONS, (0, 60), (count, 60))
        assert found.worsening == math.inf
        assert found.matters == (count >= MIN_BAD)


@pytest.mark.parametrize(("kpi", "share"), [(TOOL_SUCCESS, 0.9), (TOOL_TIMEOUTS, 0.05), (POLICY_VIOLATIONS, 0.2)])
def test_five_thousand_equal_pairs_look_worse_no_more_often_than_the_level(kpi, share):
    chance = np.random.default_rng(23)
    draw = chance.poisson if kpi is POLICY_VIOLATIONS else chance.binomial
    size = ((share * 80,), (share * 60,)) if kpi is POLICY_VIOLATIONS else ((80, share), (60, share))
    p = cache(lambda x, y: made(kpi, (x, 80), (y, 60)).p)
    pairs = zip(*(map(int, draw(*arguments, 5000)) for arguments in size), strict=True)
    false = sum(p(x, y) <= 0.05 for x, y in pairs)
    # Two standard errors of 5,000 draws above the level.
    assert 0.01 <= false / 5000 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 5000)


@pytest.mark.parametrize("before", [(5, 100), (0, 40), (30, 300), (1, 12)])
@pytest.mark.parametrize("after", [20, 150])
def test_what_is_called_detectable_is_found_with_the_power_it_names(before, after):
    share = detectable_share(*before, after, 0.01)
    found = [bad for bad in range(MIN_BAD, after + 1) if chance_of_shares(*before, bad, after) <= 0.01]
    assert sum(stats.binom.pmf(bad, after, share) for bad in found) == pytest.approx(POWER)
    rate = detectable_rate(*before, after, 0.01)
    missed = [count for count in range(500) if count < MIN_BAD or chance_of_rates(*before, count, after) > 0.01]
    assert sum(stats.poisson.pmf(count, rate * after) for count in missed) == pytest.approx(1 - POWER)


def test_where_even_all_bad_would_not_be_found_nothing_is_detectable():
    assert detectable_share(0, 10, 10, 1e-9) == math.inf
    assert detectable_share(10, 10, 10, 0.01) == math.inf


def test_the_tail_is_where_about_one_in_ten_of_the_old_lies():
    old = [0.2] * 60 + [0.7] * 28 + [3.0] * 10 + [20.0] * 2
    assert tail(TASK_LATENCY, buckets(old), buckets([9.0] * 1000)) == 1
    assert histograms.beyond(TASK_LATENCY, buckets(old), 1) == (12, 100)
    # Scores are bad where they are low.
    scores = [0.1] * 10 + [0.9] * 90
    assert tail(JUDGE_SCORE, buckets(scores, [0.25, 0.5, 1]), buckets(scores, [0.25, 0.5, 1])) == 0.5
    assert histograms.beyond(JUDGE_SCORE, buckets(scores, [0.25, 0.5, 1]), 0.5) == (10, 100)


def test_of_bounds_that_no_old_event_exceeds_the_nearest_is_chosen():
    assert tail(TASK_LATENCY, buckets([0.3] * 50), buckets([0.3] * 50)) == 0.5
    assert tail(TASK_LATENCY, buckets([0.3] * 50, [0.4]), buckets([0.3] * 50, [0.5])) is None


def test_a_bound_chosen_by_the_old_side_accuses_equal_sides_no_more_often_than_the_level():
    chance = np.random.default_rng(29)
    p = cache(chance_of_shares)
    for old_events, new_events in [(15, 15), (400, 60), (60, 400)]:
        false = 0
        for _ in range(1000):
            old, new = (buckets(chance.lognormal(0, 0.8, events)) for events in (old_events, new_events))
            bound = tail(TASK_LATENCY, old, new)
            (bad_old, _), (bad_new, _) = (histograms.beyond(TASK_LATENCY, side, bound) for side in (old, new))
            false += p(bad_old, old_events, bad_new, new_events) <= 0.05
        assert false / 1000 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize("factor", [1.2, 1.5, 3.0])
def test_a_share_beyond_the_bound_becomes_the_growth_of_all_values(factor):
    values = np.random.default_rng(31).lognormal(0, 0.6, 20_000)
    fine = list(np.geomspace(0.01, 100, 400))
    old = buckets(values, fine)
    bound = tail(TASK_LATENCY, old, old)
    share = float((values * factor > bound).mean())
    assert histograms.growth(TASK_LATENCY, old, bound, share) == pytest.approx(factor - 1, abs=0.03)
    assert histograms.growth(TASK_LATENCY, old, bound, 1.0) == math.inf


def test_quantiles_are_those_of_prometheus():
    cumulative = [(1.0, 50.0), (2.0, 90.0), (math.inf, 100.0)]
    assert quantile(cumulative, 0.5) == pytest.approx(1.0)
    assert quantile(cumulative, 0.7) == pytest.approx(1.5)
    assert quantile(cumulative, 0.99) == 2.0  # beyond the last border, the border
    assert quantile([(1.0, 0.0)], 0.5) is None
    assert quantile(random.Random(1).sample(cumulative, 3), 0.7) == pytest.approx(1.5)
