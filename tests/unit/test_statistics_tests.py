"""P-values against independent truth: every way to deal out the bad events, other programs, simulations."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from alerts.catalogue import FALSE_ALARMS, LOOK_LEVEL, MIN_BAD
from alerts.statistics import (
    chance_beyond,
    chance_of_means,
    chance_of_rates,
    chance_of_shares,
    chance_of_strata,
    holm,
    nats_needed,
    nats_of_shares,
)

SMALL = [(0, 4, 2, 4), (1, 5, 3, 4), (2, 6, 2, 3), (0, 3, 0, 5), (3, 3, 4, 4), (1, 2, 1, 6), (4, 6, 1, 5)]
LARGE = [(10, 100, 30, 100), (3, 500, 12, 400), (0, 50, 6, 40), (40, 80, 44, 70), (250, 5000, 300, 5000)]


def dealt(bad_before: int, before: int, bad_after: int, after: int) -> list[int]:
    """The bad events after, in every way to choose which of all events are the bad ones."""
    bad = bad_before + bad_after
    return [sum(event >= before for event in chosen) for chosen in combinations(range(before + after), bad)]


@pytest.mark.parametrize("counts", SMALL)
def test_a_chance_of_shares_is_the_part_of_all_ways_that_look_as_bad(counts):
    ways = dealt(*counts)
    assert chance_of_shares(*counts) == pytest.approx(sum(way >= counts[2] for way in ways) / len(ways))


@pytest.mark.parametrize("counts", SMALL + LARGE)
def test_a_chance_of_shares_is_fishers(counts):
    bad_before, before, bad_after, after = counts
    table = [[bad_after, after - bad_after], [bad_before, before - bad_before]]
    assert chance_of_shares(*counts) == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


def test_nats_say_what_fishers_test_says_where_a_verdict_is_near():
    """So a rule that asks for nats fires where the exact test is beyond the level too, a little later."""
    ratios = []
    for before, after in product((10, 20, 100, 1000, 30_000), (10, 20, 100, 1000)):
        for bad_before, bad_after in product(
            {0, 1, 2, 5, before // 10}, range(MIN_BAD, after + 1, max(1, after // 30))
        ):
            counts = bad_before, before, bad_after, after
            nats = nats_of_shares(*counts) if bad_after / after > bad_before / before else 0.0
            if 11 < nats < 25:
                ratios.append(chance_of_shares(*counts) / math.exp(-nats))
    assert len(ratios) > 200
    assert max(ratios) < 7
    assert np.median(ratios) < 0.5


def test_nats_are_the_log_of_how_much_better_two_shares_fit_than_one():
    # Three of four against one of four: (3/4)^6 (1/4)^2 for two shares, (1/2)^8 for one.
    assert nats_of_shares(1, 4, 3, 4) == pytest.approx(math.log(0.75**6 * 0.25**2 / 0.5**8))
    assert nats_of_shares(0, 9, 0, 9) == nats_of_shares(5, 5, 5, 5) == 0
    assert math.exp(-nats_needed(30, 0.01)) * 30 == pytest.approx(0.01)


@pytest.mark.parametrize(("bad", "events", "share"), [(4, 10, 0.1), (0, 5, 0.1), (12, 40, 0.2), (3, 3, 0.5)])
def test_a_chance_beyond_a_promise_is_the_part_of_all_outcomes_that_are_as_bad(bad, events, share):
    ways = [math.comb(events, n) * share**n * (1 - share) ** (events - n) for n in range(bad, events + 1)]
    assert chance_beyond(bad, events, share) == pytest.approx(sum(ways))


def test_fishers_tea_tasting_lady():
    # Fisher 1935: eight cups, four of each kind, three of four named rightly: 17 of 70 ways are as good.
    assert chance_of_shares(1, 4, 3, 4) == pytest.approx(17 / 70)


@pytest.mark.parametrize("counts", SMALL + LARGE)
def test_one_stratum_is_fishers_test(counts):
    assert chance_of_strata([counts]) == pytest.approx(chance_of_shares(*counts))


@pytest.mark.parametrize("strata", [SMALL[:2], SMALL[1:3], [SMALL[0], SMALL[2], SMALL[5]], [SMALL[3], SMALL[6]]])
def test_strata_are_dealt_out_each_for_itself(strata):
    ways = [sum(each) for each in product(*(dealt(*one) for one in strata))]
    seen = sum(one[2] for one in strata)
    assert chance_of_strata(strata) == pytest.approx(sum(way >= seen for way in ways) / len(ways))


def test_a_share_that_only_moved_to_a_worse_stratum_is_no_worse():
    # Tasks of one kind fail with 5 %, of the other with 50 %; only their numbers change.
    strata = [(45, 900, 5, 100), (50, 100, 450, 900)]
    assert chance_of_shares(95, 1000, 455, 1000) < 1e-60
    assert chance_of_strata(strata) > 0.4


def test_strata_with_one_side_change_nothing():
    assert chance_of_strata([LARGE[0], (5, 40, 0, 0)]) == pytest.approx(chance_of_strata([LARGE[0]]))


@pytest.mark.parametrize("counts", [(3, 10, 9, 12), (0, 5, 4, 5), (20, 100, 18, 40), (0, 7, 0, 9), (6, 3, 1, 30)])
def test_a_chance_of_rates_is_that_of_two_poisson_counts_with_a_given_sum(counts):
    count_before, before, count_after, after = counts
    total = count_before + count_after
    old, new = stats.poisson(2.5 * before), stats.poisson(2.5 * after)
    joint = [old.pmf(total - count) * new.pmf(count) for count in range(total + 1)]
    assert chance_of_rates(*counts) == pytest.approx(sum(joint[count_after:]) / sum(joint))


def test_a_chance_of_rates_is_what_a_simulation_finds():
    chance = np.random.default_rng(11)
    old, new = chance.poisson(0.1 * 60, 400_000), chance.poisson(0.1 * 40, 400_000)
    given = new[old + new == 12]
    assert len(given) > 20_000
    assert chance_of_rates(4, 60, 8, 40) == pytest.approx((given >= 8).mean(), abs=0.005)


def test_a_chance_of_means_is_welchs():
    chance = np.random.default_rng(3)
    old, new = chance.normal(5, 1, 12), chance.normal(6, 3, 30)
    errors = tuple(side.std(ddof=1) / math.sqrt(len(side)) for side in (old, new))
    welch = stats.ttest_ind(new, old, equal_var=False, alternative="greater").pvalue
    assert chance_of_means(new.mean() - old.mean(), errors, (11, 29)) == pytest.approx(welch)


def test_means_without_spread_are_worse_or_not():
    assert chance_of_means(0.1, (0, 0), (9, 9)) == 0
    assert chance_of_means(0, (0, 0), (9, 9)) == 1


@pytest.mark.parametrize("level", [0.01, 0.05])
def test_equal_shares_look_worse_no_more_often_than_the_level(level):
    """Exact, not simulated: the sum over all outcomes of two sides with the same share."""
    old, new = stats.binom(25, 0.15), stats.binom(40, 0.15)
    false = sum(
        old.pmf(x) * new.pmf(y)
        for x, y in product(range(26), range(41))
        if chance_of_shares(x, 25, y, 40) <= level
    )  # fmt: skip
    assert 0 < false <= level


def test_holm_by_hand():
    # Of four at 5 %: 0.005 <= 0.05/4, 0.014 <= 0.05/3, 0.03 > 0.05/2, and 0.04 <= 0.05/1 is not looked at.
    assert holm([0.014, 0.04, 0.03, 0.005], 0.05) == {0, 3}


def test_holm_counts_only_what_was_compared():
    assert holm([None, 0.04, None], 0.05) == {1}
    assert holm([0.04, 0.9], 0.05) == set()
    assert holm([], 0.05) == set()


def test_all_comparisons_of_equal_things_together_keep_the_level():
    chance = np.random.default_rng(5)
    false = sum(bool(holm(list(chance.random(40)), 0.05)) for _ in range(4000))
    assert false / 4000 == pytest.approx(0.05, abs=0.012)


def test_an_hour_of_looks_keeps_the_level_of_an_hour():
    # Asked every 20 s; looks that share nothing are the worst case.
    assert pytest.approx(0.01 / 180) == LOOK_LEVEL
    assert 1 - (1 - LOOK_LEVEL) ** 180 <= FALSE_ALARMS
