"""How often canaries are decided rightly: made-up canaries, each looked at every 15 s by the rules that run.

    make bench-canary                       # 2,000 canaries of each kind
    make bench-canary CANARY="--count 200 --only '96 to'"  # fewer, of the kinds that are called so

A task a second in all, five guardrails that roll back and are independent of each other, as hard as it gets; stable
does 96 % right. The canary begins with 5 %; four hours at most.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
from support.canaries import Played, World, plan, play

from delivery.rollout import Action

FIVE: Final = ("task_success", "agent_success", "tool_success", "evaluation_pass", "hallucination")
_NEVER: Final = 10**9


@dataclass(frozen=True)
class Kind:
    """A kind of canary; `rest` are fields of its plan."""

    name: str
    world: World
    rest: dict[str, Any] = field(default_factory=dict)


_CLUSTERED: Final = {"stable": 0.04, "canary": 0.04, "size": 6, "alike": 0.3}
KINDS: Final = (
    Kind("as good as stable", World(0.04, 0.04)),
    Kind("as good, 5 % for four hours", World(0.04, 0.04), {"sessions": _NEVER}),
    Kind("as good, both get worse, 96 to 70 %", World(0.04, 0.04, drift=0.26), {"sessions": _NEVER}),
    Kind("as good, sessions of 6 tasks that are alike, told", World(**_CLUSTERED), {"tasks_per_session": 6.0}),
    Kind("as good, sessions of 6 tasks that are alike, not told", World(**_CLUSTERED)),
    Kind("96 to 50 %", World(0.04, 0.5)),
    Kind("96 to 80 %", World(0.04, 0.2)),
    Kind("96 to 90 %", World(0.04, 0.1)),
    Kind("2 points worse", World(0.04, 0.06)),
    Kind("5 points worse", World(0.04, 0.09)),
    Kind("10 points worse", World(0.04, 0.14)),
)


def one(kind: Kind, number: int) -> Played:
    """Play one canary; its number is its seed."""
    return play(kind.world, plan(*FIVE, **kind.rest), np.random.default_rng(number))


def _line(kind: Kind, played: list[Played]) -> Iterator[str]:
    by = {action: [each for each in played if each.decision.action is action] for action in Action}
    back = sorted(each.tasks for each in by[Action.ROLL_BACK])
    grown = sum(len(each.shares) > 1 for each in played)
    yield f"{kind.name:54}"
    for part in (len(back), len(by[Action.PROMOTABLE]), len(by[Action.END]), grown):
        yield f"{part / len(played):9.2%}"
    yield f"{np.median(back):7.0f} {np.quantile(back, 0.9):6.0f}" if back else f"{'-':>7} {'-':>6}"


def main() -> None:
    """Play all kinds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="canaries of each kind")
    parser.add_argument("--only", default="", help="part of the name of the kinds to play")
    chosen = parser.parse_args()
    count = chosen.count
    print(f"load {os.getloadavg()[0]:.1f}, {count:,} canaries of each kind, seeds 0 to {count - 1:,}")
    print(f"{'':54}{'rolled':>9}{'may be':>9}{'ended':>9}{'beyond':>9}{'tasks to rollback':>18}")
    print(f"{'canary':54}{'back':>9}{'promoted':>9}{'':>9}{'5 %':>9} {'median':>7} {'p90':>6}")
    begun = time.monotonic()
    with multiprocessing.get_context("fork").Pool() as pool:
        for kind in (kind for kind in KINDS if chosen.only in kind.name):
            print(*_line(kind, pool.map(partial(one, kind), range(count), chunksize=10)), sep="", flush=True)
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
