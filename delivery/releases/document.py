"""A release: what each agent runs, by version and digest, as one immutable document.

Its id is the digest of its content, so the same release has the same id everywhere. Not here: where it runs
(`delivery.environments`) and how it is made (`build`).
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from delivery.documents import Kept, Name, ReleaseId, Sha256, Version
from delivery.errors import DeliveryError

SCHEMA: Final = "agentobs/release/1"
_MOVING: Final = frozenset({"latest", "production", "prod", "staging", "stable", "canary", "main", "master", "head"})


class Dim(StrEnum):
    """What can be taken back alone. Their names are those of the catalogue's version dimensions."""

    PROMPT = "prompt"
    MODEL = "model"
    TOOL = "tool"
    GRAPH = "graph"


def is_moving(version: str) -> bool:
    """Whether a name means another thing tomorrow, so that it pins nothing."""
    return version.lower() in _MOVING


def _fixed(version: str) -> str:
    if is_moving(version):
        raise ValueError(f"{version!r} moves; expected a version that always means the same")
    return version


FixedVersion = Annotated[Version, AfterValidator(_fixed)]
ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}$"), AfterValidator(_fixed)]


class PromptPin(Kept):
    """A prompt's text: `sha256` of its UTF-8."""

    name: Name
    version: FixedVersion
    sha256: Sha256


class ModelPin(Kept):
    """A model and how it is asked. Its version is its id, as telemetry says it."""

    provider: Name | None = None
    id: ModelId
    params: dict[str, Any] = Field(default_factory=dict)

    @property
    def version(self) -> str:
        """The id."""
        return self.id


class ToolPin(Kept):
    """A tool of an MCP server: `schema_sha256` of its canonical definition."""

    version: FixedVersion
    schema_sha256: Sha256
    server: Name | None = None


class GraphPin(Kept):
    """The workflow: who calls whom. `sha256` of its canonical description."""

    workflow: Name
    version: FixedVersion
    sha256: Sha256


class Limits(Kept):
    """Ceilings that guards enforce."""

    usd_per_task: float | None = Field(default=None, gt=0)
    calls_per_min: int | None = Field(default=None, gt=0)


class AgentPins(Kept):
    """Everything that one agent is made of."""

    prompt: PromptPin
    model: ModelPin
    tools: dict[Name, ToolPin] = Field(default_factory=dict)
    limits: Limits | None = None


class Release(Kept):
    """What a team ships. `parent` is the release it was made from."""

    kind: Literal["agentobs/release/1"] = Field(default=SCHEMA, alias="schema")
    name: Name
    parent: ReleaseId | None = None
    author: str = Field(min_length=1, max_length=200)
    graph: GraphPin
    agents: dict[Name, AgentPins] = Field(min_length=1)
    evidence: dict[str, str] = Field(default_factory=dict, description="What it was judged by: golden run, baseline")

    @property
    def id(self) -> str:
        """First twelve digits of the digest; who loads it checks the whole."""
        return self.digest[:12]

    def agent(self, name: str) -> AgentPins:
        """The pins of one agent. Raises DeliveryError naming those that there are."""
        if name not in self.agents:
            raise DeliveryError(f"release {self.id} has no agent {name!r}; it has {', '.join(sorted(self.agents))}")
        return self.agents[name]

    @property
    def texts(self) -> set[str]:
        """Digests of all that it pins: prompts, tool definitions, the graph."""
        agents = self.agents.values()
        tools = {pin.schema_sha256 for agent in agents for pin in agent.tools.values()}
        return {self.graph.sha256, *(agent.prompt.sha256 for agent in agents), *tools}

    def users_of(self, tool: str) -> list[str]:
        """The agents that use a tool."""
        return sorted(name for name, pins in self.agents.items() if tool in pins.tools)


def parse(text: str | bytes, where: str) -> Release:
    """Read a release. Raises DeliveryError."""
    return Release.parse(
        text, where, "build it again with `agentobs release build`; `release show --schema` has the form"
    )
