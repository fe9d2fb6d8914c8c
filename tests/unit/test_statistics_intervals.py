"""Intervals against published examples, and how often they hold the true value."""

import math

import numpy as np
import pytest
from scipy import stats

from alerts.statistics import newcombe, poisson, ratio_of_rates, student, wilson

# Newcombe 1998, Statistics in Medicine 17:857, table I, method 3 (Wilson 1927 without correction); 9 of 10 by hand.
WILSON = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
    (9, 10, 0.5958, 0.9821),
]

# Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: (bad, events) after, before, lower and upper end.
NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]

# Garwood 1936, table of 95 % limits of a Poisson mean.
GARWOOD = [
    (0, 0.0, 3.689),
    (1, 0.0253, 5.572),
    (3, 0.619, 8.767),
    (5, 1.623, 11.668),
    (10, 4.795, 18.390),
    (20, 12.217, 30.888),
]


@pytest.mark.parametrize(("bad", "events", "low", "high"), WILSON)
def test_the_interval_of_a_share_is_wilsons(bad, events, low, high):
    assert wilson(bad, events, 0.95) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@pytest.mark.parametrize(("after", "before", "low", "high"), NEWCOMBE)
def test_the_interval_of_a_difference_of_shares_is_newcombes(after, before, low, high):
    found = newcombe(*before, *after, 0.95)
    assert found == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@pytest.mark.parametrize(("count", "low", "high"), GARWOOD)
def test_the_interval_of_a_count_is_garwoods(count, low, high):
    assert poisson(count, 0.95) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


def test_the_interval_of_a_mean_is_students():
    # Student's t of 9 degrees of freedom at 95 %: 2.262.
    assert student(10, 2, 9, 0.95) == (pytest.approx(10 - 4.524, abs=1e-3), pytest.approx(10 + 4.524, abs=1e-3))


@pytest.mark.parametrize(("share", "events"), [(0.02, 100), (0.1, 30), (0.5, 20), (0.95, 200)])
def test_wilsons_interval_holds_the_share_as_often_as_it_says(share, events):
    """Exact: summed over all outcomes. Wilson's interval is right on average, and no further off than this."""
    held = sum(
        float(stats.binom.pmf(bad, events, share))
        for bad in range(events + 1)
        if wilson(bad, events, 0.95)[0] <= share <= wilson(bad, events, 0.95)[1]
    )
    assert 0.92 <= held <= 0.99


@pytest.mark.parametrize("expected", [0.5, 3.0, 12.0])
def test_garwoods_interval_holds_the_rate_at_least_as_often_as_it_says(expected):
    ends = [poisson(count, 0.95) for count in range(60)]
    held = sum(float(stats.poisson.pmf(k, expected)) for k, (low, high) in enumerate(ends) if low <= expected <= high)
    assert 0.95 <= held <= 1


def test_newcombes_interval_holds_the_difference_as_often_as_it_says():
    chance = np.random.default_rng(17)
    old, new = chance.binomial(80, 0.1, 600), chance.binomial(50, 0.25, 600)
    ends = [newcombe(x, 80, y, 50, 0.95) for x, y in zip(old, new, strict=True)]
    assert sum(low <= 0.15 <= high for low, high in ends) / 600 == pytest.approx(0.95, abs=0.025)


def test_the_interval_of_a_growth_holds_it_at_least_as_often_as_it_says():
    chance = np.random.default_rng(19)
    old, new = chance.poisson(0.2 * 100, 600), chance.poisson(0.3 * 60, 600)
    ends = [ratio_of_rates(x, 100, y, 60, 0.95) for x, y in zip(old, new, strict=True)]
    held = sum((low or -1) <= 0.5 <= (math.inf if high is None else high) for low, high in ends)
    assert 0.94 <= held / 600 <= 1


def test_a_growth_from_nothing_has_no_upper_end():
    low, high = ratio_of_rates(0, 100, 8, 100, 0.95)
    assert low > 0
    assert high is None
    assert ratio_of_rates(0, 100, 0, 100, 0.95) == (None, None)
