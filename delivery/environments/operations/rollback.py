"""Take one dimension back to a version that ran before, or the whole release; the other dimensions stay."""

from dataclasses import dataclass
from typing import Any, ClassVar

from delivery.environments.library import Library, Place, locks
from delivery.environments.operations.base import Operation, require_unlocked, with_locks
from delivery.environments.state import Lock, Override, Stable, State
from delivery.errors import ConflictError, DeliveryError, RefusedError
from delivery.releases import GraphPin, ModelPin, PromptPin, Release, ToolPin
from delivery.releases.diff import Pin


@dataclass(frozen=True, kw_only=True)
class RollBack(Operation):
    """Set `place` to version `to`. `expect` is the version that it replaces: another one there is a conflict.

    The version that goes is locked. A canary that runs it ends with it. Works while the environment is frozen.
    Tools of one server and version are one program: they go back together.
    """

    kind: ClassVar[str] = "rollback"
    place: Place
    to: str
    expect: str | None = None

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError where the target is unknown, ambiguous or locked, or runs already."""
        running = library.running(state)
        now = self.place.pins(running)
        self._check(state, {pin.version for pin in now.values()})
        library.earlier(self.place, self.to)
        stable = _stable(state)
        base = library.release(stable.release)
        gone = {pin.version for pin in now.values()} - {self.to}
        new: list[Lock] = []
        for place in library.together(self.place, running, self.to):
            pin = library.earlier(place, self.to)
            for agent in place.users(running):
                stable = override(stable, base, Place(place.dimension, agent, place.tool), pin)
            new += [self._lock(place, version) for version in sorted(gone)]
        update = {"stable": stable, "locked": with_locks(state, new)}
        return state.model_copy(update=update | self._canary(state, library, gone))

    def _check(self, state: State, now: set[str]) -> None:
        if now == {self.to}:
            raise RefusedError(f"{self.place.title} is {self.to} already")
        if self.expect is not None and self.expect not in now:
            raise ConflictError(
                f"{self.place.title} is {', '.join(sorted(now))} by now, not {self.expect}; look, then again"
            )
        if found := locks(state, self.place, self.to):
            raise RefusedError(
                f"{found[0].title} is locked since {found[0].mark.at}: {found[0].mark.reason}; name another"
            )

    def _lock(self, place: Place, version: str) -> Lock:
        return Lock(dimension=place.dimension, version=version, agent=place.agent, name=place.tool, mark=self.mark)

    def _canary(self, state: State, library: Library, gone: set[str]) -> dict[str, None]:
        """A canary that runs what is taken back must not bring it back."""
        if state.canary is None:
            return {}
        try:
            there = {pin.version for pin in self.place.pins(library.release(state.canary.release)).values()}
        except DeliveryError:
            return {}
        return {"canary": None} if there & gone else {}

    @property
    def details(self) -> dict[str, Any]:
        """The place, and both versions."""
        place = {"dimension": self.place.dimension.value, "agent": self.place.agent, "tool": self.place.tool}
        both = {"from": self.expect, "to": self.to}
        return {key: value for key, value in {**place, **both}.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class RollBackRelease(Operation):
    """Go back to a whole release that ran before; overrides and a canary go, the release that goes is locked."""

    kind: ClassVar[str] = "rollback"
    to: str
    expect: str | None = None

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """RefusedError where the target is unknown or locked, or runs already."""
        stable = _stable(state)
        release = library.release(self.to)
        if stable == Stable(release=self.to):
            raise RefusedError(f"{self.to} runs in {library.environment} already")
        if self.expect is not None and stable.release != self.expect:
            raise ConflictError(
                f"{library.environment} runs {stable.release} by now, not {self.expect}; look, then again"
            )
        require_unlocked(state, release, library.environment)
        gone = [] if stable.release == self.to else [stable.release]
        new = [Lock(dimension="release", version=version, mark=self.mark) for version in gone]
        update = {"stable": Stable(release=self.to), "canary": None, "locked": with_locks(state, new)}
        return state.model_copy(update=update)

    @property
    def details(self) -> dict[str, Any]:
        """Both releases."""
        return {"dimension": "release", "to": self.to, **({"from": self.expect} if self.expect else {})}


def override(stable: Stable, base: Release, place: Place, pin: Pin) -> Stable:
    """`stable` with a pin at a place of one agent, or of the graph; what its release says anyway is no override."""
    if isinstance(pin, GraphPin):
        return stable.model_copy(update={"graph": None if pin == base.graph else pin})
    agent = place.agent or ""
    old = stable.overrides.get(agent, Override())
    own = base.agent(agent)
    match pin:
        case PromptPin():
            new = old.model_copy(update={"prompt": None if pin == own.prompt else pin})
        case ModelPin():
            new = old.model_copy(update={"model": None if pin == own.model else pin})
        case ToolPin():
            tool = place.tool or ""
            tools = {**old.tools, tool: pin}
            kept = {name: each for name, each in tools.items() if each != own.tools.get(name)}
            new = old.model_copy(update={"tools": kept})
    others = {name: each for name, each in stable.overrides.items() if name != agent}
    return stable.model_copy(update={"overrides": others if new == Override() else {**others, agent: new}})


def _stable(state: State) -> Stable:
    if state.stable is None:
        raise RefusedError("nothing runs yet, so there is nothing to take back")
    return state.stable
