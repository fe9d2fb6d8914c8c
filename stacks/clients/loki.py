"""Loki's HTTP API as a store of lines."""

from collections.abc import Mapping
from typing import Any, Final

from agentobs.contract import Attr
from collector.search import LineSearch, LogLine, logql
from stacks.clients.http import Connection

_PATH: Final = "/loki/api/v1/query_range"
_NS: Final = 1_000_000_000
_NAMES: Final = {logql.name(attribute): str(attribute) for attribute in Attr}
"""What Loki calls an attribute -> its name."""


class Loki:
    """One Loki at `url`; `headers` hold the login where it wants one."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._store = Connection("Loki", url, headers, "--loki")

    def lines(self, search: LineSearch, start: float, end: float, limit: int) -> list[LogLine]:
        """At most `limit` lines of a period in unix seconds that the search wants, newest first."""
        query = logql.render(search)
        params = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "limit": str(limit)}
        said = self._store.json(_PATH, params)
        with self._store.reading(_PATH):
            found = [line for stream in said["data"]["result"] for line in _lines(stream)]
        return sorted(found, key=lambda line: -line.at)[:limit]


def _lines(stream: Mapping[str, Any]) -> list[LogLine]:
    labels = {_NAMES.get(name, name): str(value) for name, value in stream["stream"].items()}
    return [
        LogLine(
            at=int(at) / _NS,
            text=str(text),
            severity=labels.get("severity_text", labels.get("detected_level", "")),
            service=labels.get(Attr.SERVICE_NAME, ""),
            trace_id=labels.get("trace_id", ""),
            event=labels.get("event_name", ""),
            attributes=labels,
        )
        for at, text in stream["values"]
    ]
