"""The guide to canaries says what the code does: its example, computed again, and made-up canaries as it promises."""

import re
from pathlib import Path

import numpy as np
import pytest
from support.canaries import Played, World, plan, play

from alerts.statistics import HARMS, Outcomes, SafeTest, highest_worsening
from delivery.rollout import SHARES, Action
from delivery.rollout.plan import SESSIONS, SURE

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "canary.md").read_text()
FIVE = ("task_success", "agent_success", "tool_success", "evaluation_pass", "hallucination")


def _counts(cell: str) -> Outcomes:
    return Outcomes(*map(float, cell.split(" of ")))


def test_the_example_of_the_guide_is_what_is_computed():
    head, *rows = re.findall(r"^\| (?:look|\d) \| .*$", GUIDE, re.MULTILINE)
    assert head.split("|")[5:10] == [f" {harm * 100:g} " for harm in HARMS]
    test = SafeTest(Outcomes(20, 500))
    for row in rows:
        _, _, stable, canary, share, *bets, e_value, _ = (cell.strip() for cell in row.split("|"))
        assert share == f"{100 * test.predicted:.2f} %"
        test = test.after(_counts(stable), _counts(canary))
        assert bets == [f"{np.exp(nats):.1f}" for nats in test.nats]
        assert e_value == f"{test.e_value():.1f}"
    assert len(rows) == 5


@pytest.mark.parametrize("bad", [9, 14])
def test_the_bounds_of_the_guide_are_what_is_computed(bad):
    bound = highest_worsening(Outcomes(152, 3800), Outcomes(bad, SESSIONS), 1, SURE)
    assert f"{bad} of 200 is at most {100 * bound:.1f} points" in " ".join(GUIDE.split())
    assert f"({', '.join(f'{share // 100}' for share in SHARES[:-1])} % of sessions" in GUIDE


def played(canary: float, *keys: str, count: int = 100) -> list[Played]:
    """Four tasks a second, so that a canary is through in half an hour."""
    world = World(0.04, canary, per_minute=240)
    return [play(world, plan(*keys), np.random.default_rng(seed), looks=240) for seed in range(count)]


def _number(all_: list[Played], action: Action) -> int:
    return sum(each.decision.action is action for each in all_)


def test_hardly_a_healthy_canary_is_rolled_back_and_most_can_be_promoted():
    healthy = played(0.04, count=200)
    assert _number(healthy, Action.ROLL_BACK) <= 2
    assert _number(healthy, Action.PROMOTABLE) >= 180
    assert _number(healthy, Action.END) == 0
    assert {each.shares for each in healthy if each.decision.action is Action.PROMOTABLE} == {(500, 2000, 5000)}


@pytest.mark.parametrize(("canary", "tasks"), [(0.5, 25), (0.2, 105)])
def test_a_broken_canary_is_rolled_back_within_few_tasks(canary, tasks):
    broken = played(canary, *FIVE, count=60)
    assert _number(broken, Action.ROLL_BACK) == 60
    assert np.quantile([each.tasks for each in broken], 0.9) <= tasks


@pytest.mark.parametrize(("canary", "most"), [(0.09, 15), (0.14, 0)])
def test_hardly_a_canary_that_is_too_bad_can_be_promoted(canary, most):
    assert _number(played(canary), Action.PROMOTABLE) <= most
