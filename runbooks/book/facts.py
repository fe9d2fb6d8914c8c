"""What a page says about its alert without a person writing it: when it fires, who acts, what it mutes."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from alerts.alerting import Alert, command
from alerts.alerting.condition import WORDS, Role
from alerts.alerting.text import number
from alerts.catalogue import Direction, Kpi, Objective, Severity
from alerts.evidence import QuickCheck, identity, quick_checks, rules_of
from alerts.promql import duration
from alerts.routing import relations

_WITH: Final = re.compile(r"\{\{ with .*?\}\}.*?\{\{ end \}\}")
_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_ACTION: Final = re.compile(r"\{\{.*?\}\}")
_JOINED: Final = {Role.VALUE: "or", Role.GUARD: "and", Role.ENDS: "unless"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """One rule of the alert's name. `when` is in words where it watches a promise, else its conditions."""

    severity: Severity
    when: str
    hold: str
    expr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is generated about one alert. `message` is what the notification says, with `$label` for labels.

    `command` runs the quick checks.
    """

    name: str
    message: str
    command: str
    severities: tuple[Severity, ...]
    owner: str
    family: str
    board: str
    promised: str
    meaning: str
    rules: tuple[RuleFacts, ...]
    labels: tuple[str, ...]
    checks: tuple[QuickCheck, ...]
    mutes: tuple[str, ...]
    muted_by: tuple[str, ...]


@cache
def facts(name: str) -> Facts:
    """Everything about one alert. Raises KeyError."""
    rules = rules_of(name)
    first = rules[0]
    kpi = first.kpi
    return Facts(
        name=name,
        message=_plain(first.summary),
        command=command.in_page(name, identity(name)),
        severities=tuple(dict.fromkeys(rule.severity for rule in rules)),
        owner=str(first.owner),
        family=str(first.group),
        board=first.board,
        promised=first.objective,
        meaning=kpi.meaning if kpi else "",
        rules=tuple(_rule(rule) for rule in rules),
        labels=identity(name),
        checks=quick_checks(name),
        mutes=relations.mutes(name),
        muted_by=relations.muted_by(name),
    )


def _rule(rule: Alert) -> RuleFacts:
    kpi, objective = rule.kpi, rule.watches
    return RuleFacts(
        severity=rule.severity,
        when=_in_words(kpi, objective) if kpi and objective else _in_expressions(rule),
        hold=duration(rule.hold_s) if rule.hold_s else "at once",
        expr=rule.expr,
    )


def _in_words(kpi: Kpi, objective: Objective) -> str:
    worse = "below" if kpi.direction is Direction.HIGHER_IS_BETTER else "above"
    which = "" if objective.quantile is None else f" ({objective.quantile * 100:g}th percentile)"
    over = f"over {duration(objective.window_s)}, with at least {objective.min_events} events"
    return f"{kpi.title}{which} {worse} {number(kpi, objective.target)} {over}"


def _in_expressions(rule: Alert) -> str:
    """Where no promise says it: the conditions, in the order in which they stand."""
    parts: list[str] = []
    for each in rule.condition.comparisons():
        threshold = each.threshold_text if each.is_number else f"`{each.threshold_text}`"
        words = f"`{each.value}`" + (f" {WORDS[each.operator]} {threshold}" if each.operator else "")
        parts.append(f"{_JOINED[each.role]} {words}" if parts else words)
    return " ".join(parts)


def _plain(template: str) -> str:
    """A template as people read it: `$label` for a label, `(value)` for a value."""
    text = _LABEL.sub(r"$\1", _WITH.sub("", template))
    return " ".join(_ACTION.sub("(value)", text).split())
