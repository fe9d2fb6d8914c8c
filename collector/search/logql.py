"""A search of lines as Loki is asked: LogQL. Loki writes attributes with underscores, and has few as labels."""

from typing import Final

from agentobs.contract import Attr
from collector.quotes import quoted
from collector.search.model import Attribute, LineSearch, Op, SearchError, Term, number

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
    stages += [f" | ({' or '.join(_whole(term) for term in group)})" for group in search.any_of]
    # Where a number is asked for, a line with a text there is not left out but marked.
    if any(_is_number(term) for group in ((*search.terms,), *search.any_of) for term in group):
        stages.append(' | __error__=""')
    return "".join([f"{{{selector}}}", *stages])


def _stage(term: Term) -> str:
    return "".join(f" | {part}" for part in (*_there(term), _term(term)))


def _whole(term: Term) -> str:
    parts = (*_there(term), _term(term))
    return f"({' and '.join(parts)})" if len(parts) > 1 else parts[0]


def _there(term: Term) -> tuple[str, ...]:
    """For Loki a label that is missing is an empty one."""
    needless = _is_number(term) or (term.op is Op.EQUAL and term.value != "")
    return () if needless else (f'{name(term.key)}!=""',)


def _is_number(term: Term) -> bool:
    return term.op.orders or (isinstance(term.value, (int, float)) and not isinstance(term.value, bool))


def _term(term: Term) -> str:
    if isinstance(term.value, Attribute):
        raise SearchError(f"{term.key} {term.op} {term.value.key}: two attributes of a line cannot be compared")
    if _is_number(term):
        op = "==" if term.op is Op.EQUAL else term.op
        return f"{name(term.key)} {op} {term.value if isinstance(term.value, str) else number(term.value)}"
    value = str(term.value).lower() if isinstance(term.value, bool) else str(term.value)
    return f"{name(term.key)}{term.op}{quoted(value)}"


def name(attribute: str) -> str:
    """The name that Loki gives an attribute."""
    return "".join(letter if letter.isalnum() else "_" for letter in attribute)
