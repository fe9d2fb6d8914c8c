"""Make a release the stable one."""

from dataclasses import dataclass
from typing import Any, ClassVar

from delivery.environments.library import Library
from delivery.environments.operations.base import Operation, require_thawed, require_unlocked
from delivery.environments.state import Stable, State
from delivery.errors import ConflictError, RefusedError


@dataclass(frozen=True, kw_only=True)
class Promote(Operation):
    """`release` becomes stable for every session; overrides of the old one go. `expect` is the one it replaces."""

    kind: ClassVar[str] = "promote"
    release: str
    expect: str | None = None

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError while another canary runs; that of this very release ends with it."""
        require_thawed(state, library.environment)
        release = library.release(self.release)
        require_unlocked(state, release, library.environment)
        now = state.stable.release if state.stable else None
        if state.stable == Stable(release=self.release):
            raise RefusedError(f"{self.release} is the stable release of {library.environment} already")
        if self.expect is not None and now != self.expect:
            raise ConflictError(
                f"{library.environment} runs {now or 'nothing'} by now, not {self.expect}; look, then again"
            )
        if state.canary is not None and state.canary.release != self.release:
            raise RefusedError(
                f"{state.canary.kind} {state.canary.id} of {state.canary.release} is active; fix: agentobs release end"
                f" -e {library.environment}, then promote"
            )
        return state.model_copy(update={"stable": Stable(release=self.release), "canary": None})

    @property
    def details(self) -> dict[str, Any]:
        """The release, and the one it replaces."""
        return {"release": self.release, **({"from": self.expect} if self.expect else {})}
