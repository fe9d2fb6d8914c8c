"""What runs in an environment: one immutable, numbered revision after the other.

The highest is the pointer, all of them are the history, and each names the digest of the one before: the audit.
"""

from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field

from delivery.documents import EnvironmentName, Kept, Name, Reason, ReleaseId, Sha256, Version
from delivery.releases.document import Dim, GraphPin, ModelPin, PromptPin, ToolPin

SCHEMA: Final = "agentobs/revision/1"
WHOLE: Final = 10_000
"""A share of all sessions; one step is 0.01 %."""


class SplitKind(StrEnum):
    """What a second release beside the stable one is for."""

    CANARY = "canary"
    AB = "ab"
    SHADOW = "shadow"


class Override(Kept):
    """What one agent runs other than its release says."""

    prompt: PromptPin | None = None
    model: ModelPin | None = None
    tools: dict[Name, ToolPin] = Field(default_factory=dict)


class Stable(Kept):
    """The release that runs, and what was taken back of it since."""

    release: ReleaseId
    graph: GraphPin | None = None
    overrides: dict[Name, Override] = Field(default_factory=dict)


class Split(Kept):
    """A second release for a share of the sessions (in 1/10,000); `salt` decides which, and never changes in it."""

    id: Name
    kind: SplitKind
    release: ReleaseId
    share: int = Field(ge=1, le=WHOLE)
    salt: str = Field(min_length=1, max_length=64)
    started: str


class Mark(Kept):
    """Who did something to something, when and why."""

    by: str
    at: str
    reason: Reason


class Killed(Kept):
    """What may not take another step."""

    agents: dict[Name, Mark] = Field(default_factory=dict)
    tools: dict[Name, Mark] = Field(default_factory=dict)
    everything: Mark | None = Field(default=None, alias="all")


class Lock(Kept):
    """A version that must not run again until a person unlocks it. No agent: for every agent.

    `release` locks a release as a whole, `name` is the tool of a tool version.
    """

    dimension: Dim | Literal["release"]
    version: Version
    agent: Name | None = None
    name: Name | None = None
    mark: Mark

    def same(self, other: "Lock") -> bool:
        """Whether both lock the same, by whomever."""
        mine, theirs = (self.dimension, self.version, self.agent, self.name), (
            other.dimension, other.version, other.agent, other.name,
        )  # fmt: skip
        return mine == theirs

    @property
    def title(self) -> str:
        """In words."""
        whose = " of ".join(filter(None, [self.name, self.agent]))
        return " ".join(filter(None, [str(self.dimension), self.version, f"of {whose}" if whose else ""]))

    def unlocks(self, environment: str) -> str:
        """The command that lifts it."""
        dimension = "" if self.dimension == "release" else f" --dimension {self.dimension}"
        agent = f" --agent {self.agent}" if self.agent else ""
        tool = f" --tool {self.name}" if self.name else ""
        return f"agentobs release unlock {self.version}{dimension}{agent}{tool} -e {environment}"


class State(Kept):
    """What runs, what is stopped, what is locked."""

    stable: Stable | None = None
    canary: Split | None = None
    killed: Killed = Field(default_factory=Killed)
    locked: list[Lock] = Field(default_factory=list)
    frozen: Mark | None = None


class Done(Kept):
    """The operation that made a revision: who, when, by which way, why, and because of which alert."""

    id: str = Field(min_length=1, max_length=200)
    kind: Name
    by: str = Field(min_length=1, max_length=200)
    at: str
    via: Name
    reason: Reason
    alert: str | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    automatic: bool = False


class Revision(State):
    """A state with its number. `previous` is the digest of the revision before, none for the first."""

    kind: Literal["agentobs/revision/1"] = Field(default=SCHEMA, alias="schema")
    revision: int = Field(ge=1)
    environment: EnvironmentName
    previous: Sha256 | None = None
    operation: Done

    @property
    def state(self) -> State:
        """Without number and operation."""
        return State(**{name: getattr(self, name) for name in State.model_fields})


def parse(text: str | bytes, where: str) -> Revision:
    """Read a revision. Raises DeliveryError."""
    return Revision.parse(
        text, where, "revisions are written by `agentobs release` alone; restore the file from a backup"
    )
