"""Spans and lines with values that languages of stores stumble over, searches for them, and who fulfils one.

The judge is plain Python over what was sent: it shares nothing with the product but the model of a search.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from collector.search import Attribute, LineSearch, Op, SpanSearch, Term

TEXTS = (
    "plain", "Plain", 'a"b', "back\\slash", "end\\", "two\nlines", "cr\rlf\r\n", "$(touch /x)", "$agent", "${x}",
    "é ☃ 😀", "a=b c", " before", "after ", "`tick`", "it's", "x | delete", "[red]x[/]", "", "5", "5.0", "true", "0.5",
    "%s", "{a}", "a,b", "tab\tbed", "or", "a or b", "*", ".*", "(", "\x00null", "\x1b[31m", "x) or (y", '{a="b"}',
    "_time:5m",
)  # fmt: skip
LONG = ("two\nlines", "a\r\nb", "\n")
NUMBERS = (0, 1, 5, -3, 4_200, 1_234_567, 2**60, 0.5, 5.0, -0.25, 1e-7, 123_456.789, 1e21)
KEYS = (
    "gen_ai.agent.name", "agentic.retry.attempt", "gen_ai.tool.name", "agentic.plan.steps", "two words", 'a"b', "k=v",
    "it's", "back\\slash", "ключ", "dash-ed", "a/b", "a:b", "star*", "{x}", "5", "or",
)  # fmt: skip
SERVICES = ("agents", 'a"b\\', "ключ 1")
ENVIRONMENTS = ("prod", "a=b c", "$(x)")
_RESOURCE = ("service.", "deployment.", "k8s.")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A span or a line that was sent; `group` is the trace of the one and the text of the other."""

    group: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    ago: float
    seconds: float = 0.0
    failed: bool = False
    severity: int = 0
    event: str = ""


def value(rng: random.Random) -> Any:
    """Texts most often, of several lines as often as numbers."""
    kinds = (rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(LONG), rng.choice(NUMBERS), rng.random() < 0.5)
    return rng.choice(kinds)


def attributes(rng: random.Random) -> dict[str, Any]:
    return {key: value(rng) for key in rng.sample(KEYS, rng.randint(1, 6))}


def resource(rng: random.Random) -> dict[str, Any]:
    return {"service.name": rng.choice(SERVICES), "deployment.environment.name": rng.choice(ENVIRONMENTS)}


def spans(rng: random.Random, traces: int) -> Iterator[Known]:
    """Traces of one to four spans, none at the same time as another."""
    for number in range(traces):
        for step in range(rng.randint(1, 4)):
            yield Known(
                group=f"{number + 1:032x}",
                attributes=attributes(rng),
                resource=resource(rng),
                ago=10 + number * 5 - step * 0.01,
                seconds=rng.choice((0.0001, 0.0015, 0.0018, 0.5, 2.0, 65.0)),
                failed=rng.random() < 0.3,
            )


def lines(rng: random.Random, count: int) -> Iterator[Known]:
    """Lines of every severity; a third are events, which have no text."""
    for number in range(count):
        event = rng.choice(("", "", "gen_ai.evaluation.result"))
        yield Known(
            group="" if event else f"{number} {rng.choice(TEXTS)}",
            attributes=attributes(rng),
            resource=resource(rng),
            ago=10 + number,
            severity=rng.choice((0, 5, 9, 13, 17)),
            event=event,
        )


def term(rng: random.Random, of: Known) -> Term:
    """A condition, most often on something that `of` has."""
    every = {**of.attributes, **of.resource}
    key = rng.choice([*every, *every, rng.choice(KEYS)])
    have = every.get(key, value(rng)) if rng.random() < 0.8 else value(rng)
    op = rng.choice([*Op, Op.MATCHES, Op.MATCHES, Op.EQUAL])
    if op.orders:
        return Term(key, op, rng.choice((-4, -3, 0, 0.25, 1, 5, 1_000_000, 1e18)))
    if op is Op.MATCHES:
        text, first = re.escape(as_text(have)), re.escape(as_text(have)[:1])
        patterns = (
            text,
            f"{text}.*",
            f".*{text}",
            f"{first}.*",
            f"{first}.+",
            f"(?i){text}",
            f"x|{text}",
            ".*",
            "[a-z]+",
        )
        return Term(key, op, rng.choice(patterns))
    return Term(key, op, have)


