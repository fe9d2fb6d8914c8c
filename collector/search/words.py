"""Conditions as a person types them, and a search as the command that asks for it: no store's language is needed."""

import re
import shlex
from typing import Final

from collector.search.model import (
    Attribute,
    LineSearch,
    Op,
    SearchError,
    SpanSearch,
    Term,
    Value,
    of_version,
)
from collector.signals import Attr

_TERM: Final = re.compile(r"\s*(?P<key>[\w./-]+)\s*(?P<op>=~|!=|>=|<=|=|>|<)\s*(?P<value>.+?)\s*", re.DOTALL)
_OR: Final = re.compile(r"\s+or\s+")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_OPTIONS: Final = {
    Attr.ENVIRONMENT: "--environment",
    Attr.AGENT_NAME: "--agent",
    Attr.TOOL_NAME: "--tool",
    Attr.SERVICE_NAME: "--service",
}
"""Attributes that have an option of their own."""


def condition(text: str) -> tuple[Term, ...]:
    """Read `NAME OP VALUE`, or several with ` or ` between. Raises SearchError that says what was expected.

    A value in double quotes is text, and so is one that is neither a number, true, false nor an attribute's name.
    """
    return tuple(_term(part, text) for part in _OR.split(text))


def _term(part: str, whole: str) -> Term:
    match = _TERM.fullmatch(part)
    if match is None:
        raise SearchError(
            f"{whole!r} is no condition; write NAME OP VALUE with one of {' '.join(Op)}, such as"
            " 'agentic.retry.attempt > 1' or 'error.type =~ .*timeout.*'"
        )
    op = Op(match["op"])
    return Term(match["key"], op, _value(match["value"], op))


def _value(text: str, op: Op) -> Value:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if op is Op.MATCHES:
        return text
    if _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    if text in {"true", "false"}:
        return text == "true"
    return Attribute(text) if text in set(Attr) else text


def written(term: Term) -> str:
    """The condition as a person types it."""
    match term.value:
        case Attribute(key):
            value = key
        case bool():
            value = str(term.value).lower()
        case str():
            value = term.value if _is_text(term.value, term.op) else _quoted(term.value)
        case _:
            value = f"{term.value:g}"
    return f"{term.key} {term.op} {value}"


def _is_text(value: str, op: Op) -> bool:
    """Whether a value is read back as the text that it is."""
    return _OR.search(value) is None and value.strip() == value and bool(value) and _value(value, op) == value


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command(search: SpanSearch | LineSearch) -> str:
    """The search as a command for a shell. `$label` in a value stays a variable of the shell."""
    words = ["agentobs", "traces" if isinstance(search, SpanSearch) else "logs"]
    for term in search.terms:
        option = _OPTIONS.get(Attr(term.key)) if term.key in set(Attr) and term.op is Op.EQUAL else None
        words += [option, _word(str(term.value))] if option else ["--where", _word(written(term))]
    for group in search.any_of:
        version = str(group[0].value)
        whole = (
            ["--version", version] if group == of_version(version) else ["--where", " or ".join(map(written, group))]
        )
        words += [whole[0], _word(whole[1])]
    return " ".join([*words, *(_of_spans(search) if isinstance(search, SpanSearch) else _of_lines(search))])


def _of_spans(search: SpanSearch) -> list[str]:
    words = ["--failed"] if search.failed else []
    if search.slower_than_s is not None:
        words += ["--slower", _duration(search.slower_than_s)]
    return [*words, *(["--at-least", str(search.at_least)] if search.at_least > 1 else [])]


def _duration(value: float | str) -> str:
    if isinstance(value, str):
        return _word(value)
    return f"{value:.0f}s" if float(value).is_integer() else f"{value * 1000:.0f}ms"


def _of_lines(search: LineSearch) -> list[str]:
    words = [] if search.severity is None else ["--severity", str(search.severity)]
    given = (("--event", search.event), ("--trace", search.trace_id), ("--text", search.text))
    return [*words, *(part for option, value in given if value for part in (option, _word(value)))]


def _word(text: str) -> str:
    """One word for a shell, in which only `$label` is filled in."""
    if "$" not in text:
        return shlex.quote(text)
    return '"' + re.sub(r'(["\\`])', r"\\\1", text) + '"'
