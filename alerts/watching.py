"""What an alert watches: the expressions it compares, and with which borders. Panels show these very values."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import promql_parser as pq

from alerts import alerting
from alerts.alerting import Alert
from alerts.promql import tree
from alerts.timing import PRODUCTION


@dataclass(frozen=True, slots=True)
class Watched:
    """An expression, and the number that it is compared with; trouble is beyond it on the side that `above` says."""

    expr: str
    border: float
    above: bool


@cache
def alert(name: str) -> Alert:
    """An alert by its name; where several share it, the first. Raises KeyError."""
    found = next((alert for alert in alerting.alerts(PRODUCTION) if alert.name == name), None)
    if found is None:
        raise KeyError(f"no alert is called {name}; fix: a name from `alerts/generated/alerts.yaml`")
    return found


@cache
def watched(name: str) -> tuple[Watched, ...]:
    """All comparisons with a number, from left to right; what only guards them (`and`, `unless`) is left out."""
    return tuple(_compared(tree.parse(alert(name).expr)))


def _compared(node: pq.Expr) -> Iterator[Watched]:
    node = tree.bare(node)
    if not isinstance(node, pq.BinaryExpr):
        return
    if str(node.op) == "or":
        yield from (*_compared(node.lhs), *_compared(node.rhs))
    elif str(node.op) in tree.SETS:
        yield from _compared(node.lhs)
    elif str(node.op) in tree.COMPARISONS and isinstance(border := tree.bare(node.rhs), pq.NumberLiteral):
        yield Watched(tree.bare(node.lhs).prettify(), border.val, str(node.op) in (">", ">="))
