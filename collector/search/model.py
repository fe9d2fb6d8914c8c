"""What is looked for in traces and in lines: conditions on attributes, and the few things that are no attribute."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeVar

from collector.signals import Attr

_RESOURCE_PREFIXES: Final = ("service.", "deployment.", "k8s.")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class SearchError(ValueError):
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
        if self.op is Op.MATCHES and not isinstance(self.value, str):
            raise SearchError(f"{self.key} {self.op} {self.value}: expected a regular expression")

    @property
    def of_resource(self) -> bool:
        """Whether the attribute describes the program, not the step."""
        return self.key.startswith(_RESOURCE_PREFIXES)


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


def of_version(version: str, op: Op = Op.EQUAL) -> tuple[Term, ...]:
    """A group for `any_of`: what ran with a version of whichever dimension."""
    return tuple(Term(key, op, version) for key in VERSIONS)


Search = TypeVar("Search", SpanSearch, LineSearch)


def filled(search: Search, values: Mapping[str, str]) -> Search:
    """The search with `$name` replaced by its value, as text: nothing in it becomes a condition of its own."""

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
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", value)
    if match is None:
        raise SearchError(f"{value!r} is not a duration; write for example 500ms, 5s, 2m or 1h")
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2]]
