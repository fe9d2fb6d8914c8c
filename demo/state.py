"""The state of one running task, shared by its agents: pydantic-ai's `deps`."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agentobs import emit
from agentobs.contract import Outcome, Track
from agentobs.pins import Pins
from demo.scenarios import Conditions
from demo.servers import Tools
from demo.system import SERVER_OF, AgentName, ServerName, ToolName, prompt_text
from demo.truth import Slices, Truth
from demo.workload import Request, draws


@dataclass(slots=True)
class World:
    """What is deployed while a task runs: conditions, and the tool servers that go with them."""

    conditions: Conditions
    servers: Mapping[ServerName, Tools]
    pins: Pins | None = None
    """What a managed task runs; None where nobody manages releases."""

    def prompt(self, agent: AgentName) -> emit.Prompt:
        """Return the deployed prompt of an agent."""
        if self.pins is not None:
            return self.pins.pinned(agent).prompt
        version = self.conditions.prompts[agent]
        return emit.Prompt(agent, version, text=prompt_text(agent, version))

    @property
    def track(self) -> Track:
        """The track that a task is counted under."""
        return self.pins.track if self.pins else Track.STABLE

    def require_alive(self, agent: AgentName, tool: ToolName | None = None) -> None:
        """Raise KilledError where somebody stopped this agent or tool."""
        if self.pins is not None:
            self.pins.require_alive(agent, tool)


@dataclass(slots=True, kw_only=True)
class TaskRun:
    """One task on its way through the agents."""

    world: World
    request: Request
    seed: int
    time_scale: float
    truth: Truth
    task: emit.Task
    plan: list[ToolName] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    next_step: int = 0
    round: int = 0
    quality: float = 0.0
    judge_score: float = 0.0
    outcome: Outcome = Outcome.FAILURE
    given_up: ToolName | None = None
    last_error: str = ""
    answer: str = ""
    fallback_from: dict[ToolName, ToolName] = field(default_factory=dict)
    _attempts: Counter[ToolName] = field(default_factory=Counter)

    @property
    def conditions(self) -> Conditions:
        """The conditions of the world this task started in."""
        return self.world.conditions

    def draws(self, *place: object) -> random.Random:
        """Return the random numbers of one decision of this task."""
        return draws(self.seed, self.request.number, *place)

    def server_of(self, tool: ToolName) -> Tools:
        """Return the server that offers a tool."""
        return self.world.servers[SERVER_OF[tool]]

    def attempts(self, tool: ToolName) -> int:
        """Return how often a tool was tried for the current step."""
        return self._attempts[tool]

    def tried(self, tool: ToolName) -> None:
        """Note one attempt at the current step."""
        self._attempts[tool] += 1

    def step_done(self, result: str) -> None:
        """Note the current step's result and go on to the next."""
        self.results.append(result)
        self.next_step += 1
        self._attempts.clear()
        self.fallback_from.clear()

    def start_round(self) -> None:
        """Begin the plan anew: the first time, or because the critic sent the answer back."""
        self.round += 1
        self.next_step = 0
        self.results.clear()
        self._attempts.clear()
        self.fallback_from.clear()
        self.given_up = None

    def slices(self, agent: AgentName | None = None) -> Slices:
        """Return the labels of everything inside an agent; without one, of the task itself."""
        prompt = self.world.prompt(agent or AgentName.EXECUTOR)
        return Slices(
            agent=agent,
            prompt=prompt.name,
            prompt_version=prompt.version,
            graph_version=self.conditions.graph_version,
            track=self.world.track,
        )
