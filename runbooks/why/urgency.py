"""Say, in between: which of several findings comes first."""

from collections.abc import Sequence
from typing import Final

from alerts.catalogue import PROBABLE
from runbooks.why.document import Hypothesis, Origin, Status
from runbooks.why.findings import Finding

_RECENT_S: Final = 900.0
"""An environment at work so lately counts as at work."""
_TOGETHER_S: Final = 20.0
"""What begins so soon after a version came may be its doing, by way of the machine."""
_FAILS: Final = frozenset(
    {
        "task_success", "agent_success", "tool_success", "tool_timeouts", "model_success", "evaluation_pass",
        "hallucination", "policy_violations",
    }
)  # fmt: skip
"""KPIs whose harm is a wrong, unsafe or missing answer, not a late or expensive one."""


def ordered(found: Sequence[Finding], end: float) -> list[Finding]:
    """The findings of a window that ends at `end` (unix seconds), the most urgent first."""
    return sorted(found, key=lambda finding: _urgency(finding, found, end))


def _urgency(finding: Finding, every: Sequence[Finding], end: float) -> tuple[bool, bool, bool, bool, float]:
    """What harms now comes before what is over; failures before slowness and cost; then what can be rolled back.

    Slowness that begins right after a version came may be what that version does to the machine: tasks that it spoils
    count for both.
    """
    document = finding.document
    idle = finding.examination.span.end < end - _RECENT_S
    guilty = _is_guilty(document)
    fails = _fails(document) or (guilty and any(_follows(other, finding) for other in every))
    strongest = max(symptom.comparison.z for symptom in finding.incident.symptoms)
    return document.status is not Status.OPEN, idle, not fails, not guilty, -strongest


def _is_guilty(document: Hypothesis) -> bool:
    return document.origin in {Origin.VERSION, Origin.NEW} and document.confidence >= PROBABLE


def _fails(document: Hypothesis) -> bool:
    return document.harm.tasks > 0 or document.harm.kpi in _FAILS


def _follows(other: Finding, guilty: Finding) -> bool:
    """Whether slowness that spoils tasks began when a version came that has broken something."""
    mine, its = guilty.document, other.document
    here = other.examination is guilty.examination and its.status is mine.status
    soon = -_TOGETHER_S / 2 <= its.since - mine.since <= _TOGETHER_S
    slow = its.harm.tasks > 0 and its.harm.kpi not in _FAILS
    return here and soon and slow and not _is_guilty(its)
