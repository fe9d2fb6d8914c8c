"""Loki HTTP API client: lines of logs for the report."""

from collections.abc import Mapping
from typing import Any, Final

import requests

from dashboards.report import LogLine

_TIMEOUT_S: Final = 30
_NS: Final = 1_000_000_000


class LokiError(RuntimeError):
    """Loki could not be asked, or refused the query."""


class Loki:
    """One Loki at `url`; `headers` hold the login where it wants one."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update(headers or {})

    def lines(self, query: str, start: float, end: float, limit: int) -> list[LogLine]:
        """Return at most `limit` lines of a period in unix seconds, newest first, with all their labels."""
        params = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "limit": str(limit)}
        try:
            answer = self._session.get(f"{self._url}/loki/api/v1/query_range", params=params, timeout=_TIMEOUT_S)
        except requests.ConnectionError:
            raise LokiError(f"no Loki answers at {self._url}; start the stack with `agentobs up`") from None
        except requests.RequestException as error:
            raise LokiError(f"Loki at {self._url} did not answer: {error}") from error
        if answer.status_code != requests.codes.ok:
            raise LokiError(f"Loki refused {query}: {answer.text[:200].strip()}")
        found = [line for stream in answer.json()["data"]["result"] for line in _lines(stream)]
        return sorted(found, key=lambda line: -line.at)[:limit]


def _lines(stream: dict[str, Any]) -> list[LogLine]:
    return [LogLine(at=int(at) / _NS, text=str(text), labels=stream["stream"]) for at, text in stream["values"]]
