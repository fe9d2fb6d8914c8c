"""What runs in one environment, as its page shows it: per agent the four dimensions, and what each may go back to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from delivery.controller.followers import Follower
from delivery.environments.effective import effective
from delivery.environments.library import Library, Place
from delivery.environments.state import Mark, Revision, Stable, State
from delivery.errors import DeliveryError, RefusedError
from delivery.releases import Dim, Release
from delivery.releases.diff import Pin
from delivery.store import Store

_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One dimension of one agent: what runs, what the release says where that is another, what the canary has."""

    place: Place
    version: str
    name: str = ""
    released: str | None = None
    canary: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One agent. `killed` is by itself."""

    agent: str
    prompt: Cell
    model: Cell
    tools: list[Cell]
    killed: Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool, its versions, and who uses it."""

    name: str
    versions: list[str]
    users: list[str]
    previous: str | None
    killed: Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An environment now. `earlier` are the ids of other releases that were stable here, the latest first."""

    release: Release
    graph: Cell
    rows: list[Row]
    tools: list[Tool]
    candidate: Release | None
    earlier: list[str]


def running(store: Store, head: Revision) -> Running | None:
    """What runs; None where nothing was promoted yet. Raises DeliveryError."""
    if head.stable is None:
        return None
    base = store.release(head.stable.release)
    candidate = store.release(head.canary.release) if head.canary else None
    library = _Remembering(store, head.environment)
    view = _View(library, head.state, base, effective(base, head.stable), candidate)
    return Running(
        release=base,
        graph=view.cell(Place(Dim.GRAPH)),
        rows=[view.row(agent) for agent in sorted(view.now.agents)],
        tools=[*view.tools()],
        candidate=candidate,
        earlier=[id_ for id_ in library.releases() if id_ != head.stable.release],
    )


class _Remembering(Library):
    """Reads the history once for all cells of a page. What is offered to go back to is what ran here, nothing else."""

    def __init__(self, store: Store, environment: str) -> None:
        super().__init__(store, environment)
        self._ran: list[Release] | None = None
        self._known: list[Stable] | None = None
        self._history = store

    def ran(self) -> Iterator[Release]:
        """What ran here as stable, newest first."""
        if self._ran is None:
            self._ran = [effective(self.release(each.release), each) for each in self._stables()]
        yield from self._ran

    def releases(self) -> list[str]:
        """The releases that were stable here, newest first."""
        return [*dict.fromkeys(each.release for each in self._stables())]

    def _stables(self) -> list[Stable]:
        if self._known is None:
            found = (one.stable for one in self._history.history(self.environment))
            self._known = [*{each.digest: each for each in found if each is not None}.values()]
        return self._known


@dataclass(frozen=True, slots=True)
class _View:
    library: Library
    state: State
    base: Release
    now: Release
    candidate: Release | None

    def row(self, agent: str) -> Row:
        tools = [self.cell(Place(Dim.TOOL, agent, tool)) for tool in sorted(self.now.agents[agent].tools)]
        return Row(
            agent=agent,
            prompt=self.cell(Place(Dim.PROMPT, agent)),
            model=self.cell(Place(Dim.MODEL, agent)),
            tools=tools,
            killed=self.state.killed.agents.get(agent),
        )

    def cell(self, place: Place) -> Cell:
        pin, base = _pin(self.now, place), _pin(self.base, place)
        other = _pin(self.candidate, place) if self.candidate else None
        return Cell(
            place=place,
            version=pin.version if pin else "none",
            name=_name(place, pin),
            released=base.version if base and base != pin else None,
            canary=(other.version if other else "none") if self.candidate and other != pin else None,
            previous=self._previous(place),
        )

    def tools(self) -> Iterator[Tool]:
        for name in sorted({tool for pins in self.now.agents.values() for tool in pins.tools}):
            users = self.now.users_of(name)
            versions = sorted({self.now.agents[user].tools[name].version for user in users})
            previous = self._previous(Place(Dim.TOOL, None, name))
            killed = self.state.killed.tools.get(name)
            yield Tool(name=name, versions=versions, users=users, previous=previous, killed=killed)

    def _previous(self, place: Place) -> str | None:
        try:
            return self.library.previous(place, self.state)
        except (RefusedError, DeliveryError):
            return None


def _pin(release: Release, place: Place) -> Pin | None:
    try:
        return next(iter(place.pins(release).values()))
    except DeliveryError:
        return None


def _name(place: Place, pin: Pin | None) -> str:
    """What a version is one of, where the column does not say it."""
    match place.dimension:
        case Dim.TOOL:
            return place.tool or ""
        case Dim.GRAPH:
            return getattr(pin, "workflow", "")
        case Dim.PROMPT:
            name = getattr(pin, "name", "")
            return "" if name == place.agent else name
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """The agents that follow an environment, in short."""

    count: int
    behind: int
    deaf: list[Follower]
    more_deaf: int


def following(found: list[Follower], head: int) -> Following:
    """How many there are, how many hold an older revision, and who is deaf."""
    deaf = [one for one in found if one.deaf]
    behind = sum(one.revision != head for one in found if not one.deaf)
    return Following(count=len(found), behind=behind, deaf=deaf[:_SHOWN], more_deaf=max(0, len(deaf) - _SHOWN))
