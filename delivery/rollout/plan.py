"""What is fixed when a canary begins: who is compared with whom, by what, at which shares. Checked when made.

Another candidate is another plan and begins from zero: `key` tells them apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from agentobs.canonical import digest
from agentobs.errors import AgentobsError
from alerts.catalogue import FAMILY_LEVEL
from alerts.statistics import NOTHING, Outcomes
from delivery.rollout.guardrails import GUARDRAILS, TASKS, Effect

WHOLE: Final = 10_000
"""All sessions, in hundredths of a percent."""
SHARES: Final = (100, 500, 2000, 5000, WHOLE)
"""Steps of a canary, in hundredths of a percent of sessions."""
SESSIONS: Final = 200
"""Sessions of the canary that one step needs before anybody asks whether it is good enough."""
SURE: Final = 0.9
"""A canary grows where its worsening is, so surely, less than what is tolerated."""


class RolloutError(AgentobsError):
    """A rollout that cannot begin; the message names what is wrong, what was expected and the fix."""


class Kind(StrEnum):
    """What is wanted of the second track."""

    CANARY = "canary"
    AB = "ab"
    """Two candidates compared, both ways; nothing is promoted."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One version: `dimension` is prompt, tool, model or graph; `name` is the tool's, a graph has no agent.

    In a lock no agent or name means any, and the dimension release means a release as a whole.
    """

    agent: str
    dimension: str
    version: str
    name: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.agent, self.dimension, self.name, self.version)))

    def locks(self, other: "Version") -> bool:
        """Whether this, in a lock, speaks of the other one."""
        of_same = (self.dimension, self.version) == (other.dimension, other.version)
        return of_same and self.agent in {"", other.agent} and self.name in {"", other.name}


@dataclass(frozen=True, slots=True)
class Watched:
    """A guardrail with series: what stable did before, and beyond which bound an event of a histogram is bad."""

    past: Outcomes = NOTHING
    bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A canary or an A/B comparison. Raises RolloutError.

    `candidate` and `stable` are ids of releases, `changes` the versions in which they differ, `began` unix seconds from
    which events count. `watched` are the guardrails that had series (`query.prove`). Tasks of a session are alike:
    `tasks_per_session` and `correlation` say by how much less than single ones they prove (`alerts.statistics`). Too
    few of them assumed, and one healthy canary in five is rolled back (`make bench-canary`), so nothing is assumed.
    """

    id: str
    environment: str
    candidate: str
    stable: str
    began: float
    changes: tuple[Version, ...]
    watched: Mapping[str, Watched]
    tasks_per_session: float
    kind: Kind = Kind.CANARY
    shares: tuple[int, ...] = SHARES
    sessions: int = SESSIONS
    correlation: float = 0.3

    def __post_init__(self) -> None:
        if self.candidate == self.stable:
            self._refuse(f"its candidate {self.candidate} is the stable release", "another release")
        if not self.shares or any(before >= after for before, after in pairwise(self.shares)):
            self._refuse(f"its shares are {self.shares}", "at least one, each larger than the one before")
        for share in self.shares:
            check_share(self.id, share)
        unknown = sorted(set(self.watched) - set(GUARDRAILS))
        if unknown:
            self._refuse(f"nothing is guarded by {', '.join(unknown)}", f"some of {', '.join(GUARDRAILS)}")
        if TASKS not in self.watched:
            self._refuse(f"{TASKS} has no series in {self.environment}", "traffic that reports tasks; look with `why`")
        if self.tasks_per_session < 1 or not 0 <= self.correlation <= 1 or self.sessions < 1:
            self._refuse("its sample makes no sense", "at least one session and task each, and a correlation of 0 to 1")

    def _refuse(self, what: str, expected: str) -> None:
        raise RolloutError(f"canary {self.id}: {what}; expected {expected}")

    @property
    def key(self) -> str:
        """What a state belongs to: 12 hex digits of what is compared."""
        changes = [str(change) for change in sorted(self.changes)]
        return digest([self.id, self.environment, self.candidate, self.stable, self.kind, changes])[:12]

    @property
    def agents(self) -> tuple[str, ...]:
        """Whose versions it changes."""
        return tuple(sorted({change.agent for change in self.changes} - {""}))

    def level(self, effect: Effect) -> float:
        """How often one guardrail may break where nothing is worse, so that all of an effect together keep theirs."""
        alike = sum(GUARDRAILS[key].effect is effect for key in self.watched)
        return FAMILY_LEVEL / max(1, alike) / (2 if self.kind is Kind.AB else 1)

    def next_share(self, share: int) -> int | None:
        """The next step; None where it is for all, which is a promotion."""
        return next((larger for larger in self.shares if share < larger < WHOLE), None)


def check_share(canary: str, share: float) -> None:
    """Raise RolloutError for what is no share of sessions in hundredths of a percent."""
    if not (float(share).is_integer() and 1 <= share <= WHOLE):
        raise RolloutError(
            f"canary {canary}: a share of {share / 100:g} % cannot be; expected 0.01 % to 100 % in steps of 0.01 %"
        )


def check_allowed(plan: Plan, locked: Iterable[Version]) -> None:
    """Raise RolloutError where a canary would bring back a version that was rolled back."""
    wanted = [*plan.changes, Version("", "release", plan.candidate)]
    found = sorted({lock for lock in locked for version in wanted if lock.locks(version)})
    if found:
        named = ", ".join(map(str, found))
        raise RolloutError(
            f"canary {plan.id}: {named} was rolled back in {plan.environment} and is locked; expected another version;"
            " fix: release a new version, or lift the lock with `agentobs release unlock` when you know why"
        )
