"""Checks of the labels a rule groups by: identities that stay and are few, never pods, runs or texts."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as pq

from agentobs.contract import Label
from alerts.catalogue.model import Owner
from alerts.lint.model import Problem
from alerts.promql.ruleset import Rule, RuleSet
from alerts.promql.tree import walk

# Labels that change with every restart.
_PLACES: Final = frozenset(("pod", "instance", "container", "host", "hostname", "node", "ip", "pid", "replica"))
# Labels with as many values as there are requests, people or texts.
_ENDLESS: Final = re.compile(
    r".*_(?:id|hash|uuid|ip|url)|id|uuid|user|email|session|conversation|trace|span|run|request|query|message|error"
    r"|exception|url|path|timestamp"
)
_FEW: Final = frozenset((Label.POLICY.value,))  # named by people, one per rule


def instances(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """Alerts about agents outlive a restart: grouped by instance, each restart is a new page."""
    if rule.is_alert and rule.labels.get("owner") != Owner.PLATFORM:
        for label in _labels(rule, every):
            if label in _PLACES:
                yield Problem(f"groups by {label}, which changes with every restart", "group by service or agent")


def unbounded(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """A label that takes ever new values makes ever new series and alerts."""
    for label in _labels(rule, every):
        if label not in _FEW and _ENDLESS.fullmatch(label):
            yield Problem(f"groups by {label}, which takes ever new values", "group by an identity that stays")


def _labels(rule: Rule, every: RuleSet) -> dict[str, None]:
    """Labels that the rule names to keep, and those that its series have."""
    if rule.tree is None:
        return {}
    found: list[str] = []
    for node, _above in walk(rule.tree):
        if isinstance(node, pq.AggregateExpr) and node.modifier is not None:
            if node.modifier.type == pq.AggModifierType.By:
                found += node.modifier.labels
        elif isinstance(node, pq.BinaryExpr) and node.modifier is not None:
            found += node.modifier.group_labels or []
    shape = every.shape(rule.tree) or ()
    return dict.fromkeys([*found, *(label for each in shape for label in each.by_name)])
