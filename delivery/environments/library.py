"""What an operation may look up: releases, and which version ran here before."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from delivery.environments.effective import effective, pin_of
from delivery.environments.state import Lock, State
from delivery.errors import DeliveryError, RefusedError
from delivery.releases import Dim, Release
from delivery.releases.diff import Pin
from delivery.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """Whose version of what: an agent's prompt, a tool of one agent or of all (no agent), the graph (neither)."""

    dimension: Dim
    agent: str | None = None
    tool: str | None = None

    @property
    def title(self) -> str:
        """In words."""
        what = f"tool {self.tool}" if self.dimension is Dim.TOOL else str(self.dimension)
        return f"{what} of {self.agent}" if self.agent else what

    def users(self, release: Release) -> list[str | None]:
        """The agents it is about in a release. Raises DeliveryError where there is none."""
        if self.dimension is Dim.GRAPH:
            return [None]
        if self.agent is not None:
            release.agent(self.agent)
            return [self.agent]
        found: list[str | None] = [*release.users_of(self.tool or "")]
        if not found:
            tools = sorted({tool for pins in release.agents.values() for tool in pins.tools})
            raise DeliveryError(
                f"no agent of release {release.id} uses a tool {self.tool!r}; tools: {', '.join(tools) or 'none'}"
            )
        return found

    def pins(self, release: Release) -> dict[str | None, Pin]:
        """The pin of each agent it is about."""
        return {agent: pin_of(release, self.dimension, agent, self.tool) for agent in self.users(release)}


class Library:
    """Releases of the store, and the history of one environment."""

    def __init__(self, store: Store, environment: str) -> None:
        self._store = store
        self.environment = environment

    def release(self, id_: str) -> Release:
        """A release by id. Raises DeliveryError."""
        return self._store.release(id_)

    def running(self, state: State) -> Release:
        """What every agent of the stable track runs, overrides in place. Raises RefusedError where nothing runs yet."""
        if state.stable is None:
            raise RefusedError(
                f"nothing runs in {self.environment} yet; fix: agentobs release promote RELEASE -e {self.environment}"
            )
        return effective(self.release(state.stable.release), state.stable)

    def known(self) -> Iterator[Release]:
        """What ran here as stable, newest first, then every other release of the store."""
        yield from self.ran()
        yield from (self.release(id_) for id_ in self._store.releases())

    def ran(self) -> Iterator[Release]:
        """What ran here as stable, newest first."""
        seen: set[str] = set()
        for revision in self._store.history(self.environment):
            if revision.stable is not None and revision.stable.digest not in seen:
                seen.add(revision.stable.digest)
                yield effective(self.release(revision.stable.release), revision.stable)

    def earlier(self, place: Place, version: str) -> Pin:
        """The pin of a version at a place. Raises RefusedError where none is known, or two with other content."""
        found = {pin.digest: pin for pin in _pins(place, self.known()) if pin.version == version}
        if not found:
            known = sorted({pin.version for pin in _pins(place, self.known())})
            raise RefusedError(
                f"no release has version {version} as {place.title}; known: {', '.join(known) or 'none'}"
            )
        if len(found) > 1:
            raise RefusedError(
                f"{place.title}: version {version} has {len(found)} contents in different releases; fix: roll back to"
                " a whole release, and give each content a version of its own"
            )
        return next(iter(found.values()))

    def together(self, place: Place, running: Release, version: str) -> list[Place]:
        """The places that go to a version with this one: for a tool all of its server that have its version now.

        A sibling that the server did not have in that version stays where it is.
        """
        if place.dimension is not Dim.TOOL:
            return [place]
        agents = [agent for agent in place.users(running) if agent is not None]
        pins = [running.agents[agent].tools[place.tool or ""] for agent in agents]
        programs = {(pin.server, pin.version) for pin in pins if pin.server}
        tools = {
            tool
            for agent in agents
            for tool, pin in running.agents[agent].tools.items()
            if (pin.server, pin.version) in programs
        }
        others = (Place(place.dimension, place.agent, tool) for tool in sorted(tools - {place.tool}))
        return [
            place,
            *(other for other in others if any(pin.version == version for pin in _pins(other, self.known()))),
        ]

    def previous(self, place: Place, state: State) -> str:
        """The version that ran at a place before the one that runs, and is not locked. Raises RefusedError."""
        now = {pin.version for pin in place.pins(self.running(state)).values()}
        for pin in _pins(place, self.ran()):
            if pin.version not in now and not locks(state, place, pin.version):
                return pin.version
        raise RefusedError(f"{place.title}: no other version ran in {self.environment}; fix: name one with --to")


def locks(state: State, place: Place, version: str) -> list[Lock]:
    """The locks that forbid a version at a place."""
    return [
        lock
        for lock in state.locked
        if (lock.dimension, lock.version) == (place.dimension, version)
        and lock.agent in {None, place.agent}
        and lock.name in {None, place.tool}
    ]


def locked_in(state: State, release: Release) -> list[Lock]:
    """The locks that forbid a release: of itself, or of a version that it pins."""
    found = [lock for lock in state.locked if lock.dimension == "release" and lock.version == release.id]
    for agent, pins in release.agents.items():
        found += locks(state, Place(Dim.PROMPT, agent), pins.prompt.version)
        found += locks(state, Place(Dim.MODEL, agent), pins.model.version)
        for tool, pin in pins.tools.items():
            found += locks(state, Place(Dim.TOOL, agent, tool), pin.version)
    return found + locks(state, Place(Dim.GRAPH), release.graph.version)


def _pins(place: Place, releases: Iterable[Release]) -> Iterator[Pin]:
    """The pins of a place in releases that have it."""
    for release in releases:
        try:
            yield from place.pins(release).values()
        except DeliveryError:
            continue  # a release without that agent or tool
