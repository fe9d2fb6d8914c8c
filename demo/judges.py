"""Guards and judges: policy checks on what goes in and out, verdicts on the answer.

Each verdict is emitted in the scope of the agent it is about, so that it can be compared by that agent's versions.
"""

from typing import Final

from agentobs import emit
from agentobs.contract import EvaluationSource, PolicyAction
from demo.state import TaskRun
from demo.system import KNOWN_TYPES, AgentName

_PASS_MARK: Final = 0.6
_HUMAN_SHARE: Final = 0.03


def passes(score: float) -> bool:
    """Return whether a score is good enough."""
    return score >= _PASS_MARK


def quality(run: TaskRun) -> float:
    """Return how good the executor's answer of this round is, 0..1."""
    random_numbers = run.draws("quality", run.round)
    known = run.request.type in KNOWN_TYPES
    skill = run.conditions.skill if known else run.conditions.unknown_skill
    good = random_numbers.random() < skill
    return random_numbers.uniform(0.75, 1.0) if good else random_numbers.uniform(0.1, 0.5)


def guard_input(run: TaskRun) -> None:
    """Flag a request that carries instructions for the agents."""
    if run.draws("injection").random() < run.conditions.violation_rate:
        policy, action = "prompt-injection", PolicyAction.FLAGGED
        emit.policy_violation(policy_id=policy, action=action, severity="high")
        run.truth.violation(run.slices(), policy=policy, action=action)


def guard_output(run: TaskRun) -> None:
    """Redact personal data in an answer."""
    if run.draws("leak", run.round).random() < run.conditions.violation_rate:
        policy, action = "personal-data", PolicyAction.REDACTED
        with emit.agent(AgentName.EXECUTOR, run.world.prompt(AgentName.EXECUTOR), span=False):
            emit.policy_violation(policy_id=policy, action=action, severity="medium")
        run.truth.violation(run.slices(AgentName.EXECUTOR), policy=policy, action=action)


def judge_task(run: TaskRun) -> None:
    """Emit the verdicts on the executor's final answer."""
    _verdict(run, "task_quality", EvaluationSource.CODE, run.quality)
    _verdict(run, "task_quality", EvaluationSource.LLM_JUDGE, run.judge_score)
    random_numbers = run.draws("judges")
    invented = random_numbers.random() < run.conditions.hallucination_rate
    groundedness = random_numbers.uniform(0.0, 0.4) if invented else random_numbers.uniform(0.85, 1.0)
    _verdict(run, "hallucination", EvaluationSource.LLM_JUDGE, round(groundedness, 3))
    if random_numbers.random() < _HUMAN_SHARE:
        _verdict(run, "task_quality", EvaluationSource.HUMAN, min(1.0, round(run.quality * 5) / 5))


def _verdict(run: TaskRun, name: str, source: EvaluationSource, score: float) -> None:
    model = run.conditions.models[AgentName.EXECUTOR].name
    with emit.agent(AgentName.EXECUTOR, run.world.prompt(AgentName.EXECUTOR), span=False):
        emit.evaluation(name=name, score=score, passed=passes(score), source=source, model=model)
    slices = run.slices(AgentName.EXECUTOR)
    run.truth.evaluation(slices, name=name, source=source, passed=passes(score), score=score, model=model)
