"""The four agents, built with pydantic-ai and its own OpenTelemetry instrumentation.

Not here: the order they run in (`workflow`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, Field
from pydantic_ai import Agent, RunContext
from pydantic_ai.capabilities import Instrumentation, WrapRunHandler
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.run import AgentRunResult

from agentobs import emit
from demo.model import SimModel
from demo.state import TaskRun
from demo.system import FALLBACK_MODEL, AgentName, ToolName
from demo.toolset import McpToolset

# Format 5 names its spans `invoke_agent X`, `chat M`, `execute_tool X` and keeps agent usage out of gen_ai.usage.*.
_INSTRUMENTATION_FORMAT: Final = 5


class Route(BaseModel):
    """The router's result."""

    kind: str


class Plan(BaseModel):
    """The planner's result: tools in the order of their calls."""

    steps: list[ToolName] = Field(min_length=1)


class Verdict(BaseModel):
    """The critic's result: whether the answer may go out, and how good it is (0..1)."""

    accepted: bool
    score: float = Field(ge=0, le=1)


@dataclass
class Watch(Instrumentation):
    """The framework's instrumentation, which also says on an agent's span what failed, and counts the run there."""

    async def wrap_run(self, ctx: RunContext[Any], *, handler: WrapRunHandler) -> AgentRunResult[Any]:
        """Run the agent inside its span."""

        async def inside() -> AgentRunResult[Any]:
            run, model = ctx.deps, ctx.model
            if not isinstance(run, TaskRun) or not isinstance(model, SimModel):
                raise TypeError(f"agent run with deps {run!r} and model {model!r}; expected a TaskRun and a SimModel")
            error = ""
            try:
                return await handler()
            except BaseException as failure:
                error = error_type(failure)
                emit.annotate_error(error)
                raise
            finally:
                run.truth.agent(run.slices(model.agent), error=error, is_retry=model.attempt > 0)

        return await super().wrap_run(ctx, handler=inside)


@dataclass(frozen=True, slots=True)
class Agents:
    """The agents of one process, shared by all tasks."""

    by_name: Mapping[AgentName, Agent[TaskRun, Any]]

    async def run(self, name: AgentName, run: TaskRun, prompt: str) -> Any:  # noqa: ANN401 each agent has its result
        """Run an agent; when its model is rate limited, once more with the fallback model. Returns its output."""
        spec = run.conditions.models[name]
        try:
            return await self._attempt(name, run, prompt, SimModel(spec, name, run))
        except ModelHTTPError:
            stand_in = SimModel(FALLBACK_MODEL, name, run, attempt=1, fallback_from=spec.name)
            run.task.retries += 1
            return await self._attempt(name, run, prompt, stand_in)

    async def _attempt(self, name: AgentName, run: TaskRun, prompt: str, model: SimModel) -> Any:  # noqa: ANN401 as above
        run.world.require_alive(name)
        deployed = run.world.prompt(name)
        with emit.agent(name, deployed, span=False, attempt=model.attempt, fallback_from=model.fallback_from):
            result = await self.by_name[name].run(
                prompt,
                model=model,
                deps=run,
                instructions=deployed.text,
                conversation_id=f"conversation-{run.seed}-{run.request.number}",
            )
            return result.output


def build(*, content: bool) -> Agents:
    """Build the agents. `content` puts prompts, answers, tool arguments and results on the spans."""
    settings = InstrumentationSettings(
        version=_INSTRUMENTATION_FORMAT, include_content=content, include_model_request_parameters=False
    )
    outputs = {AgentName.ROUTER: Route, AgentName.PLANNER: Plan, AgentName.EXECUTOR: str, AgentName.CRITIC: Verdict}
    return Agents(
        {
            name: Agent(
                name=name,
                output_type=output,
                deps_type=TaskRun,
                toolsets=[McpToolset()] if name is AgentName.EXECUTOR else [],
                capabilities=[Watch(settings)],
            )
            for name, output in outputs.items()
        }
    )


def error_type(error: BaseException) -> str:
    """Return the `error.type` of an agent run that ended with an exception."""
    if isinstance(error, ModelHTTPError):
        return str(error.status_code)
    return "cancelled" if isinstance(error, asyncio.CancelledError) else emit.error_type_of(error)
