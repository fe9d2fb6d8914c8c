"""KPIs of safety."""

from typing import Final

from agentobs import contract
from agentobs.contract import Label, PolicyAction
from alerts.catalogue.build import per
from alerts.catalogue.model import MINUTE, Group, Kpi, Objective, Severity, Unit, counter

POLICY_VIOLATIONS: Final = per(
    "policy_violations",
    "Policy violations per task",
    Unit.PER_CALL,
    counter(contract.POLICY_VIOLATIONS),
    counter(contract.TASK_CALLS),
    meaning="Policy violations for one task, whether blocked, redacted or only flagged.",
    group=Group.SAFETY,
    by=(Label.ENVIRONMENT,),
    board="quality",
    tolerance=0.5,
    objectives=(
        Objective(
            alert="PolicyViolations", target=0.1, window_s=5 * MINUTE, hold_s=5 * MINUTE, severity=Severity.TICKET
        ),
    ),
)

VIOLATIONS_PASSED: Final = per(
    "violations_passed",
    "Policy violations let through per task",
    Unit.PER_CALL,
    counter(contract.POLICY_VIOLATIONS, {Label.POLICY_ACTION: PolicyAction.FLAGGED}),
    counter(contract.TASK_CALLS),
    meaning="Policy violations for one task that were only flagged: what violated went on to a tool or a user.",
    group=Group.SAFETY,
    by=(Label.ENVIRONMENT,),
    board="quality",
    tolerance=0.5,
    diagnosed=False,
    objectives=(
        Objective(
            alert="PolicyViolationsPassed",
            target=0.05,
            window_s=5 * MINUTE,
            hold_s=5 * MINUTE,
            severity=Severity.PAGE,
        ),
    ),
)

KPIS: Final[tuple[Kpi, ...]] = (POLICY_VIOLATIONS, VIOLATIONS_PASSED)
