"""Checks of rendered rules for what promtool accepts and what is wrong all the same. Pure functions, no network.

Each check is a function whose name is the name of the check. Not here: whether a rule fires when it should
(`tests/rules`), PromQL itself (promtool).
"""

from collections.abc import Iterable
from typing import Final

from alerts.lint import alerting, grouping, joins, metrics, syntax, templates
from alerts.lint.model import Check, Finding, Problem
from alerts.promql.ruleset import Document, Rule, RuleSet, rules

__all__ = ["CHECKS", "Finding", "Problem", "Rule", "RuleSet", "findings", "unread"]

CHECKS: Final[tuple[Check, ...]] = (
    syntax.syntax,
    syntax.variable,
    syntax.duplicate,
    syntax.interval,
    syntax.expensive,
    metrics.counter,
    metrics.gauge,
    metrics.window,
    metrics.unknown,
    metrics.impossible,
    metrics.regexp,
    metrics.environment,
    alerting.comparison,
    alerting.hold,
    alerting.absent,
    alerting.labels,
    alerting.annotations,
    alerting.topic,
    templates.template,
    templates.template_label,
    templates.template_query,
    joins.matching,
    joins.many,
    joins.carried,
    joins.fragile,
    grouping.instances,
    grouping.unbounded,
)


def name(check: Check) -> str:
    """The name of a check."""
    return str(getattr(check, "__name__"))  # noqa: B009 a Callable has no __name__ for the type checker


def findings(groups: Iterable[Document]) -> list[Finding]:
    """Everything wrong in rule groups, in the order of the rules. Give recording rules too: alerts are read by them."""
    every = RuleSet(tuple(rules(groups)))
    return [
        Finding(rule=rule.name, check=name(check), message=problem.message, fix=problem.fix)
        for rule in every.rules
        for check in CHECKS
        for problem in check(rule, every)
    ]


def unread(groups: Iterable[Document]) -> list[str]:
    """Recorded series that no rule reads. Most are for panels, so this is a list and not a finding."""
    every = RuleSet(tuple(rules(groups)))
    read = {
        selector.name
        for rule in every.rules
        for selector in rule.selectors
        if rule.is_alert or selector.name != rule.name
    }
    return sorted(every.names - read)
