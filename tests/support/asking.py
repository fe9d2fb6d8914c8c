"""Asks the stores of a running stack, as a person with a runbook does."""

import re
import time
from typing import Any

import requests

from alerts.evidence import QueryLanguage

ALERT_SPEED = 30
"""Of the shared stack: alerts look at five minutes and more; here they pass in ten seconds."""
_LOOK_BACK_S = 3600
_PATHS = {
    QueryLanguage.PROMQL: ("prometheus", "/api/v1/query", "query"),
    QueryLanguage.LOGQL: ("loki", "/loki/api/v1/query_range", "query"),
    QueryLanguage.TRACEQL: ("tempo", "/api/search", "q"),
}


def filled(text: str, labels: dict[str, str]) -> str:
    """With the values of labels; a label that is not there is empty."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: labels.get(found[1], ""), text)


def ask(stack: Any, language: QueryLanguage, query: str, at: float | None = None) -> list[Any]:
    """What a store answers; AssertionError where it refuses the query."""
    port, path, parameter = _PATHS[language]
    now = time.time()
    period = {"limit": "5", "start": f"{now - _LOOK_BACK_S:.0f}", "end": f"{now:.0f}"}
    when = {"time": str(at or now)} if language is QueryLanguage.PROMQL else period
    answer = requests.get(f"{stack.url(port)}{path}", params={parameter: query, **when}, timeout=30)
    assert answer.ok, f"{query}: {answer.text}"
    found = answer.json()
    return list(found.get("traces") or []) if language is QueryLanguage.TRACEQL else list(found["data"]["result"])
