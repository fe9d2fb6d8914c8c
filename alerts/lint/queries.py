"""Checks of queries that people read in a runbook and run by hand: they parse, and read what exists.

`$label` stands for the value of an alert's label. Such a matcher is taken to hold any value, none too.
"""

import re
from collections.abc import Iterator
from typing import Final

from alerts.instances import every_rule
from alerts.lint import joins, metrics, syntax
from alerts.lint.model import Check, Problem
from alerts.promql.ruleset import Rule, read

_CHECKS: Final[tuple[Check, ...]] = (
    syntax.syntax, metrics.counter, metrics.gauge, metrics.unknown, metrics.impossible, joins.matching, joins.many,
    joins.carried,
)  # fmt: skip
# The whole value of a matcher, so that it can hold anything; inside a longer text it is only a text.
_WHOLE: Final = re.compile(r'(=~?)\s*"\$\{?\w+\}?"')


def problems(query: str) -> Iterator[Problem]:
    """What is wrong with a PromQL query."""
    rule = _rule(_WHOLE.sub('=~".*"', query))
    for check in _CHECKS:
        yield from check(rule, every_rule())


def _rule(expr: str) -> Rule:
    tree, error = read(expr)
    return Rule(
        name="", expr=expr, is_alert=False, labels={}, annotations={}, hold_s=0, every_s=0, tree=tree, error=error
    )
