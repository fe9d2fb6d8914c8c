"""VictoriaLogs' HTTP API as a store of lines.

Every value is text there, lists and maps as JSON; what is empty is not stored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from agentobs.contract import Attr
from collector.search import LineSearch, LogLine, logsql
from collector.search.logsql import NO_TEXT
from stacks.clients.http import Connection, parsed

_PATH: Final = "/select/logsql/query"
_OWN: Final = frozenset(("_msg", "_time", "_stream", "_stream_id"))


class VictoriaLogs:
    """One VictoriaLogs at `url`; `headers` hold the login where it wants one."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._store = Connection("VictoriaLogs", url, headers, "--victorialogs")

    def lines(self, search: LineSearch, start: float, end: float, limit: int) -> list[LogLine]:
        """At most `limit` lines of a period in unix seconds that the search wants, newest first."""
        params = {
            "query": f"{logsql.render(search)} | sort by (_time desc) limit {limit}",
            "start": f"{start:.3f}",
            "end": f"{end:.3f}",
        }
        answer = self._store.get(_PATH, params)
        with self._store.reading(_PATH):
            # Only \n ends a row: in a text may stand other ends of lines.
            return [_line(parsed(row)) for row in answer.content.split(b"\n") if row.strip()]


def _line(row: Mapping[str, Any]) -> LogLine:
    text = str(row.get("_msg", ""))
    return LogLine(
        at=datetime.fromisoformat(row["_time"]).timestamp(),
        text="" if text == NO_TEXT else text,
        severity=str(row.get("severity_text", "")),
        service=str(row.get(Attr.SERVICE_NAME, "")),
        trace_id=str(row.get("trace_id", "")),
        event=str(row.get("event_name", "")),
        attributes={key: str(value) for key, value in row.items() if key not in _OWN},
    )
