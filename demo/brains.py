"""What each agent's model answers: the simulated half of the system.

A brain decides from the run's state and from draws of (seed, task, agent, step), so two runs decide alike.
Not here: tokens, latency and failures of the model itself (`model`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pydantic_ai.messages import ModelResponsePart, TextPart, ToolCallPart

from demo.system import FALLBACK_OF, MAX_TOOL_ATTEMPTS, PLAN_OF, AgentName, ToolName

if TYPE_CHECKING:
    from demo.state import TaskRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One model answer: its message part, and the token counts it stands for."""

    part: ModelResponsePart
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Brain(Protocol):
    """Answers one model request. `step` counts this agent run's requests from 0, `output_tool` takes its result."""

    def __call__(self, run: "TaskRun", step: int, output_tool: str) -> Answer:
        """Return the answer."""


def router(run: "TaskRun", step: int, output_tool: str) -> Answer:
    """Name the kind of request."""
    kind = run.request.type.value
    return Answer(
        part=ToolCallPart(output_tool, {"kind": kind}),
        input_tokens=310 + run.request.context_tokens // 4,
        output_tokens=_vary(run, AgentName.ROUTER, step, 14),
    )


def planner(run: "TaskRun", step: int, output_tool: str) -> Answer:
    """List the tool calls."""
    steps = [tool.value for tool in PLAN_OF[run.request.type]]
    return Answer(
        part=ToolCallPart(output_tool, {"steps": steps}),
        input_tokens=820 + run.request.context_tokens,
        output_tokens=_vary(run, AgentName.PLANNER, step, 60 + 40 * len(steps)),
        reasoning_tokens=_vary(run, AgentName.PLANNER, step, 45),
    )


def executor(run: "TaskRun", step: int, output_tool: str) -> Answer:
    """Call the next tool of the plan, again after a failure, another one when that does not help; then answer."""
    del output_tool
    history = 950 + run.request.context_tokens + 220 * step
    cached = int(history * 0.6) if step else 0
    call = _next_call(run)
    if call is not None:
        return Answer(
            part=ToolCallPart(call, _arguments(run, call)),
            input_tokens=history,
            output_tokens=_vary(run, AgentName.EXECUTOR, step, 42),
            cached_tokens=cached,
        )
    return Answer(
        part=TextPart(_reply(run)),
        input_tokens=history,
        output_tokens=_vary(run, AgentName.EXECUTOR, step, 190),
        cached_tokens=cached,
    )


def critic(run: "TaskRun", step: int, output_tool: str) -> Answer:
    """Accept the answer or send it back."""
    random_numbers = run.draws(AgentName.CRITIC, run.round, "verdict")
    accepted = random_numbers.random() >= run.conditions.critic_rejects_rate
    score = min(1.0, max(0.0, run.quality + random_numbers.gauss(0.0, 0.05)))
    return Answer(
        part=ToolCallPart(output_tool, {"accepted": accepted, "score": round(score, 3)}),
        input_tokens=640 + run.request.context_tokens // 2,
        output_tokens=_vary(run, AgentName.CRITIC, step, 55),
    )


BRAINS: dict[AgentName, Brain] = {
    AgentName.ROUTER: router,
    AgentName.PLANNER: planner,
    AgentName.EXECUTOR: executor,
    AgentName.CRITIC: critic,
}


def _next_call(run: "TaskRun") -> ToolName | None:
    """Return the tool to call now, None when the plan is done or given up."""
    if run.given_up is not None or run.next_step >= len(run.plan):
        return None
    tool = run.plan[run.next_step]
    if run.attempts(tool) < MAX_TOOL_ATTEMPTS:
        return tool
    fallback = FALLBACK_OF.get(tool)
    if fallback is not None and run.attempts(fallback) < MAX_TOOL_ATTEMPTS:
        run.fallback_from[fallback] = tool
        return fallback
    run.given_up = tool
    return None


def _arguments(run: "TaskRun", tool: ToolName) -> dict[str, Any]:
    order = run.request.order
    return {
        ToolName.KB_SEARCH: {"query": run.request.text},
        ToolName.ARCHIVE_SEARCH: {"query": run.request.text},
        ToolName.ORDER_LOOKUP: {"order_id": order},
        ToolName.ORDER_REFUND: {"order_id": order},
        ToolName.REFUND_QUOTE: {"order_id": order, "reason": "damaged"},
    }[tool]


def _reply(run: "TaskRun") -> str:
    if run.given_up is not None:
        return f"I am sorry, I cannot answer this now: {run.given_up} does not work."
    return "Here is what I found. " + " ".join(run.results)


def _vary(run: "TaskRun", agent: AgentName, step: int, mean: int) -> int:
    return max(1, round(run.draws(agent, run.round, step, "tokens").gauss(mean, mean * 0.15)))
