"""What one task runs: the same from its first step to its last, and the one place that calls and labels come from.

    pins = client.pins(session="conversation-17")
    with pins.task(type="refund") as task, pins.agent("planner") as planner:
        with planner.model_call() as call:
            ask(planner.model, planner.prompt.text)
        with planner.tool_call("search"):
            ...

Kill switches are read anew before each agent, model and tool step.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from agentobs import emit
from agentobs.contract import Track
from agentobs.errors import AgentobsError
from agentobs.pins.snapshot import Agent, Killed, Mark, Model, Snapshot, Tool, TrackPins


class KilledError(AgentobsError):
    """A step that may not be taken; `mark` says who stopped it, when and why."""

    def __init__(self, what: str, mark: Mark) -> None:
        super().__init__(f"{what} was stopped at {mark.at} by {mark.by}: {mark.reason}")
        self.mark = mark


class UnknownPinError(AgentobsError):
    """An agent or a tool that the release does not name; it has no version, so it does not run."""


class Holder(Protocol):
    """Who knows what is killed now, and the pinned texts."""

    @property
    def killed(self) -> Killed:
        """What may not run, as of now."""

    def text(self, sha256: str) -> str:
        """A pinned text."""


@dataclass(frozen=True, slots=True)
class PinnedAgent:
    """One agent of a running task, with what it is made of."""

    name: str
    pins: Agent
    release: str
    prompt: emit.Prompt
    _holder: Holder = field(repr=False)

    @property
    def model(self) -> Model:
        """The model to ask, with its parameters."""
        return self.pins.model

    def tool(self, name: str) -> Tool:
        """The pin of a tool. Raises UnknownPinError for one that the release does not give to this agent."""
        if name not in self.pins.tools:
            known = ", ".join(sorted(self.pins.tools)) or "none"
            raise UnknownPinError(
                f"release {self.release} gives no tool {name!r} to {self.name}; its tools: {known}; fix: pin it in the"
                " release"
            )
        return self.pins.tools[name]

    @contextmanager
    def model_call(self, **attempt: Any) -> Iterator[emit.ModelCall]:  # noqa: ANN401 those of emit.model_call
        """`emit.model_call` of the pinned model. Raises KilledError."""
        require_alive(self._holder.killed, self.name)
        with emit.model_call(self.model.id, self.model.provider or "unknown", **attempt) as call:
            yield call

    @contextmanager
    def tool_call(self, name: str, **attempt: Any) -> Iterator[emit.ToolCall]:  # noqa: ANN401 those of emit.tool_call
        """`emit.tool_call` of the pinned version. Raises KilledError, UnknownPinError."""
        version = self.tool(name).version
        require_alive(self._holder.killed, self.name, name)
        with emit.tool_call(name, version=version, **attempt) as call:
            yield call


@dataclass(frozen=True, slots=True)
class Pins:
    """What one task runs. Made by `Client.pins`; it never changes."""

    session: str | None
    track: Track
    track_pins: TrackPins
    shadow: TrackPins | None
    revision: int
    _holder: Holder = field(repr=False)

    @classmethod
    def of(cls, snapshot: Snapshot, session: str | None, holder: Holder) -> "Pins":
        """Choose the track of a session. A shadow runs beside the stable track, never instead of it."""
        split = snapshot.split
        chosen = split is not None and session is not None and split.has(session)
        if not chosen or split is None or snapshot.other is None:
            return cls(session, Track.STABLE, snapshot.stable, None, snapshot.revision, holder)
        if split.track is Track.SHADOW:
            return cls(session, Track.STABLE, snapshot.stable, snapshot.other, snapshot.revision, holder)
        return cls(session, split.track, snapshot.other, None, snapshot.revision, holder)

    @property
    def release(self) -> str:
        """Id of the release."""
        return self.track_pins.release

    @property
    def graph(self) -> str:
        """Version of the graph."""
        return self.track_pins.graph

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The pins of every agent."""
        return self.track_pins.agents

    def require_alive(self, agent: str | None = None, tool: str | None = None) -> None:
        """Raise KilledError where this step may not be taken now: before each agent, model and tool step."""
        require_alive(self._holder.killed, agent, tool)

    def as_shadow(self) -> "Pins | None":
        """The pins to run a copy of this task's input with, whose answer is dropped; None for most sessions."""
        if self.shadow is None:
            return None
        return Pins(self.session, Track.SHADOW, self.shadow, None, self.revision, self._holder)

    def pinned(self, name: str) -> PinnedAgent:
        """One agent without a span. Raises UnknownPinError for one that the release does not name."""
        if name not in self.agents:
            known = ", ".join(sorted(self.agents))
            raise UnknownPinError(
                f"release {self.release} has no agent {name!r}; it has {known}; fix: a release that pins it"
            )
        pins = self.agents[name]
        prompt = emit.Prompt(pins.prompt.name, pins.prompt.version, text=self._holder.text(pins.prompt.sha256))
        return PinnedAgent(name, pins, self.release, prompt, self._holder)

    @contextmanager
    def task(self, *, type: str, **more: Any) -> Iterator[emit.Task]:  # noqa: A002, ANN401 as in emit.task
        """`emit.task` of the pinned workflow and graph, with track and release on everything inside."""
        require_alive(self._holder.killed)
        more.setdefault("conversation_id", self.session)
        with emit.task(
            workflow=self.track_pins.workflow,
            type=type,
            graph_version=self.graph,
            track=self.track,
            release=self.release,
            **more,
        ) as task:
            yield task

    @contextmanager
    def agent(self, name: str, **more: Any) -> Iterator[PinnedAgent]:  # noqa: ANN401 those of emit.agent
        """`emit.agent` with the pinned prompt. Raises KilledError, UnknownPinError."""
        pinned = self.pinned(name)
        require_alive(self._holder.killed, name)
        with emit.agent(name, pinned.prompt, **more):
            yield pinned


def require_alive(killed: Killed, agent: str | None = None, tool: str | None = None) -> None:
    """Raise KilledError where this step may not be taken now."""
    mark = killed.of(agent, tool)
    if mark is not None:
        raise KilledError(f"tool {tool}" if tool in killed.tools else agent or "every agent", mark)
