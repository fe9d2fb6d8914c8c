"""A search of lines as VictoriaLogs is asked: LogsQL. Attributes keep their names there, and every value is text.

For VictoriaLogs an attribute that is empty is one that is missing: neither fulfils a condition.
"""

import re
from typing import Final

from collector.quotes import logsql as quoted
from collector.search.model import Attribute, LineSearch, Op, SearchError, Term, number

NO_TEXT: Final = "(no text)"
"""What the store is told to write where a record has none, as events have."""


def render(search: LineSearch) -> str:
    """The search as a filter of LogsQL. A variable of a board stays what it is, for Grafana to fill in."""
    parts = [_term(term) for term in search.terms]
    parts += [f"({' or '.join(_term(term) for term in group)})" for group in search.any_of]
    if search.trace_id:
        parts.append(f"trace_id:={quoted(search.trace_id)}")
    if search.severity is not None:
        parts.append(f"severity_number:>={search.severity}")
    if search.event:
        parts.append(f"event_name:={quoted(search.event)}")
    if search.text:
        parts += [f"~{quoted(re.escape(search.text))}", f"!_msg:={quoted(NO_TEXT)}"]
    return " ".join(parts) or "*"


def _term(term: Term) -> str:
    if isinstance(term.value, Attribute):
        raise SearchError(f"{term.key} {term.op} {term.value.key}: two attributes of a line cannot be compared")
    name, value = quoted(term.key), _plain(term.value)
    match term.op:
        case Op.EQUAL:
            return f"{name}:={quoted(value)}" if value else f"({name}:* {name}:={quoted(value)})"
        case Op.UNEQUAL:
            return f"({name}:* !{name}:={quoted(value)})"
        case Op.MATCHES:
            return f"({name}:* {name}:~{_pattern(f'^(?s:{value})$')})"
        case _:
            return f"{name}:{term.op}{value}"


def _pattern(text: str) -> str:
    """As it is where it can be: for a variable Grafana writes a pattern whose backslashes no quotes would hold."""
    return quoted(text) if "`" in text or "\r" in text else f"`{text}`"


def _plain(value: str | float | bool) -> str:  # noqa: FBT001 the value of an attribute
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else number(value)
