"""A second release beside the stable one: start it, change its share, end it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from delivery.environments.library import Library
from delivery.environments.operations.base import Operation, require_thawed, require_unlocked, with_locks
from delivery.environments.state import WHOLE, Lock, Split, SplitKind, State
from delivery.errors import ConflictError, RefusedError
from delivery.releases.diff import Change, changes


@dataclass(frozen=True, kw_only=True)
class Start(Operation):
    """Give `share` (in 1/10,000) of the sessions to `release`. Every start has an id and counts of its own."""

    kind: ClassVar[str] = "start"
    release: str
    share: int
    split: SplitKind = SplitKind.CANARY

    def apply(self, state: State, library: Library, number: int) -> State:
        """RefusedError for what runs already, and beside another one."""
        require_thawed(state, library.environment)
        require_share(self.share)
        release = library.release(self.release)
        require_unlocked(state, release, library.environment)
        if not changes(library.running(state), release):
            raise RefusedError(
                f"release {self.release} pins what runs in {library.environment} already: nothing to compare"
            )
        if state.canary is not None:
            raise RefusedError(
                f"{state.canary.kind} {state.canary.id} of {state.canary.release} is active; fix: agentobs release end"
                f" -e {library.environment}, then start the other one"
            )
        id_ = f"{self.split[0]}{number}"
        split = Split(
            id=id_, kind=self.split, release=self.release, share=self.share, salt=id_, started=self.request.at
        )
        return state.model_copy(update={"canary": split})

    @property
    def details(self) -> dict[str, Any]:
        """Release, share, kind."""
        return {"release": self.release, "share": self.share, "split": self.split.value}


@dataclass(frozen=True, kw_only=True)
class Share(Operation):
    """Give the running canary another share; sessions that have it keep it where the share grows."""

    kind: ClassVar[str] = "share"
    split_id: str
    share: int

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError while frozen where it grows."""
        require_share(self.share)
        split = running_split(state, self.split_id, library.environment)
        if self.share > split.share:
            require_thawed(state, library.environment)
        return state.model_copy(update={"canary": split.model_copy(update={"share": self.share})})

    @property
    def details(self) -> dict[str, Any]:
        """Which, and the share."""
        return {"split": self.split_id, "share": self.share}


@dataclass(frozen=True, kw_only=True)
class End(Operation):
    """End the second release: every session is stable again. `lock`: what it changed must not come back by itself."""

    kind: ClassVar[str] = "end"
    split_id: str
    lock: bool = False

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """Locks the one version that it changed, or the whole release where it changed several."""
        split = running_split(state, self.split_id, library.environment)
        ended = state.model_copy(update={"canary": None})
        if not self.lock:
            return ended
        found = changes(library.running(state), library.release(split.release))
        return ended.model_copy(update={"locked": with_locks(state, [self._lock(split, found)])})

    def _lock(self, split: Split, found: list[Change]) -> Lock:
        if len(found) == 1 and (after := found[0].after) is not None:
            one = found[0]
            return Lock(dimension=one.dimension, version=after.version, agent=one.agent, name=one.tool, mark=self.mark)
        return Lock(dimension="release", version=split.release, mark=self.mark)

    @property
    def details(self) -> dict[str, Any]:
        """Which, and whether it locks."""
        return {"split": self.split_id, "lock": self.lock}


def require_share(share: int) -> None:
    """Raise RefusedError for a share that is none."""
    if not 1 <= share <= WHOLE:
        raise RefusedError(f"a share of {share / 100:g} % is none; expected 0.01 to 100 %, in steps of 0.01 %")


def running_split(state: State, id_: str, environment: str) -> Split:
    """The running canary of that id. Raises ConflictError where there is none, or another one."""
    if state.canary is None:
        raise ConflictError(f"no canary runs in {environment} any more (asked for {id_})")
    if state.canary.id != id_:
        raise ConflictError(f"{environment} runs {state.canary.id} of {state.canary.release} by now, not {id_}")
    return state.canary
