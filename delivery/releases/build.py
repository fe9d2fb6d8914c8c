"""Make a release from a folder: which versions, in the short form of a playbook, and the files that these mean.

    release.yaml            name, author, graph, and per agent: prompt_version, model, tools
    prompts/planner/12.md   the text of version 12 of the prompt `planner` (any ending)
    tools/kb.json           what the MCP server `kb` answers to tools/list, with its serverInfo
    graph.yaml              the workflow: `workflow`, `version`, and whatever else describes it

Versions may be written with a v in front. Every version becomes a digest of what it means here and now.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from agentobs.canonical import CanonicalError, canonical
from delivery.documents import Kept, Name, ReleaseId, problems
from delivery.errors import DeliveryError
from delivery.releases import folder
from delivery.releases.document import (
    AgentPins,
    GraphPin,
    Limits,
    ModelId,
    ModelPin,
    PromptPin,
    Release,
    ToolPin,
)
from delivery.releases.tools import ToolList

_Pin = TypeVar("_Pin", bound=Kept)
_V: Final = re.compile(r"\A[vV](?=\d)")
FILE: Final = "release.yaml"
_FORM: Final = "agent: {planner: {prompt_version: v12, model: gpt-4.1, tools: {search: v3}}}"


def plain(version: object) -> object:
    """A version as telemetry has it: text, without the v of `v12`. A number in YAML is one, a float is doubtful."""
    if isinstance(version, int) and not isinstance(version, bool):
        return str(version)
    if isinstance(version, float):
        raise ValueError(f"{version!r} is a number in YAML, and 1.10 would be 1.1; write it in quotes")  # noqa: TRY004 as pydantic wants
    return _V.sub("", version) if isinstance(version, str) else version


Written = Annotated[str, BeforeValidator(plain)]


class _Model(Kept):
    provider: Name | None = None
    id: ModelId
    params: dict[str, Any] = Field(default_factory=dict)


class _Agent(Kept):
    prompt: Name | None = None
    prompt_version: Written
    model: ModelId | _Model
    tools: dict[str, Written] = Field(default_factory=dict)
    limits: Limits | None = None


class _Short(Kept):
    name: Name | None = None
    author: str | None = None
    parent: ReleaseId | None = None
    provider: Name | None = None
    graph: str = "graph.yaml"
    agents: dict[Name, _Agent] = Field(alias="agent", min_length=1)
    evidence: dict[str, str] = Field(default_factory=dict)


class _Graph(Kept):
    model_config = Kept.model_config | {"extra": "allow"}
    workflow: Name
    version: Written


@dataclass(frozen=True, slots=True)
class Built:
    """A release, and every text that it pins: what is kept beside it, by what it is."""

    release: Release
    texts: Mapping[str, str]


def build(root: Path, *, author: str, name: str | None = None, parent: str | None = None) -> Built:
    """Make a release of a folder, or of the `release.yaml` in it. Raises DeliveryError naming file and fix."""
    file = root if root.is_file() else root / FILE
    short = _short(folder.read(file, "the release's versions"), file)
    lists = folder.tool_lists(file.parent / "tools")
    texts: dict[str, str] = {}
    graph = _graph(file.parent / short.graph, texts)
    agents = {
        agent: AgentPins(
            prompt=_prompt(file.parent / "prompts", said.prompt or agent, said.prompt_version, texts),
            model=_model(said.model, short.provider),
            tools=dict(_tool(agent, tool, version, lists, texts) for tool, version in said.tools.items()),
            limits=said.limits,
        )
        for agent, said in short.agents.items()
    }
    try:
        release = Release(
            name=name or short.name or file.parent.resolve().name,
            author=short.author or author,
            parent=parent or short.parent,
            graph=graph,
            agents=agents,
            evidence=short.evidence,
        )
    except ValidationError as error:
        raise DeliveryError(f"{file}: {problems(error)}") from None
    return Built(release, texts)


def _short(text: str, file: Path) -> _Short:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise DeliveryError(f"{file} is no YAML: {str(error).splitlines()[0]}; expected for example {_FORM}") from None
    if isinstance(document, dict) and "agents" in document:
        document = {("agent" if key == "agents" else key): value for key, value in document.items()}
    try:
        return _Short.model_validate(document)
    except ValidationError as error:
        raise DeliveryError(f"{file}: {problems(error)}. Fix: write it as {_FORM}") from None


def _prompt(root: Path, name: str, version: str, texts: dict[str, str]) -> PromptPin:
    text = folder.prompt(root, name, version)
    texts[f"prompt {name} {version}"] = text
    return _pinned(PromptPin, f"prompt {name}", name=name, version=version, sha256=folder.sha256(text))


def _model(said: str | _Model, provider: str | None) -> ModelPin:
    if isinstance(said, str):
        return ModelPin(provider=provider, id=said)
    return ModelPin(provider=said.provider or provider, id=said.id, params=said.params)


def _tool(agent: str, written: str, version: str, lists: list[ToolList], texts: dict[str, str]) -> tuple[str, ToolPin]:
    """The pin of a tool; `server/tool` says which of two servers."""
    server, _, tool = written.rpartition("/")
    found = [each for each in lists if tool in each.tools and server in {"", each.server}]
    if not found:
        known = sorted({name for each in lists for name in each.tools})
        raise DeliveryError(
            f"{agent}: no tool list has {written!r}; there are: {', '.join(known) or 'none in tools/'}; fix: write the"
            " server's answer with `agentobs release tools`"
        )
    right = [each for each in found if plain(each.version) == version]
    if not right:
        has = ", ".join(f"{each.server} {each.version}" for each in found)
        raise DeliveryError(
            f"{agent}: the tool list of {written} is one of version {has}, not {version}; fix: list the tools of the"
            " server of that version, or pin what there is"
        )
    if len(right) > 1:
        servers = ", ".join(f"{each.server}/{tool}" for each in right)
        raise DeliveryError(f"{agent}: several servers have {tool}; fix: write one of {servers}")
    text = right[0].text(tool)
    texts[f"tool {right[0].server}/{tool} {version}"] = text
    digest = folder.sha256(text)
    return tool, _pinned(ToolPin, f"tool {tool}", version=version, schema_sha256=digest, server=right[0].server)


def _graph(file: Path, texts: dict[str, str]) -> GraphPin:
    text = folder.read(file, "the agent graph")
    try:
        document = yaml.safe_load(text)
        graph = _Graph.model_validate(document)
        spelled = canonical(document).decode()
    except (yaml.YAMLError, CanonicalError, RecursionError) as error:
        raise DeliveryError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        raise DeliveryError(
            f"{file}: {problems(error)}. Fix: write for example workflow: support, version: 7"
        ) from None
    texts[f"graph {graph.workflow} {graph.version}"] = spelled
    pin = {"workflow": graph.workflow, "version": graph.version, "sha256": folder.sha256(spelled)}
    return _pinned(GraphPin, str(file), **pin)


def _pinned(kind: type[_Pin], what: str, **values: str) -> _Pin:
    try:
        return kind(**values)
    except ValidationError as error:
        raise DeliveryError(f"{what}: {problems(error)}") from None
