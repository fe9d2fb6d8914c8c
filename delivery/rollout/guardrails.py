"""Which KPIs guard a canary, and what each may do: from the catalogue, so that no KPI is judged by two rules.

Shares are compared as they are. Of a histogram (seconds, tokens, dollars) the share beyond a bound is compared, the one
that about a twentieth of what is stable exceeded before the canary. Counts per task (agent runs, violations that were
stopped) come in bundles that no test here allows for: they have alerts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agentobs.contract import Label
from alerts.catalogue import CATALOGUE, TASK_SUCCESS, VIOLATIONS_PASSED, Direction, Kpi, Selector, Severity
from alerts.catalogue.attempts import once

LARGE: Final = 0.05
"""Of values of a histogram about so many of the stable ones lie beyond the bound: its 95th percentile."""
LARGE_TOLERANCE: Final = LARGE
"""Twice as many beyond the bound is the worsening that matters."""

LET_THROUGH_TOLERANCE: Final = 0.01
"""Where stable lets violations through as well, one more in a hundred tasks is the worsening that matters."""


class Effect(StrEnum):
    """What a broken guardrail does to a canary."""

    ROLL_BACK = "roll back"
    PAUSE = "pause"
    """It grows no further until a person has looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """One KPI as a share of bad events, of first attempts; `tolerance` is the worsening of that share that matters.

    `at_once`: one bad event of the canary is enough where stable has none, now and in the day before.
    """

    kpi: Kpi
    effect: Effect
    tolerance: float
    at_once: bool = False

    @property
    def key(self) -> str:
        """The KPI's."""
        return self.kpi.key

    @property
    def by_size(self) -> bool:
        """Whether events are bad for being beyond a bound of a histogram."""
        return self.kpi.buckets is not None

    @property
    def counts_good(self) -> bool:
        """Whether the numerator counts good events."""
        return self.kpi.direction is Direction.HIGHER_IS_BETTER

    @property
    def part(self) -> Selector:
        """What is counted of `whole`: good or bad events, or buckets."""
        return self.kpi.buckets or once(self.kpi, self.kpi.numerator)

    @property
    def whole(self) -> Selector:
        """All events."""
        return self.kpi.buckets or once(self.kpi, self.kpi.denominator)

    @property
    def promise(self) -> float | None:
        """The share of bad events that its objective still allows; None where nothing is promised about shares."""
        promised = self.kpi.promise
        return promised if promised is None or not self.counts_good else 1 - promised


def _guardrail(kpi: Kpi) -> Guardrail | None:
    if kpi is VIOLATIONS_PASSED:
        return Guardrail(kpi=kpi, effect=Effect.ROLL_BACK, tolerance=LET_THROUGH_TOLERANCE, at_once=True)
    if not kpi.diagnosed or not kpi.sliced_by((Label.TRACK,)) or not (kpi.is_share or kpi.buckets):
        return None
    effect = Effect.ROLL_BACK if kpi.regression is Severity.PAGE else Effect.PAUSE
    return Guardrail(kpi=kpi, effect=effect, tolerance=LARGE_TOLERANCE if kpi.buckets else kpi.tolerance)


GUARDRAILS: Final = {found.key: found for found in map(_guardrail, CATALOGUE) if found is not None}
"""By key of the KPI."""
TASKS: Final = TASK_SUCCESS.key
"""The guardrail that counts tasks: what tells that a track is alive, and how traffic is split."""
