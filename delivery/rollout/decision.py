"""What is decided about a canary at one look, with its reasons and numbers, as it is stored and shown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter

from alerts.catalogue import Severity
from alerts.statistics import Outcomes
from delivery.rollout.guardrails import Effect


class Action(StrEnum):
    """What to do."""

    HOLD = "hold"
    """Leave the share as it is."""
    ADVANCE = "advance"
    """Move to `Decision.share`."""
    PROMOTABLE = "promotable"
    """The last step was good enough: whoever may promote, may."""
    PAUSE = "pause"
    """Leave the share as it is until a person has looked."""
    END = "end"
    """Take the canary away; nobody is to blame, and nothing is locked."""
    ROLL_BACK = "roll back"
    """Take the canary away, and lock what it changed."""


FINAL: Final = (Action.END, Action.ROLL_BACK)
"""After one of these nothing else is decided, however the counts go on."""


class Standing(StrEnum):
    """How one guardrail does."""

    GOOD = "good enough"
    OPEN = "not decided"
    WORSE = "worse"
    BOTH_BAD = "bad on both tracks"
    SILENT = "silent"
    MISSING = "no series"
    ACCEPTED = "accepted by a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One guardrail at one look: counts since the canary began, and how sure what is.

    `e_value` says how many times more likely the counts are if the canary is worse, `needed` from which on it is called
    so; `better` is the other way round (A/B). `bound`: the worsening is surely (`plan.SURE`) less. `at_once`: one bad
    event of the canary is enough.
    """

    key: str
    effect: Effect
    standing: Standing
    stable: Outcomes
    canary: Outcomes
    design_effect: float
    e_value: float
    needed: float
    bound: float
    tolerance: float
    better: float | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, why, and what is still missing.

    `notify` is whether people are told, and how; `lock`: what the canary changed must not come back by itself.
    """

    action: Action
    share: int
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    sessions: float = 0.0
    sessions_needed: float = 0.0
    notify: Severity | None = None
    lock: bool = False

    def document(self) -> dict[str, Any]:
        """The form that is stored with a revision, and that `status` shows."""
        return dict(_DECISION.dump_python(self, mode="json"))


_DECISION: Final = TypeAdapter(Decision)
