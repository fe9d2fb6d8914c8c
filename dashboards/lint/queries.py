"""Rules about PromQL and LogQL. Python has no parser of LogQL; Loki itself takes the queries on the running stack."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as pq

from alerts.promql import known, tree
from dashboards.lint.model import RATE_INTERVAL, Json, Target, targets
from dashboards.lint.templates import Problem

_PROMETHEUS, _LOKI = "prometheus", "loki"
_LOGQL: Final = re.compile(
    r'\{\s*\w+\s*(=|!=|=~|!~)\s*"[^"]*"(\s*,\s*\w+\s*(=|!=|=~|!~)\s*"[^"]*")*\s*\}(\s*\|[=~]?.+|\s*!.+)?'
)
_WINDOW: Final = re.compile(r"\[(?!\$__auto\])[^\]]*\]")
_RATES: Final = frozenset(("rate", "irate", "increase"))
_OF_COUNTERS: Final = frozenset((*_RATES, "resets", "changes", "absent", "absent_over_time", "timestamp"))
_SECONDS: Final = pq.parse_duration(RATE_INTERVAL)


def promql(board: Json) -> Iterator[Problem]:
    """PromQL can be parsed."""
    for target in targets(board, _PROMETHEUS):
        try:
            tree.parse(target.filled)
        except ValueError as error:
            yield target.panel["title"], f"{target.expr}: {error}"


def logql(board: Json) -> Iterator[Problem]:
    """LogQL has a selector of streams, and stages behind it."""
    for target in targets(board, _LOKI):
        if not _LOGQL.fullmatch(target.expr.strip()):
            yield target.panel["title"], f'{target.expr}: expected {{label="value"}} | stages'


def logql_auto(board: Json) -> Iterator[Problem]:
    """A window over lines follows the width of the panel."""
    for target in targets(board, _LOKI):
        for window in _WINDOW.findall(target.expr):
            yield target.panel["title"], f"the window {window} is fixed; fix: [$__auto]"


def rate_interval(board: Json) -> Iterator[Problem]:
    """A rate follows the width of the panel and the scrape interval."""
    for target, node in _parsed(board):
        for found, _ in tree.walk(node):
            if isinstance(found, pq.Call) and found.func.name in _RATES:
                window = found.args[0]
                if isinstance(window, pq.MatrixSelector) and window.range != _SECONDS:
                    yield target.panel["title"], f"{target.expr}: a fixed window; fix: [$__rate_interval]"


def job(board: Json) -> Iterator[Problem]:
    """Every selector names a job."""
    yield from _matched(board, "job")


def instance(board: Json) -> Iterator[Problem]:
    """Every selector names an instance."""
    yield from _matched(board, "instance")


def counter(board: Json) -> Iterator[Problem]:
    """A counter says how much since some start: only its growth means something."""
    for target, node in _parsed(board):
        for found, above in tree.walk(node):
            if not isinstance(found, pq.VectorSelector) or not known.is_counter(found.name or ""):
                continue
            if not {each.func.name for each in above if isinstance(each, pq.Call)} & _OF_COUNTERS:
                yield target.panel["title"], f"{found.name} is a counter, read as it stands; fix: its rate or increase"


def _matched(board: Json, label: str) -> Iterator[Problem]:
    for target, node in _parsed(board):
        for selector in tree.selectors(node):
            if label not in {matcher.name for matcher in selector.matchers.matchers}:
                yield target.panel["title"], f"{selector.name} is read of every {label}"


def _parsed(board: Json) -> Iterator[tuple[Target, pq.Expr]]:
    """What cannot be parsed is a finding of its own."""
    for target in targets(board, _PROMETHEUS):
        try:
            yield target, tree.parse(target.filled)
        except ValueError:
            continue
