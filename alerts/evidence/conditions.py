"""What an alert compares, taken apart: the value and its border, what guards it, what ends it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import promql_parser as pq

from alerts.evidence import narrow
from alerts.promql import tree


class Role(StrEnum):
    """What a condition is for."""

    VALUE = "value"
    """One of these has to hold; its value is what the message shows."""
    GUARD = "guard"
    """Has to hold too."""
    ENDS = "ends"
    """Must not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`value operator border`; without an operator the value only has to be there. `border` is a number or PromQL.

    `on` are the labels by which it is joined with what stands before it; None: by all.
    """

    role: Role
    value: str
    operator: str = ""
    border: str = ""
    on: frozenset[str] | None = None


WORDS: Final = {
    "<": "below", "<=": "at most", ">": "above", ">=": "at least", "==": "equal to", "!=": "other than",
}  # fmt: skip


def conditions(expr: str) -> tuple[Condition, ...]:
    """All conditions of an expression, from left to right."""
    return tuple(_conditions(tree.parse(expr), Role.VALUE, None))


def _conditions(node: pq.Expr, role: Role, on: frozenset[str] | None) -> Iterator[Condition]:
    node = tree.bare(node)
    operator = tree.op(node) if isinstance(node, pq.BinaryExpr) else ""
    match node:
        case pq.BinaryExpr() if operator == "or":
            yield from (*_conditions(node.lhs, role, on), *_conditions(node.rhs, role, on))
        case pq.BinaryExpr() if operator in tree.SETS:
            right = Role.ENDS if operator == "unless" or role is Role.ENDS else Role.GUARD
            yield from _conditions(node.lhs, role, on)
            yield from _conditions(node.rhs, right, narrow.joined_on(node) or on)
        case pq.BinaryExpr() if operator in tree.COMPARISONS:
            yield Condition(role=role, value=_text(node.lhs), operator=operator, border=_text(node.rhs), on=on)
        case _:
            yield Condition(role=role, value=_text(node), on=on)


def _text(node: pq.Expr) -> str:
    return " ".join(tree.bare(node).prettify().split())


def is_number(border: str) -> bool:
    """Whether a border is a plain number, which needs no query."""
    return isinstance(tree.bare(tree.parse(border)), pq.NumberLiteral) if border else False


def is_asked(border: str) -> bool:
    """Whether a border is what series say, and not a number or the time."""
    return bool(border) and any(True for _ in tree.selectors(tree.parse(border)))
