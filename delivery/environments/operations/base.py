"""What every operation says of itself: who, which way, why; and what it makes of a state."""

import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from delivery.environments.library import Library, locked_in
from delivery.environments.state import Lock, Mark, State
from delivery.errors import RefusedError
from delivery.releases import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who wants it, when (RFC 3339, UTC), by which way and why. A second request of the same id does nothing more."""

    by: str
    at: str
    reason: str
    via: str = "cli"
    alert: str | None = None
    automatic: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def mark(self) -> Mark:
        """As it is written beside what it did."""
        return Mark(by=self.by, at=self.at, reason=self.reason)


@dataclass(frozen=True, kw_only=True)
class Operation(ABC):
    """A typed change of what runs. Pure: it is tried again on a newer state where somebody was first."""

    kind: ClassVar[str]
    records: ClassVar[bool] = False
    """Whether it belongs into the history although it changes nothing."""
    request: Request

    @abstractmethod
    def apply(self, state: State, library: Library, number: int) -> State:
        """The state after it; `number` is that of the revision it makes.

        Raises RefusedError where it is not allowed, ConflictError where what it was to replace is not there any more.
        """

    @property
    @abstractmethod
    def details(self) -> dict[str, Any]:
        """What it sets, for the history."""

    @property
    def mark(self) -> Mark:
        """Who did it."""
        return self.request.mark


def require_thawed(state: State, environment: str) -> None:
    """Raise RefusedError where nothing new may start."""
    if state.frozen is not None:
        raise RefusedError(
            f"{environment} is frozen since {state.frozen.at} by {state.frozen.by}: {state.frozen.reason}; rollback and"
            f" kill still work; fix: agentobs release thaw -e {environment}"
        )


def require_unlocked(state: State, release: Release, environment: str) -> None:
    """Raise RefusedError where a release pins what was rolled back."""
    found = locked_in(state, release)
    if found:
        first = found[0]
        raise RefusedError(
            f"release {release.id} has {first.title}, which is locked since {first.mark.at} by {first.mark.by}:"
            f" {first.mark.reason}; fix: a release without it, or {first.unlocks(environment)}"
        )


def with_locks(state: State, new: list[Lock]) -> list[Lock]:
    """The locks of a state and new ones, each once."""
    fresh = [lock for lock in new if not any(lock.same(old) for old in state.locked)]
    return [*state.locked, *fresh]
