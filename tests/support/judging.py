"""Whether a diagnosis is right about a trial: what counts as right is written down here and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.signals import Label
from runbooks.report import Diagnosis, Hypothesis, Origin
from support.trials import THIN, Change, Fault, Trial

_ACCUSED = 0.5
"""A version with this much confidence counts as accused."""


@dataclass(frozen=True)
class Judgement:
    """`top1`: the first hypothesis is a true cause (or none is named where nothing broke). `top3`: every true cause is
    among the first three. `wronged`: innocent versions that are accused. `since_s`: error of the moment, seconds."""

    top1: bool
    top3: bool
    wronged: int
    since_s: float | None
    undecided: bool


def judge(trial: Trial, found: Diagnosis, times: Sequence[float]) -> Judgement:
    """Compare; `times` (unix seconds) are when each equal part of the run began."""
    tops = found.hypotheses[:3]
    wronged = sum(1 for h in tops if h.culprit and h.confidence >= _ACCUSED and not _is_true(trial, h))
    since = None
    if trial.faults and tops and _is_true(trial, tops[0]):
        fault = next(fault for fault in trial.faults if _names(tops[0], fault))
        since = tops[0].since - times[min(len(times) - 1, int(fault.at * len(times)))]
    if not trial.faults:
        return Judgement(not tops, not tops, wronged, None, bool(found.undecided))
    if trial.kind == THIN and not tops:
        return Judgement(True, True, 0, None, bool(found.undecided))
    return Judgement(
        top1=bool(tops) and _is_true(trial, tops[0]),
        top3=all(any(_names(h, fault) for h in tops) for fault in trial.faults),
        wronged=wronged,
        since_s=since,
        undecided=bool(found.undecided) and not tops,
    )


def _is_true(trial: Trial, hypothesis: Hypothesis) -> bool:
    return any(_names(hypothesis, fault) for fault in trial.faults)


def _names(hypothesis: Hypothesis, fault: Fault) -> bool:
    if fault.change is not None:
        return hypothesis.culprit is not None and _is_change(hypothesis, fault.change)
    if hypothesis.culprit is not None:
        return False
    if not fault.entity:
        # Inputs that change are nobody's: an agent that shows it is right only where drift is named.
        return hypothesis.origin is Origin.DATA_DRIFT or not {Label.TOOL, Label.AGENT} & hypothesis.subject.keys()
    return fault.entity in hypothesis.subject.values()


def _is_change(hypothesis: Hypothesis, change: Change) -> bool:
    accused = hypothesis.culprit
    if accused is None or (accused.dimension, accused.previous) == ("", ""):
        return False
    entity = {"tool": accused.tool, "prompt": accused.agent, "model": accused.agent, "graph": ""}[accused.dimension]
    versions = {"model": (f"{change.entity}-model-{change.old}", f"{change.entity}-model-{change.new}")}
    wanted = versions.get(change.dimension, (change.old, change.new))
    return (accused.dimension, entity, accused.previous, accused.version) == (
        change.dimension,
        change.entity,
        *wanted,
    )
