"""A search of lines as Loki is asked: LogQL. Loki writes attributes with underscores, and has few as labels."""

from typing import Final

from collector.search.model import Attribute, LineSearch, Op, SearchError, Term
from collector.signals import Attr

STREAMS: Final = (Attr.SERVICE_NAME, Attr.SERVICE_NAMESPACE, Attr.ENVIRONMENT)
"""What streams are told apart by; everything else is structured metadata."""


def render(search: LineSearch) -> str:
    """The search as LogQL. A variable of a board stays what it is, for Grafana to fill in."""
    streams = [term for term in search.terms if term.key in STREAMS]
    selector = ",".join(_term(term) for term in streams) or f'{name(Attr.SERVICE_NAME)}=~".+"'
    stages = [f" |= {quoted(search.text)}"] if search.text else []
    if search.trace_id:
        stages.append(f" | trace_id={quoted(search.trace_id)}")
    if search.severity is not None:
        stages.append(f" | severity_number >= {search.severity}")
    if search.event:
        stages.append(f" | event_name={quoted(search.event)}")
    stages += [_stage(term) for term in search.terms if term.key not in STREAMS]
    stages += [f" | ({' or '.join(_term(term) for term in group)})" for group in search.any_of]
    return "".join([f"{{{selector}}}", *stages])


def _stage(term: Term) -> str:
    # For Loki a label that is missing is an empty one.
    there = f' | {name(term.key)}!=""' if term.op is Op.UNEQUAL else ""
    return f"{there} | {_term(term)}"


def _term(term: Term) -> str:
    if isinstance(term.value, Attribute):
        raise SearchError(f"{term.key} {term.op} {term.value.key}: two attributes of a line cannot be compared")
    if isinstance(term.value, bool):
        return f"{name(term.key)}{term.op}{quoted(str(term.value).lower())}"
    if isinstance(term.value, str):
        return f"{name(term.key)}{term.op}{quoted(term.value)}"
    op = "==" if term.op is Op.EQUAL else term.op
    return f"{name(term.key)} {op} {term.value:g}"


def name(attribute: str) -> str:
    """The name that Loki gives an attribute."""
    return "".join(letter if letter.isalnum() else "_" for letter in attribute)


def quoted(text: str) -> str:
    """A string of LogQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
