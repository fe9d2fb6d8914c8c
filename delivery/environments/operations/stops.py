"""Stop and go on: kill and resume, freeze and thaw, lock and unlock. A kill always merges with what others did."""

from dataclasses import dataclass
from typing import Any, ClassVar

from delivery.environments.library import Library
from delivery.environments.operations.base import Operation, with_locks
from delivery.environments.state import Killed, Lock, State
from delivery.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Target:
    """What is killed: an agent, a tool, or everything (neither)."""

    agent: str | None = None
    tool: str | None = None

    @property
    def title(self) -> str:
        """In words."""
        return self.agent or (f"tool {self.tool}" if self.tool else "all agents")

    @property
    def details(self) -> dict[str, Any]:
        """For the history."""
        found = {"agent": self.agent, "tool": self.tool}
        return {key: value for key, value in found.items() if value} or {"all": True}


@dataclass(frozen=True, kw_only=True)
class Kill(Operation):
    """No agent takes another step of the target. Allowed always, also for what no release names."""

    kind: ClassVar[str] = "kill"
    target: Target

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """What was killed before keeps its first mark."""
        killed, target = state.killed, self.target
        if target.agent:
            update: dict[str, Any] = {"agents": {target.agent: self.mark, **killed.agents}}
        elif target.tool:
            update = {"tools": {target.tool: self.mark, **killed.tools}}
        else:
            update = {"everything": killed.everything or self.mark}
        return state.model_copy(update={"killed": killed.model_copy(update=update)})

    @property
    def details(self) -> dict[str, Any]:
        """The target."""
        return self.target.details


@dataclass(frozen=True, kw_only=True)
class Resume(Operation):
    """Lift the kill of exactly this target; another one that covers it stays."""

    kind: ClassVar[str] = "resume"
    target: Target

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError where it is not killed by itself."""
        killed, target = state.killed, self.target
        if target.agent in killed.agents:
            update: dict[str, Any] = {"agents": {k: v for k, v in killed.agents.items() if k != target.agent}}
        elif target.tool in killed.tools:
            update = {"tools": {k: v for k, v in killed.tools.items() if k != target.tool}}
        elif target == Target() and killed.everything is not None:
            update = {"everything": None}
        else:
            raise RefusedError(
                f"{target.title} is not killed by itself; killed: {', '.join(names(killed)) or 'nothing'}"
            )
        return state.model_copy(update={"killed": killed.model_copy(update=update)})

    @property
    def details(self) -> dict[str, Any]:
        """The target."""
        return self.target.details


@dataclass(frozen=True, kw_only=True)
class Freeze(Operation):
    """Nothing new starts; rollback and kill still work."""

    kind: ClassVar[str] = "freeze"

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError where it is frozen already."""
        if state.frozen is not None:
            raise RefusedError(f"{library.environment} is frozen already, by {state.frozen.by}: {state.frozen.reason}")
        return state.model_copy(update={"frozen": self.mark})

    @property
    def details(self) -> dict[str, Any]:
        """Nothing more."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Thaw(Operation):
    """End a freeze."""

    kind: ClassVar[str] = "thaw"

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError where nothing is frozen."""
        if state.frozen is None:
            raise RefusedError(f"{library.environment} is not frozen")
        return state.model_copy(update={"frozen": None})

    @property
    def details(self) -> dict[str, Any]:
        """Nothing more."""
        return {}


@dataclass(frozen=True, kw_only=True)
class LockOut(Operation):
    """Lock a version, before it runs or after."""

    kind: ClassVar[str] = "lock"
    lock: Lock

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """A lock that is there already stays as it is."""
        return state.model_copy(update={"locked": with_locks(state, [self.lock])})

    @property
    def details(self) -> dict[str, Any]:
        """The lock, without its mark, which is the operation's."""
        return {key: value for key, value in self.lock.content.items() if key != "mark"}


@dataclass(frozen=True, kw_only=True)
class Unlock(Operation):
    """Allow a version again. Only a person does that."""

    kind: ClassVar[str] = "unlock"
    lock: Lock

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError where there is no such lock, and for machines."""
        if self.request.automatic:
            raise RefusedError("only a person unlocks a version")
        left = [lock for lock in state.locked if not lock.same(self.lock)]
        if len(left) == len(state.locked):
            there = "; ".join(lock.title for lock in state.locked) or "nothing"
            raise RefusedError(f"{self.lock.title} is not locked in {library.environment}; locked: {there}")
        return state.model_copy(update={"locked": left})

    @property
    def details(self) -> dict[str, Any]:
        """The lock, without its mark."""
        return {key: value for key, value in self.lock.content.items() if key != "mark"}


def names(killed: Killed) -> list[str]:
    """What is killed, in words."""
    everything = ["all agents"] if killed.everything else []
    return [*everything, *sorted(killed.agents), *(f"tool {tool}" for tool in sorted(killed.tools))]
