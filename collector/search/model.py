"""What is looked for in traces and in lines: conditions on attributes, and the few things that are no attribute."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from agentobs.contract import Attr
from agentobs.errors import AgentobsError

_RESOURCE_PREFIXES: Final = ("service.", "deployment.", "k8s.")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_WITH_VARIABLE: Final = re.compile(r"\$(?:\{[\w:]+\}|\w+)")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


class SearchError(AgentobsError, ValueError):
    """A search that cannot be asked; the message says what was expected."""


class Op(StrEnum):
    """How an attribute is compared. An attribute that is missing fulfils no condition, not even `!=`."""

    EQUAL = "="
    UNEQUAL = "!="
    MATCHES = "=~"
    """A regular expression, for the whole value."""
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="

    @property
    def orders(self) -> bool:
        """Whether it compares numbers."""
        return self in {Op.ABOVE, Op.AT_LEAST, Op.BELOW, Op.AT_MOST}


@dataclass(frozen=True, slots=True)
class Attribute:
    """Another attribute of the same span, to compare with."""

    key: str


Value = str | float | bool | Attribute


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `$name` in a text value stands for a variable of a board or a label of an alert."""

    key: str
    op: Op
    value: Value

    def __post_init__(self) -> None:
        said = f"{self.key} {self.op} {self.value}"
        if self.op is Op.MATCHES and not isinstance(self.value, str):
            raise SearchError(f"{said}: expected a regular expression")
        if self.op.orders and not _orders(self.value):
            raise SearchError(f"{said}: expected a number, such as 3 or 0.5")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise SearchError(f"{said}: expected a number that is not endless")

    @property
    def of_resource(self) -> bool:
        """Whether the attribute describes the program, not the step."""
        return self.key.startswith(_RESOURCE_PREFIXES)


def _orders(value: Value) -> bool:
    """Whether something can be above or below it: nothing else may reach the language of a store without quotes."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None or _WITH_VARIABLE.fullmatch(value) is not None
    return not isinstance(value, bool)


def number(value: float) -> str:
    """A number in plain digits and as exact as it is, which every language reads; 1e21 is text to some."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSearch:
    """Traces in which at least `at_least` spans fulfil every term, and of each group in `any_of` at least one term.

    `failed`: the span's status is error. `slower_than_s`: it took longer, in seconds, or a `$variable` of a board.
    """

    terms: tuple[Term, ...] = ()
    any_of: tuple[tuple[Term, ...], ...] = ()
    failed: bool = False
    slower_than_s: float | str | None = None
    at_least: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSearch:
    """Lines that fulfil every term. `severity` is OpenTelemetry's number and counts from there on (13 is a warning).

    `event` is the name of an event, `trace_id` that of the trace it was written in, `text` a part of the line.
    """

    terms: tuple[Term, ...] = ()
    any_of: tuple[tuple[Term, ...], ...] = ()
    severity: int | None = None
    event: str = ""
    trace_id: str = ""
    text: str = ""


VERSIONS: Final = (Attr.PROMPT_VERSION, Attr.TOOL_VERSION, Attr.REQUEST_MODEL, Attr.GRAPH_VERSION)
"""Where a span says which version of a dimension it ran."""
WARNING: Final = 13
SEVERITIES: Final[Mapping[str, int]] = {"debug": 5, "info": 9, "warning": WARNING, "error": 17, "fatal": 21}
"""From which of OpenTelemetry's numbers on a line is of that level; people write the word."""


def of_version(version: str, op: Op = Op.EQUAL) -> tuple[Term, ...]:
    """A group for `any_of`: what ran with a version of whichever dimension."""
    return tuple(Term(key, op, version) for key in VERSIONS)


Search = TypeVar("Search", SpanSearch, LineSearch)


def filled(search: Search, values: Mapping[str, str]) -> Search:
    """The search with `$name` replaced by its value: nothing in it becomes a condition of its own.

    Behind `=~` the value is part of a regular expression; who wants a text there escapes it.
    """

    def text(given: str) -> str:
        return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), given)

    def term(each: Term) -> Term:
        return replace(each, value=text(each.value)) if isinstance(each.value, str) else each

    terms = tuple(term(each) for each in search.terms)
    any_of = tuple(tuple(term(each) for each in group) for group in search.any_of)
    if isinstance(search, LineSearch):
        return replace(
            search,
            terms=terms,
            any_of=any_of,
            event=text(search.event),
            trace_id=text(search.trace_id),
            text=text(search.text),
        )
    slower = search.slower_than_s
    return replace(
        search, terms=terms, any_of=any_of, slower_than_s=text(slower) if isinstance(slower, str) else slower
    )


def seconds(value: float | str) -> float:
    """Seconds of a number or of a duration such as 500ms, 5s, 2m or 1h. Raises SearchError."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", value, re.ASCII)
    if match is None:
        raise SearchError(f"{value!r} is not a duration; write for example 500ms, 5s, 2m or 1h")
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2]]
