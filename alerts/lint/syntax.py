"""Checks of a rule by itself: it parses, it is unique, its group runs often enough, its expression is no query."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as pq

from alerts.lint.model import Problem
from alerts.promql.ruleset import Rule, RuleSet
from alerts.promql.tree import walk

# `$1` is a group of label_replace; a name after `$` is a variable of a board or of an alert's template.
_VARIABLE: Final = re.compile(r"\$\{?[A-Za-z_]\w*|\[\[\w+\]\]")
_LONGEST_INTERVAL_S: Final = 300


def syntax(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """The expression is PromQL."""
    if rule.error:
        yield Problem(f"not PromQL: {rule.error}", "correct the expression")


def variable(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """No variable of a board: rules have none, so such a selector matches nothing, ever."""
    for found in dict.fromkeys(_VARIABLE.findall(rule.expr)):
        yield Problem(f"{found} is a variable of boards", "write the value, or drop the matcher")


def duplicate(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """No two rules that write the same series, and no two alerts that say the same."""
    twins = [other for other in every.rules if other.key == rule.key]
    if len(twins) > 1 and twins[0] is rule:
        yield Problem(f"{len(twins)} rules of this name and these labels", "keep one, or tell them apart by a label")
    copies = [
        other
        for other in every.rules
        if rule.is_alert and other.is_alert and other.expr == rule.expr and other.name != rule.name
    ]
    if copies and rule.name < copies[0].name:
        yield Problem(f"the same expression as {copies[0].name}", "keep one: both would fire for one reason")


def interval(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """A recorded sample goes stale after five minutes."""
    if rule.every_s > _LONGEST_INTERVAL_S:
        yield Problem(
            f"evaluated every {rule.every_s:g} s; a sample is gone after {_LONGEST_INTERVAL_S} s",
            f"{_LONGEST_INTERVAL_S} s or less",
        )


def expensive(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """An alert reads recorded series, not a subquery that computes them anew at every evaluation."""
    if rule.is_alert and rule.tree is not None:
        for node, _above in walk(rule.tree):
            if isinstance(node, pq.SubqueryExpr):
                yield Problem("a subquery in an alert", "record the inner expression and read that")
