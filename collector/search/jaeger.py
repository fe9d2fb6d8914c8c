"""A search as Jaeger is asked: by program, by tags that are equal, by duration.

Jaeger finds traces whose tags may lie on several spans; whether one span has them all is decided by `matching`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Final

from agentobs.contract import Attr
from collector.quotes import logfmt
from collector.search.model import Op, SpanSearch, Term, number, seconds

_PLAIN: Final = 10**9
"""Jaeger indexes numbers as text: whole ones below this one have one writing, whatever type they were sent with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The part of a search that Jaeger can be asked; without `service` every program is asked for."""

    service: str
    tags: Mapping[str, str]
    slower_than_s: float | str | None


def asked(search: SpanSearch) -> Asked:
    """What of a search Jaeger can be asked."""
    equal = [term for term in search.terms if term.op is Op.EQUAL and _is_indexed(term)]
    services = [_text(term) for term in equal if term.key == Attr.SERVICE_NAME]
    tags = {term.key: _text(term) for term in equal if term.key != Attr.SERVICE_NAME}
    return Asked(
        service=services[0] if services else "",
        tags={**tags, **({"error": "true"} if search.failed else {})},
        slower_than_s=search.slower_than_s,
    )


def milliseconds(slower_than_s: float | str | None) -> str:
    """The least duration as Jaeger reads it, not longer than what is asked; a variable of a board stays what it is."""
    if slower_than_s is None or (isinstance(slower_than_s, str) and slower_than_s.startswith("$")):
        return str(slower_than_s or "")
    return f"{floor(seconds(slower_than_s) * 1000)}ms"


def tags_text(search: SpanSearch) -> str:
    """The tags as Grafana's data source keeps them, and as a person types them in Jaeger's search (logfmt)."""
    return " ".join(f"{key}={logfmt(value)}" for key, value in asked(search).tags.items())


def _is_indexed(term: Term) -> bool:
    return isinstance(term.value, (bool, str)) or (isinstance(term.value, int) and abs(term.value) < _PLAIN)


def _text(term: Term) -> str:
    match term.value:
        case bool():
            return str(term.value).lower()
        case int():
            return number(term.value)
        case _:
            return str(term.value)
