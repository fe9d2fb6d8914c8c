"""Releases, stores and operations as tests use them: a support desk of two agents."""

import hashlib
from pathlib import Path

from delivery.environments.commit import Committed, commit
from delivery.environments.library import Library, Place
from delivery.environments.operations import Operation, Promote, Request, RollBack
from delivery.releases import AgentPins, Dim, GraphPin, ModelPin, PromptPin, Release, ToolPin
from delivery.store import FileBlobs, Store

ENVIRONMENT = "prod"
AT = "2026-12-01T10:00:00Z"


def sha(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def prompt_text(name: str, version: str) -> str:
    """What a prompt of this version says."""
    return f"You are the {name}, revision {version}."


def release(*, planner="12", executor="4", search="3.0.0", model="gpt-4.1", graph="7", name="support-1", schema=None):
    """A release with these versions; `schema` is that of the tool `search`, by default one of its version."""
    tools = {"search": ToolPin(version=search, schema_sha256=sha(schema or f"search {search}"), server="kb")}

    def agent(who: str, version: str) -> AgentPins:
        pin = PromptPin(name=who, version=version, sha256=sha(prompt_text(who, version)))
        return AgentPins(prompt=pin, model=ModelPin(provider="openai", id=model), tools=tools)

    return Release(
        name=name,
        author="ada",
        graph=GraphPin(workflow="support", version=graph, sha256=sha(f"graph {graph}")),
        agents={"planner": agent("planner", planner), "executor": agent("executor", executor)},
    )


def texts(made: Release) -> dict[str, str]:
    """What a release pins, by what it is."""
    pins = [agent.prompt for agent in made.agents.values()]
    searches = {pin.version for agent in made.agents.values() for pin in agent.tools.values()}
    return {
        **{f"{pin.name} {pin.version}": prompt_text(pin.name, pin.version) for pin in pins},
        **{f"search {version}": f"search {version}" for version in searches},
        "graph": f"graph {made.graph.version}",
    }


def request(reason="because", **more) -> Request:
    """Who asks: Ada, on the command line."""
    return Request(**{"by": "ada", "at": AT, "reason": reason, **more})


class Desk:
    """A store with an environment, and short ways to change it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(FileBlobs(folder))

    def add(self, made: Release) -> str:
        """Keep a release with its texts."""
        return self.store.add_release(made, texts(made))

    def do(self, operation: Operation) -> Committed:
        """Commit an operation in the environment."""
        return commit(self.store, ENVIRONMENT, operation)

    def promote(self, made: Release, **more) -> Committed:
        """Keep a release and make it the stable one."""
        return self.do(Promote(request=request(), release=self.add(made), **more))

    def roll_back(self, dimension: Dim, to: str, agent=None, tool=None, **more) -> Committed:
        """Take one dimension back."""
        asked = request(**{key: more.pop(key) for key in ("id", "by", "automatic") if key in more})
        return self.do(RollBack(request=asked, place=Place(dimension, agent, tool), to=to, **more))

    @property
    def head(self):
        """The newest revision."""
        return self.store.head(ENVIRONMENT)

    @property
    def running(self) -> Release:
        """What the stable track runs."""
        return Library(self.store, ENVIRONMENT).running(self.head.state)
