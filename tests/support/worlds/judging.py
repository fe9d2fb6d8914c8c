"""Whether a diagnosis is right about a world: what counts as right is written down here and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agentobs.contract import Label
from runbooks.why.document import Diagnosis, Hypothesis, Origin, Status, Verdict
from support.worlds.model import GRAPH, TOOL, Cause, State, World

ACCUSED: Final = 0.5
"""A version with this much confidence counts as accused."""
_FIRST: Final = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer is worth.

    `top1`: the first hypothesis is a true cause (in a healthy world: nothing is named; where data are too few: it says
    so). `top3`: every true cause is among the first three. `wronged`: innocent versions that are accused; `stray`:
    everything else that is named with as much confidence and is no true cause. `named`: anything at all is named
    although nothing broke. `missed`: something broke and nothing is named. `resolved`: whether what is over is said to
    be over and what goes on to go on, None where the cause was not found. `since_s`: error of the moment.
    """

    top1: bool
    top3: bool
    wronged: int
    stray: int
    named: bool
    missed: bool
    resolved: bool | None
    since_s: float | None
    first: str


def judge(world: World, found: Diagnosis, start: float, at: float | None = None) -> Judgement:
    """Compare. The world began at `start`; the question came at `at` (both unix seconds), by default at its end.

    A fault that has not begun when the question comes is no fault yet, and one that goes on then is open.
    """
    asked = (at if at is not None else start + world.seconds) - start
    causes = [cause for cause in world.truth.causes if cause.at < asked]
    named = found.hypotheses
    sure = [h for h in named if h.confidence >= ACCUSED and not _is_one(world, h, causes)]
    wronged = len({_version(h) for h in sure if h.culprit})
    stray = sum(1 for h in sure if not h.culprit)
    first = named[0] if named else None
    true = next((cause for cause in causes if first and names(world, first, cause)), None)
    top1, top3 = _tops(world, found, causes, true)
    return Judgement(
        top1=top1,
        top3=top3,
        wronged=wronged,
        stray=stray,
        named=not causes and bool(named),
        missed=bool(causes) and not named and not top1,
        resolved=_resolved(world, found, true, asked) if first and true else None,
        since_s=first.since - start - true.at if first and true and true.at > 0 else None,
        first=said(found),
    )


def _tops(world: World, found: Diagnosis, causes: Sequence[Cause], true: Cause | None) -> tuple[bool, bool]:
    named = found.hypotheses
    if not causes:
        return not named, not named
    if world.truth.weak and not named and found.verdict is Verdict.NOT_ENOUGH_DATA:
        return True, True
    return true is not None, all(any(names(world, h, cause) for h in named[:_FIRST]) for cause in causes)


def _is_one(world: World, hypothesis: Hypothesis, causes: Sequence[Cause]) -> bool:
    return any(names(world, hypothesis, cause) for cause in causes)


def _resolved(world: World, found: Diagnosis, cause: Cause, asked: float) -> bool:
    over = cause.state is State.OVER and _end(world, cause) <= asked
    said_over = found.verdict is Verdict.RESOLVED and found.hypotheses[0].status is not Status.OPEN
    return over == said_over


def _end(world: World, cause: Cause) -> float:
    """When a cause that is over ended."""
    ends = [change.until for change in world.changes if change.new == cause.version and change.entity == cause.entity]
    ends += [fault.until for fault in world.faults]
    return min((end for end in ends if end is not None), default=world.seconds)


def names(world: World, hypothesis: Hypothesis, cause: Cause) -> bool:
    """Whether a hypothesis is a cause: the same version of the same thing, or the same place without a version."""
    accused = hypothesis.culprit
    if cause.dimension:
        if accused is None:
            return False
        entity = {TOOL: accused.tool, GRAPH: cause.entity}.get(accused.dimension, accused.agent)
        said_ = (accused.dimension, entity, accused.version, accused.previous)
        return said_ == (cause.dimension, cause.entity, cause.version, cause.previous)
    if accused is not None or cause.new != (hypothesis.origin is Origin.NEW):
        return False
    tool, agent = (hypothesis.subject.get(label, "") for label in (Label.TOOL, Label.AGENT))
    drift = hypothesis.origin is Origin.DATA_DRIFT
    if cause.drift:
        return drift  # whoever shows it
    if drift and cause.drift is not None:
        return False
    if cause.tool and cause.agent:
        return agent == cause.agent and tool in {"", cause.tool}
    if cause.tool and agent:
        # Narrower than it is, unless this agent alone uses the tool.
        return tool == cause.tool and [one.name for one in world.agents if tool in one.tools] == [agent]
    return (tool, agent) == (cause.tool, cause.agent)


def _version(hypothesis: Hypothesis) -> tuple[str | None, ...]:
    accused = hypothesis.culprit
    return (accused.dimension, accused.tool, accused.agent, accused.version) if accused else ()


def said(found: Diagnosis) -> str:
    """The verdict and its hypotheses, in short."""
    listed = "; ".join(f"{h.confidence:.2f} {h.status} {h.title[:90]}" for h in found.hypotheses[:4])
    return f"{found.verdict}: {listed}" if listed else str(found.verdict)
