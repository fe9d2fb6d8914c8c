"""The quick checks of an alert: first whether it is true, then how far it reaches, then since which version and where.

One alert's name can have several rules (error budgets, severities): each is shown, what they share once.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

from alerts import alerting
from alerts.alerting import Alert
from alerts.alerting.condition import WORDS, Comparison, Role
from alerts.evidence import narrow, spans, versions
from alerts.evidence.model import About, QuickCheck
from alerts.evidence.narrow import Mark
from alerts.timing import PRODUCTION, Timing

_ABSENT = "absent("
_ABOUT: Final = {Role.VALUE: About.VALUE, Role.GUARD: About.GUARD, Role.ENDS: About.ENDS}


@cache
def rules_of(name: str, timing: Timing = PRODUCTION) -> tuple[Alert, ...]:
    """The rules of an alert. Raises KeyError."""
    found = tuple(alert for alert in alerting.alerts(timing) if alert.name == name)
    if not found:
        raise KeyError(f"no alert is called {name}")
    return found


@cache
def quick_checks(name: str, mark: Mark = Mark.EXACT, timing: Timing = PRODUCTION) -> tuple[QuickCheck, ...]:
    """All quick checks of an alert, in the order in which they are to be asked; `timing` as its rules have it.

    Raises KeyError.
    """
    rules = rules_of(name, timing)
    found: dict[str, QuickCheck] = {}
    for check in _all(rules, mark):
        found.setdefault(check.text, check)
    return tuple(found.values())


def _all(rules: tuple[Alert, ...], mark: Mark) -> Iterator[QuickCheck]:
    first = rules[0]
    for rule in rules:
        yield _fired(rule, mark, alone=len(rules) == 1)
        yield from _values(rule, mark, alone=len(rules) == 1)
    yield QuickCheck(
        title="How far it reaches",
        about=About.REACH,
        query=f'ALERTS{{alertname="{first.name}"}}',
        shows="Every instance that waits (pending) or fires. One: it is this one. Many: look for what they share.",
    )
    asked = (versions.by_version(first, mark), versions.changed_lately(first, mark))
    yield from (check for check in (*asked, spans.traces(first, mark), spans.logs(first, mark)) if check is not None)


def _which(rule: Alert) -> str:
    """Tells the rules of one name apart."""
    windows = f", over {rule.labels['long']} and {rule.labels['short']}" if "long" in rule.labels else ""
    return f" ({rule.severity}{windows})"


def _fired(rule: Alert, mark: Mark, *, alone: bool) -> QuickCheck:
    return QuickCheck(
        title=f"What fired{'' if alone else _which(rule)}",
        about=About.RULE,
        query=narrow.of(rule, mark),
        shows="The rule itself, for this instance. A result: it holds now. Nothing: it does not hold any more.",
        answers=alone,
    )


def _values(rule: Alert, mark: Mark, *, alone: bool) -> Iterator[QuickCheck]:
    every = [*rule.condition.comparisons()]
    values = [each for each in every if each.role is Role.VALUE]
    for condition in every:
        if alone or condition.role is Role.VALUE:
            # Of several values one is enough for the alert.
            which = "" if alone else _which(rule)
            yield from _condition(rule, condition, which, mark, sure=alone and len(values) == 1)


def _condition(rule: Alert, condition: Comparison, which: str, mark: Mark, *, sure: bool) -> Iterator[QuickCheck]:
    names = [name for name in narrow.identity(rule.name) if condition.on is None or name in condition.on]
    query = condition.value
    if query.startswith(_ABSENT):
        query = query.removeprefix(_ABSENT).removesuffix(")")
    yield QuickCheck(
        title=_title(condition) + which,
        about=About.MISSING if condition.value.startswith(_ABSENT) else _ABOUT[condition.role],
        query=narrow.narrowed(query, names, mark),
        shows=_shows(condition),
        answers=sure and condition.role is not Role.ENDS and not condition.value.startswith(_ABSENT),
        value=condition.role is Role.VALUE,
        operator=condition.operator,
        threshold=condition.number if condition.is_number else None,
        above=condition.is_above,
    )
    if condition.is_asked:
        threshold = narrow.narrowed(condition.threshold_text, names, mark)
        yield QuickCheck(
            title="Its threshold",
            about=About.THRESHOLD,
            query=threshold,
            shows="What the value above is compared with.",
            answers=sure,
        )


def _title(condition: Comparison) -> str:
    if condition.role is Role.GUARD and condition.value.startswith("kpi:") and ":events" in condition.value:
        return "Events that it rests on"
    if condition.role is Role.GUARD and condition.value.startswith("round("):
        return "Bad ones among them"
    return {Role.VALUE: "The value", Role.GUARD: "What must hold too", Role.ENDS: "What ends it"}[condition.role]


def _shows(condition: Comparison) -> str:
    words = WORDS.get(condition.operator, "")
    threshold = "its threshold, which the next query shows" if condition.is_asked else condition.threshold_text
    if condition.value.startswith(_ABSENT):
        return "What is missing. A result: it is there again."
    match condition.role:
        case Role.VALUE if words:
            return f"How far it is: it counts as trouble {words} {threshold}."
        case Role.VALUE:
            return "What is compared; the alert needs it to be there."
        case Role.GUARD:
            return f"The alert also needs this to be {words or 'there'} {threshold if words else ''}".rstrip() + "."
        case Role.ENDS:
            return (
                f"The alert ends when this is {words} {threshold}." if words else "The alert ends when this is there."
            )