def span_search(rng: random.Random, known: Sequence[Known]) -> SpanSearch:
    of = rng.choice(known)
    terms = tuple(term(rng, of) for _ in range(rng.choice((0, 1, 1, 2))))
    if rng.random() < 0.1:
        terms = (*terms, Term(rng.choice(KEYS[:4]), rng.choice((Op.EQUAL, Op.UNEQUAL, Op.BELOW)), Attribute(KEYS[1])))
    return SpanSearch(
        terms=terms,
        any_of=((term(rng, of), term(rng, rng.choice(known))),) if rng.random() < 0.25 else (),
        failed=rng.random() < 0.2,
        slower_than_s=rng.choice((None, None, None, 0.0001, 0.001, 0.0015, 1.0, "500ms", "1m")),
        at_least=rng.choice((1, 1, 1, 2)),
    )


def line_search(rng: random.Random, known: Sequence[Known]) -> LineSearch:
    of = rng.choice(known)
    return LineSearch(
        terms=tuple(term(rng, of) for _ in range(rng.choice((0, 1, 1, 2)))),
        any_of=((term(rng, of), term(rng, rng.choice(known))),) if rng.random() < 0.25 else (),
        severity=rng.choice((None, None, 9, 17)),
        event=of.event if rng.random() < 0.2 else "",
        text=of.group.partition(" ")[2] if rng.random() < 0.3 else "",
    )


def wanted_spans(search: SpanSearch, known: Sequence[Known]) -> list[str]:
    """Ids of the traces that a search wants, newest first."""
    slower = {None: -1.0, "500ms": 0.5, "1m": 60.0}.get(search.slower_than_s, search.slower_than_s)
    found: dict[str, list[Known]] = {}
    for each in known:
        if (each.failed or not search.failed) and each.seconds > slower and _all(search, each, _fulfils_span):
            found.setdefault(each.group, []).append(each)
    enough = [group for group, its in found.items() if len(its) >= search.at_least]
    return sorted(enough, key=lambda group: -max(-each.ago for each in known if each.group == group))


def wanted_lines(search: LineSearch, known: Sequence[Known]) -> list[float]:
    """How long ago the lines were that a search wants, newest first."""
    return sorted(
        each.ago
        for each in known
        if each.severity >= (search.severity or 0)
        and (not search.event or each.event == search.event)
        and (not search.text or search.text in each.group)
        and _all(search, each, _fulfils_line)
    )


def _all(search: SpanSearch | LineSearch, each: Known, fulfils: Any) -> bool:
    groups = all(any(fulfils(term, each) for term in group) for group in search.any_of)
    return groups and all(fulfils(term, each) for term in search.terms)


def _fulfils_span(term: Term, each: Known) -> bool:
    have = (each.resource if term.key.startswith(_RESOURCE) else each.attributes).get(term.key)
    want = each.attributes.get(term.value.key) if isinstance(term.value, Attribute) else term.value
    if have is None or want is None:
        return False
    if isinstance(want, (str, bool)) and not term.op.orders:
        return _compare(as_text(have), term.op, want)
    left, right = as_number(have), as_number(want)
    return _compare(left, term.op, right) if None not in {left, right} else term.op is Op.UNEQUAL


def _fulfils_line(term: Term, each: Known) -> bool:
    """Of lines every value is text, and an empty one is missing."""
    have = as_text({**each.resource, **each.attributes}.get(term.key, ""))
    if have == "":
        return False
    if not term.op.orders:
        return _compare(have, term.op, as_text(term.value))
    number = as_number(have)
    return number is not None and _compare(number, term.op, float(term.value))


def _compare(have: Any, op: Op, want: Any) -> bool:
    match op:
        case Op.EQUAL:
            return bool(have == as_text(want)) if isinstance(have, str) else bool(have == want)
        case Op.UNEQUAL:
            return not _compare(have, Op.EQUAL, want)
        case Op.MATCHES:
            return re.fullmatch(want, have, re.DOTALL) is not None
        case Op.ABOVE:
            return bool(have > want)
        case Op.AT_LEAST:
            return bool(have >= want)
        case Op.BELOW:
            return bool(have < want)
        case _:
            return bool(have <= want)


def as_text(value: Any) -> str:
    """A value as a store writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return str(value)


def as_number(value: Any) -> float | None:
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        return None
    return float(value)
