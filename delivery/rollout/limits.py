"""How often a machine may act by itself, so that two of them cannot swing an environment to and fro."""

from dataclasses import dataclass, replace
from typing import Final

from alerts.catalogue.model import HOUR, MINUTE

AGENT_REST_S: Final = 30 * MINUTE
"""One automatic action for each agent in so long."""
ENVIRONMENT_S: Final = 6 * HOUR
MOST: Final = 2
"""So many automatic actions in an environment within `ENVIRONMENT_S`; then people act."""


@dataclass(frozen=True, slots=True)
class Acted:
    """An automatic action: whom it touched, and how long ago by a monotonic clock."""

    agents: tuple[str, ...]
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The automatic actions of one environment. Time without a controller does not count: limits then last longer."""

    acted: tuple[Acted, ...] = ()

    def after(self, elapsed_s: float) -> "Ledger":
        """So many seconds later; what limits nothing any more is dropped."""
        aged = (replace(one, age_s=one.age_s + elapsed_s) for one in self.acted)
        return Ledger(tuple(one for one in aged if one.age_s < ENVIRONMENT_S))

    def and_now(self, agents: tuple[str, ...]) -> "Ledger":
        """With an action that was just taken."""
        return Ledger((*self.acted, Acted(agents)))

    def refusal(self, agents: tuple[str, ...]) -> str | None:
        """Why the machine may not act now; None where it may."""
        resting = sorted({agent for one in self.acted if one.age_s < AGENT_REST_S for agent in one.agents} & {*agents})
        if resting:
            return f"{', '.join(resting)} had an automatic action in the last {AGENT_REST_S // MINUTE} min"
        if sum(one.age_s < ENVIRONMENT_S for one in self.acted) >= MOST:
            return f"this environment had {MOST} automatic actions in the last {ENVIRONMENT_S // HOUR} h"
        return None
