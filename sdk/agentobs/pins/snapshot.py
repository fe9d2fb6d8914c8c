"""The snapshot: what every agent of an environment runs, per track, and what may not run at all.

Made by the release controller and read as it is: a digest over the whole, checked before anything is used.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentobs.canonical import CanonicalError, digest
from agentobs.contract import Track
from agentobs.errors import AgentobsError

SCHEMA: Final = "agentobs/snapshot/1"
WHOLE: Final = 10_000
_TRACK_OF: Final = {"canary": Track.CANARY, "ab": Track.CANARY, "shadow": Track.SHADOW}


class SnapshotError(AgentobsError):
    """A snapshot that cannot be used; the one that was held before stays in use."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A pinned prompt; its text is found by `sha256`."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """A pinned model, and how it is asked."""

    id: str
    provider: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A pinned tool of an MCP server."""

    version: str
    schema_sha256: str
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """What one agent runs. Ceilings are US dollars of a task and calls of a minute; None is none."""

    prompt: Prompt
    model: Model
    tools: Mapping[str, Tool]
    usd_per_task: float | None = None
    calls_per_min: int | None = None


@dataclass(frozen=True, slots=True)
class TrackPins:
    """What all agents run on one track."""

    release: str
    name: str
    workflow: str
    graph: str
    agents: Mapping[str, Agent]


@dataclass(frozen=True, slots=True)
class Split:
    """A second release for `share` of 10,000 sessions, chosen by `salt`."""

    id: str
    kind: str
    share: int
    salt: str

    @property
    def track(self) -> Track:
        """The track that its sessions are counted under."""
        return _TRACK_OF[self.kind]

    def has(self, session: str) -> bool:
        """Whether a session is in it: the same answer in every process and language, and kept when the share grows."""
        return bucket(self.salt, session) <= self.share


@dataclass(frozen=True, slots=True)
class Mark:
    """Who stopped something, when and why."""

    by: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Killed:
    """What may not take another step."""

    agents: Mapping[str, Mark] = field(default_factory=dict)
    tools: Mapping[str, Mark] = field(default_factory=dict)
    everything: Mark | None = None

    def of(self, agent: str | None = None, tool: str | None = None) -> Mark | None:
        """Why a step of this agent, or a call of this tool, is not allowed; None where it is."""
        if self.everything is not None:
            return self.everything
        return self.agents.get(agent or "") or self.tools.get(tool or "")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One revision of an environment, as agents use it."""

    environment: str
    revision: int
    stable: TrackPins
    other: TrackPins | None
    split: Split | None
    killed: Killed


def bucket(salt: str, session: str) -> int:
    """Where a session falls, from 1 to 10,000: SHA-256 of the salt, a zero byte and the session, first eight bytes."""
    hashed = hashlib.sha256(salt.encode() + b"\0" + session.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(hashed[:8], "big") % WHOLE + 1


def parse(text: str | bytes) -> Snapshot:
    """Read a snapshot. Raises SnapshotError for what is no snapshot, not whole, or says nothing of any agent."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"the snapshot is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise SnapshotError(f"the snapshot is none of {SCHEMA}; fix: the same version of agentobs on both sides")
    said = document.pop("digest", None)
    try:
        if said != digest(document):
            raise SnapshotError("the snapshot was changed on its way: its digest is another; it is not used")
        return _snapshot(document)
    except CanonicalError as error:
        raise SnapshotError(f"the snapshot has no digest: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SnapshotError(f"the snapshot lacks something, or has it in another form: {error!r}") from None


def _snapshot(document: Mapping[str, Any]) -> Snapshot:
    split = _split(document["split"])
    killed = document["killed"]
    everything = killed["all"]
    return Snapshot(
        environment=document["environment"],
        revision=int(document["revision"]),
        stable=_track(document["tracks"]["stable"]),
        other=_track(document["tracks"][split.kind]) if split else None,
        split=split,
        killed=Killed(_marks(killed["agents"]), _marks(killed["tools"]), _mark(everything) if everything else None),
    )


def _split(found: Mapping[str, Any] | None) -> Split | None:
    if found is None:
        return None
    split = Split(found["id"], found["kind"], found["share"], found["salt"])
    if split.kind not in _TRACK_OF or type(split.share) is not int or not 1 <= split.share <= WHOLE or not split.salt:
        raise SnapshotError(f"the snapshot gives a share of {split.share!r} to {split.kind!r}; it is not used")
    return split


def _track(found: Mapping[str, Any]) -> TrackPins:
    agents = {str(name): _agent(pins) for name, pins in found["agents"].items()}
    if not agents:
        raise SnapshotError("the snapshot has a track without agents; it is not used")
    return TrackPins(found["release"], found["name"], found["graph"]["workflow"], found["graph"]["version"], agents)


def _agent(found: Mapping[str, Any]) -> Agent:
    prompt, model, limits = found["prompt"], found["model"], found.get("limits") or {}
    tools = found.get("tools", {})
    return Agent(
        prompt=Prompt(prompt["name"], prompt["version"], prompt["sha256"]),
        model=Model(model["id"], model.get("provider"), model.get("params", {})),
        tools={str(name): Tool(t["version"], t["schema_sha256"], t.get("server")) for name, t in tools.items()},
        usd_per_task=limits.get("usd_per_task"),
        calls_per_min=limits.get("calls_per_min"),
    )


def _mark(found: Mapping[str, Any]) -> Mark:
    return Mark(str(found["by"]), str(found["at"]), str(found["reason"]))


def _marks(found: Mapping[str, Any]) -> dict[str, Mark]:
    return {str(name): _mark(mark) for name, mark in found.items()}
