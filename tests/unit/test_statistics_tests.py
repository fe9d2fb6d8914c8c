"""P-values against independent truth: every way to deal out the bad events, other programs, simulations."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from alerts.statistics import chance_of_means, chance_of_rates, chance_of_shares, chance_of_strata, holm, per_look

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
    assert per_look(0.01) == pytest.approx(0.01 / 180)
    assert 1 - (1 - per_look(0.01)) ** 180 <= 0.01
