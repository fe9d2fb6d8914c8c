"""A search, decided here: for stores that find only a part of what it asks."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, Final

from collector.search.model import Attribute, Op, SearchError, SpanSearch, Term, number, seconds
from collector.search.source import Span

_NUMBERS: Final[Mapping[Op, Callable[[float, float], bool]]] = {
    Op.ABOVE: lambda left, right: left > right,
    Op.AT_LEAST: lambda left, right: left >= right,
    Op.BELOW: lambda left, right: left < right,
    Op.AT_MOST: lambda left, right: left <= right,
}

_DIGITS: Final = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


def selects(search: SpanSearch, span: Span) -> bool:
    """Whether a span is what a search wants."""
    return (
        (span.failed or not search.failed)
        and (search.slower_than_s is None or span.duration_s > seconds(search.slower_than_s))
        and all(holds(term, span) for term in search.terms)
        and all(any(holds(term, span) for term in group) for group in search.any_of)
    )


def traces(search: SpanSearch, spans: Iterable[Span]) -> frozenset[str]:
    """Ids of the traces that have enough spans that a search wants."""
    counted = Counter(span.trace_id for span in spans if selects(search, span))
    return frozenset(trace_id for trace_id, count in counted.items() if count >= search.at_least)


def holds(term: Term, span: Span) -> bool:
    """Whether a condition is fulfilled; what is missing fulfils none."""
    where = span.resource if term.of_resource else span.attributes
    have = where.get(term.key)
    want = span.attributes.get(term.value.key) if isinstance(term.value, Attribute) else term.value
    return have is not None and want is not None and _compared(have, term.op, want)


def _compared(have: Any, op: Op, want: Any) -> bool:  # noqa: ANN401 the value of any attribute
    match op:
        case Op.MATCHES:
            return pattern(str(want)).fullmatch(_text(have)) is not None
        case Op.EQUAL | Op.UNEQUAL:
            left, right = _number(have), _number(want)
            # Only what is asked for as a number is one: the text "5.0" is not the text "5".
            same = left == right if right is not None and not isinstance(want, str) else _text(have) == _text(want)
            return same is (op is Op.EQUAL)
        case _:
            left, right = _number(have), _number(want)
            return left is not None and right is not None and _NUMBERS[op](left, right)


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression as stores take it: a full stop is any character. Raises SearchError."""
    try:
        return re.compile(text, re.DOTALL)
    except (re.error, RecursionError, OverflowError) as error:
        raise SearchError(f"{text!r} is no regular expression: {error}") from None


def _text(value: Any) -> str:  # noqa: ANN401 the value of any attribute
    match value:
        case bool():
            return str(value).lower()
        case float() if isfinite(value):
            return number(value)
        case _:
            return str(value)


def _number(value: Any) -> float | None:  # noqa: ANN401 the value of any attribute
    """A number, or a text in plain digits; Python would take 1_000 and infinity for numbers too."""
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or _DIGITS.fullmatch(str(value))):
        return None
    return float(value)
