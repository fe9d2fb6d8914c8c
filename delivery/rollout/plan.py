"""What is fixed when a canary begins: who is compared with whom, by what, at which shares. Checked when made.

Another candidate is another plan and begins from zero: `key` tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from agentobs.canonical import digest
from alerts.catalogue import FAMILY_LEVEL
from alerts.statistics import NOTHING, Outcomes
from delivery.environments.operations.split import require_share
from delivery.environments.state import WHOLE, SplitKind
from delivery.errors import RefusedError
from delivery.releases.diff import Change
from delivery.rollout.guardrails import GUARDRAILS, TASKS, Effect

SHARES: Final = (100, 500, 2000, 5000, WHOLE)
"""Steps of a canary, in hundredths of a percent of sessions."""
SESSIONS: Final = 200
"""Sessions of the canary that one step needs before anybody asks whether it is good enough."""
SURE: Final = 0.9
"""A canary grows where its worsening is, so surely, less than what is tolerated."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A guardrail with series: what stable did before, and beyond which bound an event of a histogram is bad."""

    past: Outcomes = NOTHING
    bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A canary or an A/B comparison. Raises RefusedError.

    `id` is that of the split, `candidate` and `stable` are ids of releases, `changes` what differs from what runs,
    `began` unix seconds from which events count. `watched` are the guardrails that had series (`query.prove`).

    Tasks of a session are alike: `tasks_per_session` and `correlation` say by how much less than single ones they prove
    (`alerts.statistics`). With too few assumed, one healthy canary in five is rolled back, so nothing is assumed.
    """

    id: str
    environment: str
    candidate: str
    stable: str
    began: float
    changes: tuple[Change, ...]
    watched: Mapping[str, Watched]
    tasks_per_session: float
    kind: SplitKind = SplitKind.CANARY
    shares: tuple[int, ...] = SHARES
    sessions: int = SESSIONS
    correlation: float = 0.3

    def __post_init__(self) -> None:
        if self.kind is SplitKind.SHADOW:
            self._refuse("a shadow answers nobody, so nothing is decided about it", "a canary or an A/B comparison")
        if self.candidate == self.stable:
            self._refuse(f"its candidate {self.candidate} is the stable release", "another release")
        if not self.shares or any(before >= after for before, after in pairwise(self.shares)):
            self._refuse(f"its shares are {self.shares}", "at least one, each larger than the one before")
        for share in self.shares:
            require_share(share)
        unknown = sorted(set(self.watched) - set(GUARDRAILS))
        if unknown:
            self._refuse(f"nothing is guarded by {', '.join(unknown)}", f"some of {', '.join(GUARDRAILS)}")
        if TASKS not in self.watched:
            self._refuse(f"{TASKS} has no series in {self.environment}", "traffic that reports tasks; look with `why`")
        if self.tasks_per_session < 1 or not 0 <= self.correlation <= 1 or self.sessions < 1:
            self._refuse("its sample makes no sense", "at least one session and task each, and a correlation of 0 to 1")

    def _refuse(self, what: str, expected: str) -> None:
        raise RefusedError(f"canary {self.id}: {what}; expected {expected}")

    @property
    def key(self) -> str:
        """What a state belongs to: 12 hex digits of what is compared."""
        changes = sorted(change.title for change in self.changes)
        return digest([self.id, self.environment, self.candidate, self.stable, self.kind, changes])[:12]

    @property
    def agents(self) -> tuple[str, ...]:
        """Whose versions it changes."""
        return tuple(sorted({change.agent for change in self.changes if change.agent}))

    def level(self, effect: Effect) -> float:
        """How often one guardrail may break where nothing is worse, so that all of an effect together keep theirs."""
        alike = sum(GUARDRAILS[key].effect is effect for key in self.watched)
        return FAMILY_LEVEL / max(1, alike) / (2 if self.kind is SplitKind.AB else 1)

    def next_share(self, share: int) -> int | None:
        """The next step; None where it is for all, which is a promotion."""
        return next((larger for larger in self.shares if share < larger < WHOLE), None)
