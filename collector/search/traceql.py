"""A search as Tempo is asked: TraceQL."""

from collector.quotes import quoted
from collector.search.model import Attribute, Op, SpanSearch, Term, number, seconds


def render(search: SpanSearch) -> str:
    """The search as TraceQL. A variable of a board stays what it is, for Grafana to fill in."""
    parts = [_term(term) for term in search.terms]
    parts += [f"({' || '.join(_term(term) for term in group)})" for group in search.any_of]
    if search.failed:
        parts.append("status = error")
    if search.slower_than_s is not None:
        parts.append(f"duration > {_duration(search.slower_than_s)}")
    query = "{ " + " && ".join(parts) + " }" if parts else "{ }"
    return f"{query} | count() >= {search.at_least}" if search.at_least > 1 else query


def _term(term: Term) -> str:
    name = _name(term.key)
    if term.op is Op.UNEQUAL:
        # Of an attribute that is not there TraceQL says nothing; said twice, so that a reader need not know.
        return f"{name} != nil && {name} != {_value(term)}"
    return f"{name} {term.op} {_value(term)}"


def _name(key: str) -> str:
    scope = "resource" if Term(key, Op.EQUAL, "").of_resource else "span"
    plain = key.isascii() and all(letter.isalnum() or letter in "._-" for letter in key)
    return f"{scope}.{key}" if plain else f"{scope}.{quoted(key)}"


def _value(term: Term) -> str:
    match term.value:
        case Attribute(key):
            return _name(key)
        case bool():
            return str(term.value).lower()
        case str():
            return term.value if term.op.orders else quoted(term.value)
        case _:
            return number(term.value)


def _duration(value: float | str) -> str:
    if isinstance(value, str) and value.startswith("$"):
        return value
    us = round(seconds(value) * 1_000_000)
    return f"{us}us" if us % 1000 else f"{us // 1000}ms"
