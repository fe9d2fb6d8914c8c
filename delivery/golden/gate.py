"""The gate: passed, regressed, undecided. Pure: runs in, a decision with reasons out.

G0 the runs fit the baseline; G1 what is never acceptable; G2 a case that was stable; G3 all cases together; G4 whether
there is enough to pass; G5 cost, tokens and calls. Why these tests and levels: docs/golden.md. Not here: running.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Final

from alerts.statistics import (
    cases_needed,
    chance_of_ratio,
    chance_of_shares,
    chance_of_strata,
    holm,
    lower_bound,
    runs_needed,
)
from delivery.golden.baseline import METRICS, Baseline, Past
from delivery.golden.criteria import Check, shown
from delivery.golden.dataset import Case, Dataset
from delivery.golden.errors import GoldenError
from delivery.golden.results import Result

LEVEL: Final = 0.01
LEAST_DROP: Final = 0.01
MARGIN: Final = 0.05
TOLERANCE: Final = 0.10
STABLE: Final = 5
"""Runs of the baseline that make a case known as stable."""
FRESH: Final = 5
"""New runs of a stable case that failed: the run that drew attention to it does not count."""


class Answer(StrEnum):
    """What the gate says, and its exit code."""

    PASSED = "passed"
    REGRESSED = "regressed"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"

    @property
    def exit_code(self) -> int:
        """0 alone is green."""
        return [*Answer].index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: which rule, about which case (none: all together), in words."""

    rule: str
    text: str
    case: str = ""
    blocks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with all reasons and the figures behind it. `bound`: how much worse it may be, in points."""

    answer: Answer
    reasons: tuple[Reason, ...]
    cases: int
    runs: int
    share_before: float
    share_now: float
    bound: float
    margin: float
    ratios: Mapping[str, float]
    deterministic: bool

    @property
    def regressed(self) -> set[str]:
        """The cases that block."""
        return {reason.case for reason in self.reasons if reason.case and reason.blocks}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A case that asks for fresh runs before anything is said of it."""

    case: str
    rule: str
    fresh: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A case: as it was, and its runs now."""

    case: Case
    past: Past
    now: Sequence[Result]

    @property
    def stable(self) -> bool:
        """Whether it is known to pass always."""
        return self.past.passed == self.past.runs and self.past.runs >= STABLE

    @property
    def hard(self) -> Check | None:
        """What is never acceptable in a run: a hard check, and any check of a critical case that always passed."""
        for result in self.now:
            if result.hard:
                return result.hard[0]
            if self.case.example.critical and result.failed and self.past.passed == self.past.runs:
                return result.failed[0]
        return None

    @property
    def difference(self) -> float:
        """Share of passed runs now less than before: negative is worse."""
        return _share(self.now) - self.past.passed / self.past.runs


def belongs(dataset: Dataset, cases: Sequence[Case], baseline: Baseline, judge: str = "") -> None:
    """G0: the baseline is of this very dataset and judge, and knows every case. Raises GoldenError."""
    if baseline.judge != judge:
        raise GoldenError(
            f"the baseline was judged by {baseline.judge or 'nobody'}, these runs are by {judge or 'nobody'}; fix: the "
            "same --judge and calibration, or agentobs golden bless"
        )
    if baseline.digest != dataset.digest:
        raise GoldenError(
            f"the baseline is of {baseline.dataset}, the dataset is {dataset.reference}; fix: run the gate on the "
            "dataset of the baseline, or agentobs golden bless"
        )
    for case in cases:
        if case.example.id not in baseline.cases:
            raise GoldenError(
                f"{dataset.where(case)}: case {case.example.id} is not in the baseline; fix: agentobs golden bless"
            )


def paired(dataset: Dataset, cases: Sequence[Case], baseline: Baseline, results: Sequence[Result]) -> list[Compared]:
    """G0 again: every case with its past and its runs. Raises GoldenError where runs are missing."""
    by_case: dict[str, list[Result]] = {}
    for result in results:
        by_case.setdefault(result.case, []).append(result)
    most = max(map(len, by_case.values()), default=1)
    for case in cases:
        if (count := len(by_case.get(case.example.id, ()))) < most:
            raise GoldenError(
                f"{dataset.where(case)}: case {case.example.id} has {count} of {most} runs; fix: run it with --resume"
            )
    return [Compared(case, baseline.cases[case.example.id], by_case[case.example.id]) for case in cases]


def suspects(compared: Sequence[Compared], baseline: Baseline) -> Iterator[Suspect]:
    """Cases that ask for fresh runs: G1 once, G2 five times; where every run is alike once shows it."""
    for each in compared:
        name = each.case.example.id
        if each.hard is not None:
            yield Suspect(name, "G1", 1)
        elif each.stable and not all(result.passed for result in each.now):
            yield Suspect(name, "G2", 1 if baseline.deterministic else FRESH)


def decide(
    compared: Sequence[Compared],
    baseline: Baseline,
    fresh: Mapping[str, Sequence[Result]],
    margin: float = MARGIN,
) -> Decision:
    """What may be said. `fresh` are the new runs of the suspects."""
    reasons = [*_hard(compared, fresh), *_stable(compared, baseline, fresh), *_together(compared)]
    ratios = {metric: _logarithms(compared, metric) for metric in METRICS}
    reasons += _use(ratios)
    differences = [*_by_cluster(compared).values()]
    bound = lower_bound(differences)
    doubts = [*_too_little(compared, differences, bound, margin)]
    if baseline.runs < STABLE and not baseline.deterministic:
        doubts.append(
            Reason(
                rule="G2",
                blocks=False,
                text=f"the baseline has {baseline.runs} runs per case: one broken case is not told from a flicker; "
                "fix: agentobs golden bless --runs 10",
            )
        )
    doubts += _unjudged(compared)
    blocking = any(reason.blocks for reason in reasons)
    open_ones = [reason for reason in reasons if not reason.blocks] + doubts
    answer = Answer.REGRESSED if blocking else Answer.UNDECIDED if open_ones else Answer.PASSED
    return Decision(
        answer=answer,
        reasons=(*sorted(reasons, key=lambda reason: (not reason.blocks, bool(reason.case))), *doubts),
        cases=len(compared),
        runs=len(compared[0].now),
        share_before=fmean(each.past.passed / each.past.runs for each in compared),
        share_now=fmean(_share(each.now) for each in compared),
        bound=bound,
        margin=margin,
        ratios={metric: math.exp(fmean(values)) if values else 1.0 for metric, values in ratios.items()},
        deterministic=baseline.deterministic,
    )


def _hard(compared: Sequence[Compared], fresh: Mapping[str, Sequence[Result]]) -> Iterator[Reason]:
    for each in compared:
        check, name = each.hard, each.case.example.id
        if check is None:
            continue
        again = fresh.get(name, ())
        if not again:
            yield Reason(rule="G1", case=name, blocks=False, text=f"{_told(check)}; not run again, so not certain")
        elif Compared(each.case, each.past, again).hard is not None:
            yield Reason(rule="G1", case=name, text=f"{_told(check)}; seen again")


def _stable(
    compared: Sequence[Compared], baseline: Baseline, fresh: Mapping[str, Sequence[Result]]
) -> Iterator[Reason]:
    broken = [each for each in compared if each.stable and not each.hard and not all(run.passed for run in each.now)]
    chances: list[float | None] = []
    for each in broken:
        again = fresh.get(each.case.example.id, ())
        failures = sum(not result.passed for result in again)
        chances.append(chance_of_shares(0, each.past.runs, failures, len(again)) if again else None)
    beyond = holm(chances, LEVEL)
    for number, each in enumerate(broken):
        name, again = each.case.example.id, fresh.get(each.case.example.id, ())
        failures = sum(not result.passed for result in again)
        if not again:
            yield Reason(rule="G2", case=name, blocks=False, text=f"{_first(each)}; not run again, so not certain")
        elif number in beyond or (baseline.deterministic and failures):
            often = f"passed {each.past.passed} of {each.past.runs}, failed {failures} of {len(again)} new runs"
            yield Reason(rule="G2", case=name, text=f"{often}: {_first(each)}")


def _first(each: Compared) -> str:
    """The first check that fails now, and the first step that the baseline did otherwise."""
    result = next(run for run in each.now if not run.passed)
    told = _told(result.failed[0])
    sides = ((each.past.path, result.path), (each.past.tools, result.tools))
    for kind, (before, now) in zip(("agent", "tool"), sides, strict=True):
        for number in range(max(len(before), len(now))):
            was, here = (_step(side[number]) if number < len(side) else "nothing" for side in (before, now))
            if was != here:
                return f"{told}; {kind} {number + 1} was {was}, is {here}"
    return told


def _step(step: str | Sequence[str]) -> str:
    return step if isinstance(step, str) else shown([step])


def _told(check: Check) -> str:
    step = f" (step {check.step})" if check.step else ""
    return f"{check.name}{step}: expected {check.expected}, got {check.got}"


def _together(compared: Sequence[Compared]) -> Iterator[Reason]:
    """G3: more failures than chance in all cases together, each compared with itself, and by a point at least."""
    clusters: dict[str, list[float]] = {}
    for each in compared:
        sums = clusters.setdefault(each.case.example.cluster or f"/{each.case.example.id}", [0.0] * 4)
        failed = sum(not result.passed for result in each.now)
        for number, value in enumerate((each.past.runs - each.past.passed, each.past.runs, failed, len(each.now))):
            sums[number] += value
    chance = chance_of_strata([(sums[0], sums[1], sums[2], sums[3]) for sums in clusters.values()])
    drop = -fmean(each.difference for each in compared)
    if chance <= LEVEL and drop >= LEAST_DROP:
        worst = sorted((each for each in compared if each.difference < 0), key=lambda each: each.difference)
        named = ", ".join(each.case.example.id for each in worst[:5])
        yield Reason(rule="G3", text=f"{100 * drop:.1f} points fewer runs pass (chance {chance:.2g}); worst: {named}")


def _use(ratios: Mapping[str, Sequence[float]]) -> Iterator[Reason]:
    """G5: cost, tokens and calls per case, beyond chance and beyond the tolerance."""
    chances = [chance_of_ratio(values) if values else None for values in ratios.values()]
    for number in sorted(holm(chances, LEVEL)):
        metric = [*ratios][number]
        mean = fmean(ratios[metric])
        if mean > math.log1p(TOLERANCE):
            yield Reason(rule="G5", text=f"{metric} is {math.exp(mean):.2f} times what it was, beyond {TOLERANCE:.0%}")


def _logarithms(compared: Sequence[Compared], metric: str) -> list[float]:
    found = []
    for each in compared:
        valid = [getattr(result, metric) for result in each.now if not result.invalid]
        before = getattr(each.past, metric)
        if valid and before > 0 and fmean(valid) > 0:
            found.append(math.log(fmean(valid) / before))
    return found


def _by_cluster(compared: Sequence[Compared]) -> dict[str, float]:
    """The mean difference of every cluster: cases that depend on each other count as one."""
    clusters: dict[str, list[float]] = {}
    for each in compared:
        clusters.setdefault(each.case.example.cluster or f"/{each.case.example.id}", []).append(each.difference)
    return {cluster: fmean(values) for cluster, values in clusters.items()}


def _too_little(
    compared: Sequence[Compared], differences: Sequence[float], bound: float, margin: float
) -> Iterator[Reason]:
    """G4: it may be worse by more than the margin without showing; what would decide it."""
    if bound > -margin:
        return
    mean = fmean(differences)
    within = fmean(_variance(each) for each in compared)
    more = cases_needed(differences, margin)
    runs = runs_needed(differences, within, len(compared[0].now), margin)
    ways = [
        *([f"{more - len(differences)} more cases"] if more and more > len(differences) else []),
        *([f"{runs} runs each"] if runs and min(differences) < 0 else []),
    ]
    would = f"; {' or '.join(ways)} would decide" if ways else "; more runs would not decide it, a better system would"
    worse = f"{-100 * mean:.1f} points worse" if mean < 0 else "not worse"
    text = f"cannot tell: {worse}, could be {-100 * bound:.1f} (margin {100 * margin:g}){would}"
    yield Reason(rule="G4", blocks=False, text=text)


def _unjudged(compared: Sequence[Compared]) -> Iterator[Reason]:
    """A judge that says nothing is no reason to block, and none to pass."""
    for each in compared:
        if missing := sorted({criterion for result in each.now for criterion in result.unjudged}):
            text = f"the judge gave no verdict on {', '.join(missing)}"
            yield Reason(rule="judge", case=each.case.example.id, blocks=False, text=text)


def _variance(each: Compared) -> float:
    share = (each.past.passed + sum(result.passed for result in each.now)) / (each.past.runs + len(each.now))
    return share * (1 - share)


def _share(results: Sequence[Result]) -> float:
    return sum(result.passed for result in results) / len(results)
