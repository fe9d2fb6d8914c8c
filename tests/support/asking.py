"""Asks the stores of a running stack, as a person with a runbook does."""

import re
import time
from typing import Any

import requests

from collector.search import LineSearch, SpanSearch
from collector.search.model import filled as filled_search

ALERT_SPEED = 30
"""Of the shared stack: alerts look at five minutes and more; here they pass in ten seconds."""
_LOOK_BACK_S = 3600
_AHEAD_S = 60
_FEW = 5
Query = str | SpanSearch | LineSearch


def filled(query: Query, labels: dict[str, str]) -> Query:
    """With the values of labels; a label that is not there is empty."""
    if isinstance(query, str):
        return re.sub(r"\$\{?(\w+)\}?", lambda found: labels.get(found[1], ""), query)
    return filled_search(query, labels)


def ask(stack: Any, query: Query, at: float | None = None) -> list[Any]:
    """What a store answers; an error where it refuses the question."""
    now = time.time()
    match query:
        case SpanSearch():
            return list(stack.traces.find(query, now - _LOOK_BACK_S, now + _AHEAD_S, _FEW))
        case LineSearch():
            return list(stack.logs.lines(query, now - _LOOK_BACK_S, now + _AHEAD_S, _FEW))
        case _:
            url, params = f"{stack.url('prometheus')}/api/v1/query", {"query": query, "time": str(at or now)}
            answer = requests.get(url, params=params, timeout=30)
            assert answer.ok, f"{query}: {answer.text}"
            return list(answer.json()["data"]["result"])
