"""Reasons in words, with the numbers that decided."""

from typing import Final

from alerts.statistics import Outcomes
from delivery.environments.state import WHOLE
from delivery.rollout.decision import Finding
from delivery.rollout.guardrails import GUARDRAILS
from delivery.rollout.plan import SURE

_MANY: Final = 1_000_000


def _title(finding: Finding) -> str:
    return GUARDRAILS[finding.key].kpi.title


def _of(track: str, seen: Outcomes) -> str:
    return f"{track} {seen.bad:,.0f} bad of {seen.events:,.0f} ({seen.share:.1%})"


def _sides(finding: Finding) -> str:
    return f"{_of('canary', finding.canary)}, {_of('stable', finding.stable)}"


def times(evidence: float) -> str:
    """An e-value; beyond a million its digits say nothing more."""
    return f"{evidence:,.0f}" if evidence < _MANY else "over a million"


def worse(finding: Finding) -> str:
    """Why a guardrail is broken."""
    if finding.at_once:
        count = f"{finding.canary.bad:,.0f} from the canary"
        return f"{_title(finding)}: {count} reached a tool or a user, none from stable"
    return f"{_title(finding)}: {_sides(finding)}: evidence {times(finding.e_value)}, {finding.needed:,.0f} are needed"


def better(finding: Finding) -> str:
    """What an A/B comparison found."""
    return f"{_title(finding)} is better: {_sides(finding)}: evidence {times(finding.better or 0.0)}"


def both_bad(finding: Finding) -> str:
    """An incident of both tracks."""
    return f"{_title(finding)} is below its objective on both tracks: an incident, not this canary ({_sides(finding)})"


def missing(finding: Finding) -> str:
    """Series that were there when the canary began."""
    return f"{_title(finding)} has no series any more: unknown is not good"


def silent(finding: Finding, seconds: float) -> str:
    """Tasks without events of a guardrail."""
    return f"{_title(finding)}: tasks end, but nothing was counted for {_minutes(seconds)}"


def not_sure(finding: Finding) -> str:
    """Why a guardrail is not good enough yet."""
    return (
        f"{_title(finding)}: {_sides(finding)}: at most {100 * finding.bound:.1f} points worse with {SURE:.0%}"
        f" certainty, less than {100 * finding.tolerance:g} are needed"
    )


def good(sessions: float, guardrails: int) -> str:
    """Why a canary may grow."""
    return f"{sessions:,.0f} sessions on this step, and each of {guardrails} guardrails is surely good enough"


def few(sessions: float, needed: float) -> str:
    """What a minimum sample still wants."""
    return f"{sessions:,.0f} of {needed:,.0f} sessions of the canary on this step"


def early(seconds: float, needed: float) -> str:
    """What a step still wants."""
    return f"{_minutes(seconds)} of at least {_minutes(needed)} on this step"


def odd_split(seen: float, expected: float, share: int) -> str:
    """Tasks that went elsewhere than they should."""
    return (
        f"the canary has {seen:,.0f} tasks on this step, {expected:,.0f} are expected at {share / WHOLE:.2%}: sessions"
        " are not assigned as the share says, or tasks of one track are lost"
    )


def quiet(seconds: float, expected: float) -> str:
    """A canary without traffic."""
    return f"no task of the canary for {_minutes(seconds)}, though about {expected:,.0f} were its due"


def unanswered(seconds: float) -> str:
    """No reading to trust."""
    return f"no counts to trust for {_minutes(seconds)}: Prometheus gives no answer, no tasks, or fewer than before"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 as people say it
