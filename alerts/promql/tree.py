"""Walks over parsed PromQL. Not here: what labels a node has (`shapes`), the checks."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as pq

# Exact increases, which the parser does not know; they change nothing about types, labels or windows.
_ANCHORED: Final = re.compile(r"\] (?:anchored|smoothed)\b")
COMPARISONS: Final = frozenset(("==", "!=", "<", "<=", ">", ">="))
SETS: Final = frozenset(("and", "or", "unless"))


def parse(text: str) -> pq.Expr:
    """The tree of an expression. Raises ValueError."""
    return pq.parse(_ANCHORED.sub("]", text))


def bare(node: pq.Expr) -> pq.Expr:
    """The node inside its parentheses."""
    while isinstance(node, pq.ParenExpr):
        node = node.expr
    return node


def children(node: pq.Expr) -> tuple[pq.Expr, ...]:
    """What a node is made of, left to right."""
    match node:
        case pq.BinaryExpr():
            return node.lhs, node.rhs
        case pq.AggregateExpr():
            return (node.param, node.expr) if isinstance(node.param, pq.Expr) else (node.expr,)
        case pq.Call():
            return tuple(node.args)
        case pq.MatrixSelector():
            return (node.vector_selector,)
        case pq.ParenExpr() | pq.UnaryExpr() | pq.SubqueryExpr():
            return (node.expr,)
        case _:
            return ()


def walk(node: pq.Expr, above: tuple[pq.Expr, ...] = ()) -> Iterator[tuple[pq.Expr, tuple[pq.Expr, ...]]]:
    """Every node with those above it, the nearest last."""
    yield node, above
    for child in children(node):
        yield from walk(child, (*above, node))


def selectors(node: pq.Expr) -> Iterator[pq.VectorSelector]:
    """Every selector, those of ranges included."""
    return (found for found, _ in walk(node) if isinstance(found, pq.VectorSelector))


def operations(node: pq.Expr) -> Iterator[pq.BinaryExpr]:
    """Every binary operation."""
    return (found for found, _ in walk(node) if isinstance(found, pq.BinaryExpr))


def is_scalar(node: pq.Expr) -> bool:
    """Whether a node is a plain number, without labels."""
    node = bare(node)
    match node:
        case pq.NumberLiteral():
            return True
        case pq.UnaryExpr():
            return is_scalar(node.expr)
        case pq.BinaryExpr():
            return is_scalar(node.lhs) and is_scalar(node.rhs)
        case pq.Call():
            return bool(node.func.return_type == pq.ValueType.Scalar)
        case _:
            return False


def op(node: pq.BinaryExpr | pq.AggregateExpr) -> str:
    """The operator as text."""
    return str(node.op).strip()
