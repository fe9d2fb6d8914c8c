"""A search, decided here: for stores that find only a part of what it asks."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from collector.search.model import Attribute, Op, SpanSearch, Term, seconds
from collector.search.source import Span

_NUMBERS: Final[Mapping[Op, Callable[[float, float], bool]]] = {
    Op.ABOVE: lambda left, right: left > right,
    Op.AT_LEAST: lambda left, right: left >= right,
    Op.BELOW: lambda left, right: left < right,
    Op.AT_MOST: lambda left, right: left <= right,
}


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
            return re.fullmatch(str(want), _text(have), re.DOTALL) is not None
        case Op.EQUAL | Op.UNEQUAL:
            same = _number(have) == _number(want) if isinstance(want, (int, float)) else _text(have) == _text(want)
            return same is (op is Op.EQUAL)
        case _:
            left, right = _number(have), _number(want)
            return left is not None and right is not None and _NUMBERS[op](left, right)


def _text(value: Any) -> str:  # noqa: ANN401 the value of any attribute
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> float | None:  # noqa: ANN401 the value of any attribute
    try:
        return float(value)
    except (TypeError, ValueError):
        return 1.0 if value == "true" else 0.0 if value == "false" else None
