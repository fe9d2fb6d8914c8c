"""What a page says about its alert without a person writing it: when it fires, who acts, what it mutes."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from alerts.alerting import Alert
from alerts.alerting.text import number
from alerts.catalogue import Direction, Kpi, Objective, Severity
from alerts.evidence import QuickCheck, identity, quick_checks, rules_of
from alerts.evidence.subject import kpi_of, objective_of
from alerts.lint import reading
from alerts.promql import duration
from alerts.routing import relations

_WITH: Final = re.compile(r"\{\{ with .*?\}\}.*?\{\{ end \}\}")
_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_ACTION: Final = re.compile(r"\{\{.*?\}\}")
_CONSTANT: Final = frozenset(("severity", "owner", "family"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """One rule of the alert's name. `when` is in words where it watches a promise, else its expression."""

    severity: Severity
    when: str
    hold: str
    expr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is generated about one alert. `message` is what the notification says, with `$label` for labels."""

    name: str
    message: str
    severities: tuple[Severity, ...]
    owner: str
    family: str
    board: str
    promised: str
    meaning: str
    rules: tuple[RuleFacts, ...]
    labels: tuple[str, ...]
    constants: dict[str, str]
    checks: tuple[QuickCheck, ...]
    mutes: tuple[str, ...]
    muted_by: tuple[str, ...]


@cache
def facts(name: str) -> Facts:
    """Everything about one alert. Raises KeyError."""
    rules = rules_of(name)
    first = rules[0]
    kpi = kpi_of(first)
    return Facts(
        name=name,
        message=_plain(first.summary),
        severities=tuple(dict.fromkeys(rule.severity for rule in rules)),
        owner=str(first.owner),
        family=str(first.group),
        board=first.board,
        promised=first.objective,
        meaning=kpi.meaning if kpi else "",
        rules=tuple(_rule(rule) for rule in rules),
        labels=identity(name),
        constants=first.labels if len(rules) == 1 else {},
        checks=quick_checks(name),
        mutes=relations.mutes(name),
        muted_by=relations.muted_by(name),
    )


def _rule(rule: Alert) -> RuleFacts:
    kpi, objective = kpi_of(rule), objective_of(rule)
    return RuleFacts(
        severity=rule.severity,
        when=_in_words(kpi, objective) if kpi and objective else _plain(rule.summary),
        hold=duration(rule.hold_s) if rule.hold_s else "at once",
        expr=rule.expr,
    )


def _in_words(kpi: Kpi, objective: Objective) -> str:
    worse = "below" if kpi.direction is Direction.HIGHER_IS_BETTER else "above"
    which = "" if objective.quantile is None else f" ({objective.quantile * 100:g}th percentile)"
    over = f"over {duration(objective.window_s)}, with at least {objective.min_events} events"
    return f"{kpi.title}{which} {worse} {number(kpi, objective.target)} {over}"


def _plain(template: str) -> str:
    """A template as people read it: `$label` for a label, `(value)` for a value."""
    text = _LABEL.sub(r"$\1", _WITH.sub("", template))
    return " ".join(_ACTION.sub("(value)", text).split())


def known_labels(name: str) -> tuple[str, ...]:
    """Every label that a page of the alert may use."""
    return tuple(label for label in reading.labels_of(name) if label not in _CONSTANT)
