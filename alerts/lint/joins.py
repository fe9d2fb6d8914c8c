"""Checks of operations between two vectors: some series match, and none matches several."""

from collections.abc import Iterable, Iterator

import promql_parser as pq

from alerts.lint.model import Problem
from alerts.promql.ruleset import Rule, RuleSet
from alerts.promql.shapes import Variant, partners
from alerts.promql.tree import SETS, bare, is_scalar, op, operations


def matching(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """Some series of the left side can find a partner on the right."""
    for node in _vectors(rule):
        if op(node) == "or":
            continue
        left, right = every.shape(node.lhs), every.shape(node.rhs)
        if not left or not right:
            continue
        match = node.modifier.matching if node.modifier is not None else None
        if not any(partners(a, b, match) for a in left for b in right):
            yield Problem(
                f"{_short(node)}: no series can match, as the left has {_names(left)} and the right {_names(right)}",
                "add on (...) with what they share, and group_left",
            )


def many(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """Where one series must match one, labels outside the match make it several, and Prometheus gives an error."""
    for node in _vectors(rule):
        modifier = node.modifier
        if op(node) in SETS or modifier is None:
            continue
        left, right = every.shape(node.lhs), every.shape(node.rhs)
        if left is None or right is None:
            continue
        sides = {
            "left": (left, modifier.card != pq.VectorMatchCardinality.ManyToOne),
            "right": (right, modifier.card != pq.VectorMatchCardinality.OneToMany),
        }
        for side, (shape, must_be_one) in sides.items():
            extra = _extra(shape, modifier.matching)
            if must_be_one and extra:
                yield Problem(
                    f"{_short(node)}: several series of the {side} side match one, as they differ by {_list(extra)}",
                    f"group_{side}(), or match on {_list(extra)} too",
                )


def carried(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """Labels that group_left takes from the other side are there."""
    for node in _vectors(rule):
        if node.modifier is None or not node.modifier.group_labels:
            continue
        shape = every.shape(node.lhs if node.modifier.card == pq.VectorMatchCardinality.OneToMany else node.rhs)
        if shape is not None:
            there = frozenset[str]().union(*(each.names for each in shape))
            for label in node.modifier.group_labels:
                if label not in there:
                    yield Problem(f"{_short(node)}: nothing to take {label} from", "drop it from group_left")


def fragile(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """Two aggregations in one operation keep the same labels, else it holds only as long as the labels happen to."""
    for node in _vectors(rule):
        if op(node) == "or" or (node.modifier is not None and node.modifier.matching is not None):
            continue
        left, right = _grouping(node.lhs), _grouping(node.rhs)
        if left is not None and right is not None and left != right:
            yield Problem(
                f"{_short(node)}: the sides are grouped by {left[1]} and by {right[1]}",
                "the same labels in both, or on (...) with group_left",
            )


def _grouping(node: pq.Expr) -> tuple[str, str] | None:
    """How a side is grouped, where it is an aggregation, perhaps compared with or multiplied by a number."""
    node = bare(node)
    if isinstance(node, pq.BinaryExpr) and is_scalar(node.rhs):
        return _grouping(node.lhs)
    if isinstance(node, pq.BinaryExpr) and is_scalar(node.lhs):
        return _grouping(node.rhs)
    if not isinstance(node, pq.AggregateExpr) or op(node) in {"topk", "bottomk"}:
        return None
    if node.modifier is None:
        return "by", "nothing"
    kind = "by" if node.modifier.type == pq.AggModifierType.By else "without"
    return kind, _list(node.modifier.labels) or "nothing"


def _vectors(rule: Rule) -> Iterator[pq.BinaryExpr]:
    if rule.tree is not None:
        yield from (each for each in operations(rule.tree) if not is_scalar(each.lhs) and not is_scalar(each.rhs))


def _extra(shape: Iterable[Variant], match: pq.LabelModifier | None) -> frozenset[str]:
    if match is None:
        return frozenset()
    free = frozenset[str]().union(*(each.free for each in shape))
    given = frozenset(match.labels)
    return free - given if match.type == pq.LabelModifierType.Include else free & given


def _names(shape: Iterable[Variant]) -> str:
    return " or ".join(dict.fromkeys("{" + _list(each.names) + "}" for each in shape))


def _list(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels))


def _short(node: pq.Expr) -> str:
    text = " ".join(node.prettify().split())
    limit = 90
    return text if len(text) <= limit else f"{text[:limit]}..."
