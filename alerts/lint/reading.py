"""Checks of queries that people read in a runbook and run by hand: they parse, and read what exists.

`$label` stands for the value of an alert's label. Such a matcher is taken to hold any value, none too.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from alerts import alerting, rules
from alerts.alerting import Alert
from alerts.lint import joins, metrics, model, syntax
from alerts.lint.model import Check, Problem, Rule, RuleSet
from alerts.lint.tree import parse
from alerts.timing import PRODUCTION

_CHECKS: Final[tuple[Check, ...]] = (
    syntax.syntax, metrics.counter, metrics.gauge, metrics.unknown, metrics.impossible, joins.matching, joins.many,
    joins.carried,
)  # fmt: skip
# The whole value of a matcher, so that it can hold anything; inside a longer text it is only a text.
_WHOLE: Final = re.compile(r'(=~?)\s*"\$\{?\w+\}?"')


@cache
def known() -> RuleSet:
    """Every rule there is, at production times."""
    return RuleSet(tuple(model.rules([*rules.recording_groups(), *rules.alert_groups()])))


def problems(query: str) -> Iterator[Problem]:
    """What is wrong with a PromQL query."""
    rule = _rule(_WHOLE.sub('=~".*"', query))
    for check in _CHECKS:
        yield from check(rule, known())


def _rule(expr: str) -> Rule:
    tree, error = None, ""
    try:
        tree = parse(expr)
    except ValueError as problem:
        error = str(problem)
    return Rule(
        name="", expr=expr, is_alert=False, labels={}, annotations={}, hold_s=0, every_s=0, tree=tree, error=error
    )


@cache
def identity_of(alert: str) -> tuple[str, ...]:
    """Labels that tell the instances of an alert apart, over all rules of its name: those it is grouped by first.

    Where nobody knows the labels of a series (programs that are not ours), the expression adds none. Raises KeyError.
    """
    found: dict[str, None] = {}
    for each in _of(alert):
        found |= dict.fromkeys(map(str, each.by))
        for variant in known().shape(parse(each.expr)) or ():
            found |= dict.fromkeys(variant.by_name)
    return tuple(found)


@cache
def required_of(alert: str) -> tuple[str, ...]:
    """Of those labels the ones that every instance of the alert has. Raises KeyError."""
    each_has = [
        set(variant.by_name) for each in _of(alert) for variant in known().shape(parse(each.expr)) or ()
    ]  # of series that are not ours nobody knows it: they have what the expression groups by
    return tuple(label for label in identity_of(alert) if all(label in labels for labels in each_has))


@cache
def labels_of(alert: str) -> tuple[str, ...]:
    """All labels that an alert has: those of its instances, then those that are the same for all. Raises KeyError."""
    own = dict.fromkeys(label for each in _of(alert) for label in each.labels)
    return tuple({**dict.fromkeys(identity_of(alert)), **dict.fromkeys(("severity", "owner", "family")), **own})


@cache
def _of(name: str) -> list[Alert]:
    found = [each for each in alerting.alerts(PRODUCTION) if each.name == name]
    if not found:
        raise KeyError(f"no alert is called {name}")
    return found
