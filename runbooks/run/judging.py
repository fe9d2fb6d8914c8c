"""What an answer means: a verdict and a sentence for each kind of quick check."""

import operator as op
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agentobs.contract import ABSENT
from alerts.alerting.condition import WORDS
from alerts.evidence import About, QuickCheck
from runbooks import wording
from runbooks.run.document import Result, Verdict

_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "==": op.eq, "!=": op.ne,
}  # fmt: skip
_SHOWN: Final = 5
_LONG: Final = 160
_VERSION: Final = "_version"
Judged = tuple[Verdict, str]
_UNKNOWN: Final = "nothing was recorded for these labels lately, or one of them is misspelt"


def judge(  # noqa: PLR0911 a case per kind
    check: QuickCheck, results: Sequence[Result], labels: Mapping[str, str], now: float, most: int
) -> Judged:
    """The verdict on an answer, and the sentence that says why; `most` is how many results were asked for."""
    match check.about:
        case About.RULE:
            return _rule(results)
        case About.VALUE | About.GUARD | About.ENDS:
            return _condition(check, results)
        case About.MISSING:
            there = (Verdict.DOES_NOT_HOLD, "it is there again")
            return there if results else (Verdict.HOLDS, "it is missing still")
        case About.THRESHOLD:
            return (Verdict.FOUND, _number(results[0])) if results else (Verdict.NOTHING, _UNKNOWN)
        case About.REACH:
            return _reach(results)
        case About.VERSIONS:
            return _versions(results, labels)
        case About.CHANGES:
            return _changes(results, labels, now)
        case About.TRACES | About.LINES:
            return _found(check.about, results, most)


def compared(check: QuickCheck, results: Sequence[Result], threshold: float) -> Judged:
    """A value against its threshold: the worst of several counts."""
    words, holds = WORDS[check.operator], _COMPARED[check.operator]
    value = (max if check.operator in {">", ">="} else min)(_values(results))
    if not holds(value, threshold):
        return Verdict.DOES_NOT_HOLD, f"{value:.4g} is not {words} {threshold:.4g}"
    ends = ", so the alert ends" if check.about is About.ENDS else ""
    return Verdict.HOLDS, f"{value:.4g} is {words} {threshold:.4g}{ends}"


def _rule(results: Sequence[Result]) -> Judged:
    if not results:
        return Verdict.DOES_NOT_HOLD, "the condition does not hold any more"
    more = f", and {len(results) - 1} more" if len(results) > 1 else ""
    return Verdict.HOLDS, f"the condition holds now, with the value {_number(results[0])}{more}"


def _condition(check: QuickCheck, results: Sequence[Result]) -> Judged:
    if not results:
        return Verdict.NOTHING, "nothing ends the alert" if check.about is About.ENDS else _UNKNOWN
    if not check.operator:
        return Verdict.HOLDS, f"it is there, with the value {_number(results[0])}"
    if check.threshold is None:
        return Verdict.FOUND, _number(results[0])
    return compared(check, results, check.threshold)


def _reach(results: Sequence[Result]) -> Judged:
    states = [result.labels.get("alertstate", "firing") for result in results]
    if not states:
        return Verdict.NOTHING, "no instance of it waits or fires"
    share = "; look for what they share" if len(states) > 1 else ", this one alone"
    return Verdict.FOUND, f"{states.count('firing')} firing, {states.count('pending')} pending{share}"


def _versions(results: Sequence[Result], labels: Mapping[str, str]) -> Judged:
    if not results:
        return Verdict.NOTHING, "no version with enough events ran within the last hour"
    each = _listed(results, lambda result: f"{_who(result, labels)}: {_number(result)}")
    hint = "nothing to compare it with" if len(results) == 1 else "is one worse than the others, it is the version"
    return Verdict.FOUND, f"{each} ({hint})"


def _changes(results: Sequence[Result], labels: Mapping[str, str], now: float) -> Judged:
    if not results:
        return Verdict.NOTHING, "no version changed within a day"
    newest = sorted(results, key=lambda result: -(result.value or 0))
    each = _listed(newest, lambda result: f"{_who(result, labels)} {_ago(now - (result.value or 0))} ago")
    return Verdict.FOUND, f"first seen: {each}"


def _found(about: About, results: Sequence[Result], most: int) -> Judged:
    what = "trace" if about is About.TRACES else "line"
    if not results:
        return Verdict.NOTHING, f"no kept {what} is like that in this window"
    count = f"{len(results)}{' or more' if len(results) >= most else ''} {what}{'s' if len(results) > 1 else ''}"
    first = results[0].labels
    if about is About.TRACES:
        return Verdict.FOUND, f"{count}, the newest {first['trace_id']}"
    newest = " ".join((first["text"] or first["event"] or first["severity"]).split())
    return Verdict.FOUND, f"{count}, the newest of {first['service'] or 'no service'}: {newest[:_LONG]}"


def _listed(results: Sequence[Result], said: Callable[[Result], str]) -> str:
    rest = f", {len(results) - _SHOWN} more" if len(results) > _SHOWN else ""
    return ", ".join(said(result) for result in results[:_SHOWN]) + rest


def _who(result: Result, labels: Mapping[str, str]) -> str:
    """What tells it from the others of its answer."""
    said = [
        f"{label.removesuffix(_VERSION)} {value}" if label.endswith(_VERSION) else value
        for label, value in result.labels.items()
        if value not in {"", ABSENT, labels.get(label)} and label not in {"__name__", "kpi"}
    ]
    return " ".join(said) or "this"


def _values(results: Sequence[Result]) -> list[float]:
    return [result.value for result in results if result.value is not None]


def _number(result: Result) -> str:
    return f"{result.value:.4g}"


def _ago(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours} h" if hours else wording.ago(max(0.0, seconds))
