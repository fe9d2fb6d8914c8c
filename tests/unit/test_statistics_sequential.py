"""Evidence that may be looked at at any time, against exact sums over all outcomes and events multiplied one by one."""

import math
from itertools import product

import pytest
from scipy import stats

from alerts.statistics import (
    HARMS,
    PAST_RUNS,
    Outcomes,
    SafeTest,
    chance_of_split,
    design_effect,
    highest_worsening,
)

PASTS = [Outcomes(), Outcomes(20, 500), Outcomes(0, 40), Outcomes(300, 400), Outcomes(50_000, 50_000)]


def expected_bets(test: SafeTest, first: int, second: int, share: float, blocks: int) -> list[float]:
    """The expectation of each bet after so many blocks, summed over every outcome of tracks that are alike."""
    if blocks == 0:
        return [math.exp(nats) for nats in test.nats]
    total = [0.0] * len(HARMS)
    for bad_first, bad_second in product(range(first + 1), range(second + 1)):
        chance = stats.binom.pmf(bad_first, first, share) * stats.binom.pmf(bad_second, second, share)
        after = test.after(Outcomes(bad_first, first), Outcomes(bad_second, second))
        found = expected_bets(after, first, second, share, blocks - 1)
        total = [sum_ + chance * bet for sum_, bet in zip(total, found, strict=True)]
    return total


@pytest.mark.parametrize("past", PASTS)
@pytest.mark.parametrize(("first", "second", "blocks"), [(1, 1, 2), (6, 1, 2), (2, 5, 2), (12, 9, 1), (1, 2, 3)])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.97, 1.0])
def test_no_bet_gains_where_both_tracks_are_alike(past, first, second, blocks, share):
    """Exact, whatever was known before: so no rule about when to stop makes a healthy canary look bad more often."""
    assert max(expected_bets(SafeTest(past), first, second, share, blocks)) <= 1 + 1e-12


def test_a_bet_is_the_likelihood_of_harm_over_that_of_the_mean_event_by_event():
    past, good, worse = Outcomes(20, 500), 20.5 / 510, [20.5 / 510 + harm for harm in HARMS]
    after = SafeTest(past).after(Outcomes(1, 9), Outcomes(2, 3))
    for nats, harmed in zip(after.nats, worse, strict=True):
        both = (9 * good + 3 * harmed) / 12
        bet = 1.0
        for is_bad, share in [(True, good), *[(False, good)] * 8, *[(True, harmed)] * 2, (False, harmed)]:
            bet *= share / both if is_bad else (1 - share) / (1 - both)
        assert math.exp(nats) == pytest.approx(bet)
    assert after.e_value() == pytest.approx(sum(math.exp(nats) for nats in after.nats) / len(HARMS))
    # The next block is bet on by what this one showed of stable, and the canary's own events say nothing about it.
    assert after.predicted == pytest.approx(21.5 / 519)


def test_bad_events_are_evidence_and_good_ones_are_against_it():
    values = [
        SafeTest(Outcomes(20, 500)).after(Outcomes(4, 100), Outcomes(bad, 20)).e_value() for bad in (0, 1, 4, 8, 16)
    ]
    assert values == sorted(values)
    assert values[0] < 1
    assert values[3] > 1000


@pytest.mark.parametrize("blocks", [(Outcomes(50, 50), Outcomes()), (Outcomes(), Outcomes(3, 3))])
def test_a_block_of_one_track_alone_is_no_evidence(blocks):
    assert SafeTest(Outcomes(20, 500)).after(*blocks).e_value() == 1


def test_the_past_counts_as_no_more_than_so_many_runs():
    known = SafeTest(Outcomes(400, 10_000))
    assert known.predicted == pytest.approx((0.04 * PAST_RUNS + 0.5) / (PAST_RUNS + 10))
    assert known.after(Outcomes(50, 500), Outcomes(1, 10)).predicted == pytest.approx(70.5 / 1010)


def test_evidence_of_events_that_are_alike_is_its_root():
    test = SafeTest(Outcomes(20, 500)).after(Outcomes(4, 100), Outcomes(8, 20))
    assert test.e_value(2.5) == pytest.approx(test.e_value() ** 0.4)
    assert SafeTest(nats=(4000.0,) * len(HARMS)).e_value() > 1e300


@pytest.mark.parametrize(
    ("size", "correlation", "effect"), [(1, 0.3, 1), (6, 0.3, 2.5), (6, 0, 1), (6, 1, 6), (0.2, 0.3, 1)]
)
def test_a_cluster_of_events_that_are_alike_weighs_less(size, correlation, effect):
    assert design_effect(size, correlation) == pytest.approx(effect)


@pytest.mark.parametrize(
    ("seen", "events", "share"), [(50, 1000, 0.05), (80, 1000, 0.05), (20, 1000, 0.05), (5, 8, 0.5)]
)
def test_the_chance_of_a_split_is_pearsons(seen, events, share):
    due = share * events
    oracle = stats.chisquare([seen, events - seen], [due, events - due]).pvalue
    assert chance_of_split(seen, due, events * share * (1 - share)) == pytest.approx(oracle)


def test_nothing_to_split_is_not_odd():
    assert chance_of_split(0, 0, 0) == 1


# Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: 48 of 80 against 56 of 70, two-sided 95 %.
def test_the_highest_worsening_is_newcombes_upper_end():
    assert highest_worsening(Outcomes(48, 80), Outcomes(56, 70), 1, 0.975) == pytest.approx(0.3339, abs=6e-5)
    assert highest_worsening(Outcomes(96, 160), Outcomes(112, 140), 2, 0.975) == pytest.approx(0.3339, abs=6e-5)


@pytest.mark.parametrize(
    "sides", [(Outcomes(), Outcomes(0, 50)), (Outcomes(0, 50), Outcomes()), (Outcomes(), Outcomes())]
)
def test_a_track_without_events_may_be_worse_by_all(sides):
    assert highest_worsening(*sides, 1, 0.9) == 1


@pytest.mark.parametrize(("canary", "least", "most"), [(0.04, 0.92, 1), (0.09, 0, 0.15), (0.14, 0, 0.005)])
def test_one_look_passes_equal_canaries_and_hardly_any_bad_one(canary, least, most):
    """Exact over all outcomes of 200 sessions of the canary; stable has twenty times so many, 4 % of them bad."""
    passed = sum(
        float(stats.binom.pmf(bad, 200, canary))
        for bad in range(201)
        if highest_worsening(Outcomes(160, 4000), Outcomes(bad, 200), 1, 0.9) < 0.05
    )
    assert least <= passed <= most
