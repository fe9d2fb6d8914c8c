"""The job that every program of the corpus does: five tasks of two teams, all at once.

A coordinator makes a tool call of its own, hands over to its team's researcher and sums up. Both make model and tool
calls in one trace, so a reader that takes the wrong ancestor counts for the wrong agent. What a tool is asked for
(`topic`) belongs to one task and one agent: that is how a tool, which sees nothing else, can say who called it.
"""

import re
from dataclasses import dataclass

MODEL = "gpt-4.1-mini"
TOOL_TIMEOUT = 4.0  # seconds that a client waits for a tool, and for the server to start
SLOW_SECONDS = 10.0  # seconds that `slow` takes
SLOW_IS_DONE = "slow finished"  # reaches the model only where no client gave up


@dataclass(frozen=True)
class Tool:
    """The model asks for a tool."""

    name: str
    topic: str


@dataclass(frozen=True)
class HandOver:
    """The model hands over to its team's researcher, by whatever tool the framework offers for that."""


@dataclass(frozen=True)
class Throttled:
    """The provider answers 429 once; the reply after it is the next step."""


@dataclass(frozen=True)
class Broken:
    """The provider answers 500 from here on."""


@dataclass(frozen=True)
class Say:
    """The model answers with text: its part is done."""


Step = tuple[Tool, ...] | HandOver | Throttled | Broken | Say


@dataclass(frozen=True)
class Task:
    """One task: its team, its question and what each of its two agents does."""

    team: str
    coordinator: tuple[Step, ...]
    researcher: tuple[Step, ...]

    def script(self, agent: str) -> tuple[Step, ...]:
        """The steps of an agent of this task."""
        return self.researcher if agent.endswith("researcher") else self.coordinator


def _asks(*topics: str, tool: str = "lookup") -> tuple[Tool, ...]:
    return tuple(Tool(tool, topic) for topic in topics)


TASKS = {
    "t1": Task("north", (_asks("order 1"), HandOver(), Say()), (_asks("invoice 1"), Say())),
    "t2": Task(
        "north",
        (_asks("order 2"), HandOver(), Say()),
        (_asks("invoice 2", tool="flaky"), _asks("invoice 2", tool="flaky"), Say()),
    ),
    "t3": Task(
        "south",
        (_asks("order 3"), HandOver(), Say()),
        (_asks("invoice 3", tool="broken"), _asks("parcel 3", tool="slow"), Say()),
    ),
    # The coordinator's model is down as well, or a framework would turn the exception into a polite answer.
    "t4": Task("south", (_asks("order 4"), HandOver(), Broken()), (_asks("invoice 4"), Broken())),
    # Two calls of one tool in one reply: equal in name, in time and in span parent, and yet no retry.
    "t5": Task("north", (Throttled(), _asks("order 5"), HandOver(), Say()), (_asks("invoice 5", "parcel 5"), Say())),
}
TEAMS = ("north", "south")
AGENTS = tuple(f"{team}_{role}" for team in TEAMS for role in ("coordinator", "researcher"))
PROMPT_VERSIONS = {
    "north_coordinator": "3",
    "north_researcher": "7",
    "south_coordinator": "4",
    "south_researcher": "12",
}
GRAPH_VERSION = "2026-11-a"

TOOLS = ("lookup", "flaky", "broken", "slow")
TOOLS_OF = {"coordinator": ("lookup",), "researcher": TOOLS}


def instructions(agent: str) -> str:
    """The system prompt: the marker is what the model server knows an agent by."""
    return f"[agent:{agent}] You are {agent}. Use your tools, then answer in one sentence."


def question(task: str) -> str:
    """What the user of a task asks."""
    return f"[task:{task}] What became of the order of customer {task[1:]}?"


def owners() -> dict[str, tuple[str, str]]:
    """Who asks for a topic: topic -> (task, agent)."""
    found = {}
    for name, task in TASKS.items():
        for role in ("coordinator", "researcher"):
            for step in task.script(role):
                for call in step if isinstance(step, tuple) else ():
                    found[call.topic] = (name, f"{task.team}_{role}")
    return found


def usage(task: str, agent: str, turn: int) -> dict[str, int]:
    """Tokens of a reply, different for each, so that a sum tells its parts. Input holds cached, output reasoning."""
    researcher = agent.endswith("researcher")
    base = 100 * int(task[1:]) + (50 if researcher else 0)
    return {
        "input": 1000 + base + 10 * turn,
        "output": 40 + int(task[1:]) + turn,
        "cached": 512 if researcher and turn else 0,
        "reasoning": 16 if task == "t5" else 0,
    }


def marked(kind: str, text: str) -> str | None:
    """The first marker of a kind in a text, `[task:t1]` or `[agent:north_researcher]`."""
    found = re.search(rf"\[{kind}:(\w+)\]", text)
    return found.group(1) if found else None
