"""What a world is: a small system of agents, its traffic, what changes in it, what breaks, and what is true of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

TOOL: Final = "tool"
PROMPT: Final = "prompt"
MODEL: Final = "model"
GRAPH: Final = "graph"
WORKFLOW: Final = "support"
NAMED: Final = "\t"
"""Between the name of a prompt and its version, where the name is not that of its agent."""


class Effect(StrEnum):
    """What goes wrong. `size` of a fault is a chance for what fails and a factor for what grows."""

    TOOL_FAILS = "tool fails"
    TOOL_SLOW = "tool is slow"
    TOOL_TIMES_OUT = "tool times out"
    AGENT_FAILS = "agent fails"
    BAD_ANSWERS = "answers are bad"
    TOKENS = "tokens grow"
    TASK_FAILS = "tasks fail"
    MODEL_FAILS = "model fails"
    MODEL_SLOW = "model is slow"
    MODEL_DEAR = "model is dear"
    LOOPS = "loops"
    MACHINE_SLOW = "machine is slow"
    NEW_TYPES = "new types of tasks"


@dataclass(frozen=True, slots=True)
class Change:
    """A version change at `at` (seconds). `share` of the tasks get it: below 1 it is a canary, on its own track.

    At `until` the old version returns. An A/B test has no track of its own. `at` 0 means before the window.
    """

    dimension: str
    entity: str
    old: str
    new: str
    at: float
    share: float = 1.0
    until: float | None = None
    tracked: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """What breaks from `at` on: with `change` for tasks on its version, else for all. `entity` "" is everything.

    `user` narrows a tool's fault to one agent; over `ramp` seconds it grows to its size; at `until` it is over.
    """

    effect: Effect
    entity: str
    size: float
    at: float
    change: Change | None = None
    user: str = ""
    ramp: float = 0.0
    until: float | None = None


class State(StrEnum):
    """How a cause ended."""

    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Cause:
    """What is to be named: a version of an entity, or (no dimension) a place: tool, agent, both, or neither for all.

    `drift` says whether the inputs changed; None if nobody can tell whether they did. `new`: it came then.
    """

    at: float
    dimension: str = ""
    entity: str = ""
    version: str = ""
    previous: str = ""
    tool: str = ""
    agent: str = ""
    drift: bool | None = False
    new: bool = False
    state: State = State.OPEN

    @property
    def text(self) -> str:
        """For people."""
        if self.dimension:
            return f"{self.dimension} {self.entity!r} {self.previous[:12]!r} -> {self.version[:12]!r} at {self.at:.0f}"
        where = " as called by ".join(name for name in (self.tool, self.agent) if name) or "everything"
        what = "inputs" if self.drift else f"{where}, {'new' if self.new else 'no version'}"
        return f"{what}, at {self.at:.0f}"


@dataclass(frozen=True, slots=True)
class Truth:
    """All causes; with `one_of` no data can tell them apart. `weak`: that data do not suffice may be the answer."""

    causes: tuple[Cause, ...] = ()
    one_of: bool = False
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its version at first, chance of failure, median seconds, spread of their logarithm, and its time-out.

    It is called from `comes` to `goes` (seconds); by default always.
    """

    name: str
    version: str
    fails: float
    seconds: float
    spread: float
    timeout: float
    comes: float = 0.0
    goes: float = float("inf")


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent: prompt and model at first, what its model calls take, and which tools it calls.

    It works from `comes` to `goes` (seconds), and calls a model from `thinks` on; by default always.
    """

    name: str
    prompt: str
    model: str
    fails: float
    seconds: float
    spread: float
    tokens: float
    price: float
    bad_answers: float
    evaluated: float
    tools: tuple[str, ...]
    comes: float = 0.0
    goes: float = float("inf")
    thinks: float = 0.0


@dataclass(frozen=True, slots=True)
class Slow:
    """One call of a tool, the first after `at`, that takes so many seconds and times out."""

    tool: str
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Restart:
    """The collector starts anew: counters begin at zero, what ends in the gap is lost. `instance` changes, or not."""

    at: float
    gap: float
    renamed: bool


@dataclass(frozen=True, slots=True)
class Traffic:
    """Tasks per second: `rate` times a wave of `depth` (share) and `period` seconds, times a trend to `ends`."""

    rate: float
    depth: float = 0.0
    period: float = 3600.0
    ends: float = 1.0


@dataclass(frozen=True, slots=True)
class Habits:
    """How harm travels in a world: chances that a tool that gave up fails the agent's run or the task, and so on."""

    run_fails: float = 0.3
    task_fails: float = 0.7
    bad_fails: float = 0.4
    again: float = 0.75
    other: float = 0.02
    talks: float = 0.6
    lead: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """One environment of one seed, number and kind, with its truth. The name of the environment gives nothing away."""

    seed: int
    number: int
    kind: str
    seconds: float
    traffic: Traffic
    agents: tuple[Agent, ...]
    tools: tuple[Tool, ...]
    graph: str
    types: tuple[str, ...]
    truth: Truth
    changes: tuple[Change, ...] = ()
    faults: tuple[Fault, ...] = ()
    slow_calls: tuple[Slow, ...] = ()
    restarts: tuple[Restart, ...] = ()
    bursts: tuple[Fault, ...] = ()
    base: Habits = field(default_factory=Habits)

    @property
    def environment(self) -> str:
        """Name of the environment."""
        return f"w{self.seed}-{self.number}"

    @property
    def broke(self) -> float | None:
        """When the first thing broke, seconds; None in a healthy world."""
        return min((cause.at for cause in self.truth.causes), default=None)

    @property
    def text(self) -> str:
        """For people who read results."""
        causes = (" or " if self.truth.one_of else "; ").join(cause.text for cause in self.truth.causes)
        how = ", ".join(f"{f.effect} x{f.size:.2f}" for f in self.faults)
        share = ", ".join(f"canary {c.share:.0%}" for c in self.changes[:3] if c.share < 1)
        innocent = len(self.changes) - len({f.change for f in self.faults if f.change})
        return (
            f"{causes or 'nothing'} | {how or '-'} {share} | {innocent} innocent | {self.traffic.rate:.1f}/s"
            f" | {self.seconds:.0f} s"
        )
