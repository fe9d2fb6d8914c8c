"""One support task from request to answer: router, planner, executor, critic, and back when the critic says so.

Not here: when tasks run (`runner`) and how answers are judged (`judges`).
"""

import asyncio
import logging
from dataclasses import dataclass

from agentobs import emit
from agentobs.contract import Outcome
from agentobs.pins import KilledError
from demo import judges
from demo.agents import Agents, Plan, Verdict
from demo.state import TaskRun, World
from demo.system import WORKFLOW, AgentName
from demo.truth import Truth
from demo.workload import Request

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended, and where to look."""

    outcome: Outcome
    trace_id: str
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all tasks of a run share."""

    agents: Agents
    truth: Truth
    seed: int
    time_scale: float


async def handle(desk: Desk, request: Request, world: World) -> Ended:
    """Handle one request to its end. A failed task is a result, not an exception; only a cancellation passes on."""
    run: TaskRun | None = None
    error = ""
    try:
        with emit.task(
            workflow=WORKFLOW,
            type=request.type,
            graph_version=world.conditions.graph_version,
            prompt=world.prompt(AgentName.EXECUTOR),
            task_id=f"task-{desk.seed}-{request.number}",
            conversation_id=conversation_of(desk.seed, request.number),
            track=world.track,
            release=world.pins.release if world.pins else None,
        ) as task:
            run = TaskRun(
                world=world,
                request=request,
                seed=desk.seed,
                time_scale=desk.time_scale,
                truth=desk.truth,
                task=task,
            )
            try:
                task.outcome = run.outcome = await _work(run, desk.agents)
            except KilledError as stopped:
                task.outcome = run.outcome = Outcome.CANCELLED
                _log.warning("%s request was stopped: %s", request.type, stopped)
            _log.info("%s request ended: %s", request.type, run.outcome)
    except asyncio.CancelledError as stopped:
        error = emit.error_type_of(stopped)
        if run is not None:
            run.outcome = Outcome.CANCELLED
        raise
    except Exception as failure:  # noqa: BLE001 only a defect of the demo comes here: be seen, let the run go on
        error = emit.error_type_of(failure)
        _log.exception("task %d broke", request.number)
    finally:
        if run is not None:
            _count(run, error)
    if run is None:
        raise RuntimeError("emit.task yielded no task")
    return Ended(run.outcome, f"{run.task.span.get_span_context().trace_id:032x}", run.answer)


def conversation_of(seed: int, number: int) -> str:
    """The conversation that a request belongs to: the session that a release is chosen by."""
    return f"conversation-{seed}-{number}"


async def _work(run: TaskRun, agents: Agents) -> Outcome:
    judges.guard_input(run)
    await agents.run(AgentName.ROUTER, run, run.request.text)
    if run.draws("needs human").random() < run.conditions.needs_human_rate:
        return Outcome.NEEDS_HUMAN
    plan: Plan = await agents.run(AgentName.PLANNER, run, run.request.text)
    run.plan = plan.steps
    try:
        accepted = await _answer(run, agents)
    finally:
        run.task.plan(planned=len(run.plan), completed=run.next_step)
    if run.given_up is not None:
        return Outcome.TIMEOUT if run.last_error == "TimeoutError" else Outcome.FAILURE
    judges.judge_task(run)
    return Outcome.SUCCESS if accepted and judges.passes(run.quality) else Outcome.FAILURE


async def _answer(run: TaskRun, agents: Agents) -> bool:
    """Let executor and critic take turns; True when the critic accepts within the graph's hop limit."""
    while run.round < run.conditions.max_rounds:
        run.start_round()
        run.answer = await agents.run(AgentName.EXECUTOR, run, f"{run.request.text}\nPlan: {', '.join(run.plan)}")
        if run.given_up is not None:
            return False
        judges.guard_output(run)
        run.quality = judges.quality(run)
        verdict: Verdict = await agents.run(AgentName.CRITIC, run, f"{run.request.text}\nAnswer: {run.answer}")
        run.judge_score = verdict.score
        if verdict.accepted:
            return True
    return False


def _count(run: TaskRun, error: str) -> None:
    if not error:
        error = {Outcome.FAILURE: "task_failed", Outcome.TIMEOUT: "timeout"}.get(run.outcome, "")
    sums: dict[str, float] = {}
    if run.task.tokens:
        sums |= {"cost_usd": run.task.cost_usd, "tokens": run.task.tokens}
    if run.plan:
        sums |= {"planned": len(run.plan), "completed": run.next_step}
    run.truth.task(run.slices(), workflow=WORKFLOW, type_=run.request.type, outcome=run.outcome, error=error, **sums)
