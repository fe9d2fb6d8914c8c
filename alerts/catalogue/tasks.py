"""KPIs of whole tasks: what a user of the agents sees."""

from typing import Final

from agentobs import contract
from agentobs.contract import Label, Outcome
from alerts.catalogue.build import DOWN, UP, mean, per, share
from alerts.catalogue.model import DAY, HOUR, MINUTE, Group, Kpi, Objective, Severity, Slo, Unit, counter

BURN_WINDOWS_S: Final = (5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY)

TASK_SUCCESS: Final = share(
    "task_success",
    "Task success",
    contract.TASK_CALLS,
    {Label.OUTCOME: Outcome.SUCCESS},
    UP,
    meaning="Share of tasks that ended with the outcome success.",
    group=Group.TASKS,
    board="fleet",
    tolerance=0.05,
    windows_s=BURN_WINDOWS_S,
    slo=Slo(target=0.95),
    regression=Severity.PAGE,
    objectives=(
        # The error budget alone would be slow: a fast burn of 5 % needs 72 % failures.
        Objective(
            alert="TasksFailing",
            target=0.85,
            window_s=5 * MINUTE,
            hold_s=2 * MINUTE,
            severity=Severity.PAGE,
            min_events=20,
        ),
    ),
)
TASK_TIMEOUTS: Final = share(
    "task_timeouts",
    "Task timeouts",
    contract.TASK_CALLS,
    {Label.OUTCOME: Outcome.TIMEOUT},
    DOWN,
    meaning="Share of tasks that ran out of time.",
    group=Group.TASKS,
    board="fleet",
    tolerance=0.05,
    diagnosed=False,
    objectives=(
        Objective(alert="TasksTimingOut", target=0.05, window_s=5 * MINUTE, hold_s=5 * MINUTE, severity=Severity.PAGE),
    ),
)
PLAN_COMPLETION: Final = per(
    "plan_completion",
    "Plan completion",
    Unit.RATIO,
    counter(contract.PLAN_STEPS, {Label.STATE: "completed"}),
    counter(contract.PLAN_STEPS, {Label.STATE: "planned"}),
    direction=UP,
    meaning="Share of planned steps that were completed.",
    group=Group.TASKS,
    by=(Label.ENVIRONMENT, Label.WORKFLOW),
    board="fleet",
    tolerance=0.05,
    diagnosed=False,
    objectives=(
        Objective(
            alert="PlansIncomplete",
            target=0.8,
            window_s=HOUR,
            hold_s=15 * MINUTE,
            severity=Severity.TICKET,
            min_events=30,
        ),
    ),
)
TASK_LATENCY: Final = mean(
    "task_latency",
    "Time per task",
    Unit.SECONDS,
    contract.TASK_DURATION,
    meaning="Seconds from the start of a task to its end.",
    group=Group.TASKS,
    board="fleet",
    tolerance=0.3,
    quantiles=(0.5, 0.95),
    objectives=(
        Objective(
            alert="TasksSlow",
            target=120,
            window_s=HOUR,
            hold_s=15 * MINUTE,
            severity=Severity.TICKET,
            quantile=0.95,
        ),
    ),
)
AGENT_RUNS_PER_TASK: Final = per(
    "agent_runs_per_task",
    "Agent runs per task",
    Unit.PER_CALL,
    counter(contract.AGENT_CALLS),
    counter(contract.TASK_CALLS),
    meaning="Agent runs for one task; more of them are loops, delegation or retries.",
    group=Group.TASKS,
    by=(Label.ENVIRONMENT,),
    board="fleet",
    tolerance=0.3,
    objectives=(
        Objective(alert="DelegationLoop", target=20, window_s=5 * MINUTE, hold_s=5 * MINUTE, severity=Severity.PAGE),
    ),
)

KPIS: Final[tuple[Kpi, ...]] = (TASK_SUCCESS, TASK_TIMEOUTS, PLAN_COMPLETION, TASK_LATENCY, AGENT_RUNS_PER_TASK)
