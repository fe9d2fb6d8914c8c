"""Rules as Prometheus reads them, and the labels of every series that all of them together record."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import promql_parser as pq

from alerts.promql import known, shapes
from alerts.promql.shapes import Shape
from alerts.promql.tree import parse, selectors

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a document. `tree` is None where the expression does not parse; `error` says why."""

    name: str
    expr: str
    is_alert: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    hold_s: float
    every_s: float
    tree: pq.Expr | None
    error: str

    @cached_property
    def selectors(self) -> tuple[pq.VectorSelector, ...]:
        """Every selector of the expression."""
        return tuple(selectors(self.tree)) if self.tree is not None else ()

    @property
    def key(self) -> tuple[str, bool, tuple[tuple[str, str], ...]]:
        """What must differ between two rules: they write the same series otherwise."""
        return self.name, self.is_alert, tuple(sorted(self.labels.items()))


def rules(groups: Iterable[Document]) -> Iterator[Rule]:
    """The rules of documents as Prometheus reads them."""
    for group in groups:
        every = _seconds(group.get("interval", "1m"))
        for document in group["rules"]:
            yield _rule(document, every)


def read(expr: str) -> tuple[pq.Expr | None, str]:
    """The tree of an expression; None where it does not parse, and why."""
    try:
        return parse(expr), ""
    except ValueError as problem:
        return None, str(problem)


def _rule(document: Document, every_s: float) -> Rule:
    expr = str(document["expr"])
    tree, error = read(expr)
    return Rule(
        name=str(document.get("alert") or document["record"]),
        expr=expr,
        is_alert="alert" in document,
        labels={key: str(value) for key, value in document.get("labels", {}).items()},
        annotations={key: str(value) for key, value in document.get("annotations", {}).items()},
        hold_s=_seconds(document.get("for", "0s")),
        every_s=every_s,
        tree=tree,
        error=error,
    )


def _seconds(duration: str) -> float:
    return pq.parse_duration(duration).total_seconds() if duration != "0s" else 0.0


class RuleSet:
    """All rules, and the labels of every series: what they record, and what programs give."""

    def __init__(self, every: Sequence[Rule]) -> None:
        self.rules = tuple(every)
        self.recorded: dict[str, Shape] = {}
        recording = [rule for rule in self.rules if not rule.is_alert and rule.tree is not None]
        self.names = {rule.name for rule in recording}
        # A rule can read what comes later, or itself: again until nothing changes.
        for _ in recording:
            before = dict(self.recorded)
            self._learn(recording)
            if before == self.recorded:
                break

    def _learn(self, recording: Iterable[Rule]) -> None:
        found: dict[str, Shape] = {}
        for rule in recording:
            if rule.tree is None:
                continue
            mine, others = self.shape(rule.tree), found.get(rule.name, ())
            if mine is None or others is None:
                found[rule.name] = None
                continue
            for label, value in rule.labels.items():
                mine = tuple(each.with_label(label, frozenset((value,))) for each in mine)
            implied = known.IMPLIED.get(rule.name, frozenset())
            mine = tuple(shapes.variant(each.by_name, each.implied | (implied & each.names)) for each in mine)
            found[rule.name] = tuple(dict.fromkeys((*others, *mine)))
        self.recorded = found

    def shape(self, node: pq.Expr) -> Shape:
        """The labels of an expression."""
        return shapes.shape(node, self.series)

    def series(self, name: str) -> Shape:
        """The labels of a series."""
        if name in self.names and name not in known.OPTIONAL:
            return self.recorded.get(name, ())
        return known.series(name)

    def is_known(self, name: str) -> bool:
        """Whether anybody gives or records the series."""
        return name in self.names or known.is_given(name)
