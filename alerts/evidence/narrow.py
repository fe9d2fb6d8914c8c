"""An expression of a rule, narrowed to one instance of its alert, as a person asks it.

Rules are about every agent and tool at once; whoever is called is called about one. `$label` stands for its value.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

import promql_parser as pq

from alerts import instances, promql
from alerts.alerting import Alert
from alerts.catalogue.wanted import Like, Wanted
from alerts.promql import tree

_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_AS_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


class Mark(StrEnum):
    """How a label is compared with its value: with one value, or with a pattern, where a reader may choose all."""

    EXACT = "exact"
    PATTERN = "pattern"


@cache
def identity(alert: str) -> tuple[str, ...]:
    """Labels that tell the instances of an alert apart. Raises KeyError."""
    return instances.identity_of(alert)


def narrowed(
    expr: str, labels: Iterable[str], mark: Mark = Mark.EXACT, variables: Mapping[str, str] = _AS_LABELS
) -> str:
    """Every selector of an expression with the matchers of those labels that its series has, on one line.

    `variables`: label -> name of the `$variable` that holds its value, where that is not the label itself.
    """
    labels = tuple(labels)
    parsed = tree.parse(expr)
    names = {selector.name for selector in tree.selectors(parsed) if selector.name}
    matched = _matched(parsed)
    if not names:
        return _line(expr)
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    # Strings are matched first, so that a name inside one is left alone.
    selector = re.compile(rf"{_STRING}|(?<![\w:])({longest_first})(?![\w:])(\{{(?:{_STRING}|[^}}\"])*\}})?")

    def widened(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        inner = (found[2] or "{}")[1:-1].strip()
        mine = [label for label in labels if label in matched.get(found[1], labels)]
        added = {
            label: _value(f"${variables.get(label, label)}", mark)
            for label in mine
            if _has(found[1], label) and not _fixed(inner, label)
        }
        return found[1] + _braces(inner, added)

    return selector.sub(widened, _line(expr))


def joined_on(operation: pq.BinaryExpr) -> frozenset[str] | None:
    """The labels of `on (...)`; None where an operation has none."""
    matching = operation.modifier.matching if operation.modifier is not None else None
    if matching is None or matching.type != pq.LabelModifierType.Include:
        return None
    return frozenset(matching.labels)


def _matched(node: pq.Expr) -> dict[str, frozenset[str]]:
    """Of series that are joined `on` labels: those. By their other labels they differ from what the alert is about."""
    return {
        selector.name: labels
        for operation in tree.operations(node)
        if (labels := joined_on(operation)) is not None
        for selector in tree.selectors(operation.rhs)
        if selector.name
    }


def _line(expr: str) -> str:
    return " ".join(expr.split())


def _has(series: str, label: str) -> bool:
    """Whether a series has a label; where nobody knows its labels, it has those of the alert."""
    shape = instances.every_rule().series(series)
    return shape is None or any(label in variant.by_name for variant in shape)


def _fixed(matchers: str, label: str) -> bool:
    return re.search(rf'(?<!\w){label}\s*=\s*"', matchers) is not None


def _value(variable: str, mark: Mark) -> Wanted:
    return Like(variable) if mark is Mark.PATTERN else variable


def _braces(inner: str, added: Mapping[str, Wanted]) -> str:
    more = promql.matchers(added)[1:-1]
    every = ",".join(part for part in (inner, more) if part)
    return f"{{{every}}}" if every else ""


def of(alert: Alert, mark: Mark = Mark.EXACT) -> str:
    """What makes the alert fire, for one instance of it."""
    return narrowed(alert.expr, identity(alert.name), mark)
