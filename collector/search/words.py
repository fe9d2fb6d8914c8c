"""Conditions as a person types them, and a search as the command that asks for it: no store's language is needed."""

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Final

from agentobs.contract import Attr
from collector.search.model import (
    SEVERITIES,
    Attribute,
    LineSearch,
    Op,
    SearchError,
    SpanSearch,
    Term,
    Value,
    number,
    of_version,
)

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_KEY: Final = re.compile(r"[\w./-]+")
_TERM: Final = re.compile(
    rf"\s*(?P<key>{_QUOTED}|{_KEY.pattern})\s*(?P<op>=~|!=|>=|<=|=|>|<)\s*(?P<value>{_QUOTED}|.+?)(?P<or>\s+or\s+|\s*\Z)",
    re.DOTALL,
)
_OR: Final = re.compile(r"(?:^|\s)or(?:\s|$)")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_OPTIONS: Final = {
    Attr.ENVIRONMENT: "--environment",
    Attr.AGENT_NAME: "--agent",
    Attr.TOOL_NAME: "--tool",
    Attr.SERVICE_NAME: "--service",
}
"""Attributes that have an option of their own."""
_LABEL: Final = re.compile(r"\$(?:\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)", re.ASCII)
_READ: Final = re.compile(rf"(?!{_LABEL.pattern})\$|`|!(?![=\s(])", re.ASCII)


def condition(text: str) -> tuple[Term, ...]:
    """Read `NAME OP VALUE`, or several with ` or ` between. Raises SearchError that says what was expected.

    A value in double quotes is text, and so is one that is neither a number, true, false nor an attribute's name.
    A name may be in double quotes too.
    """
    terms, at, ends = [], 0, False
    while not ends:
        match = _TERM.match(text, at)
        if match is None:
            raise SearchError(
                f"{text!r} is no condition; write NAME OP VALUE with one of {' '.join(Op)}, such as"
                " 'agentic.retry.attempt > 1' or 'error.type =~ .*timeout.*'"
            )
        op = Op(match["op"])
        terms.append(Term(_unquoted(match["key"]), op, _value(match["value"], op)))
        at, ends = match.end(), not match["or"].strip()
    return tuple(terms)


def _unquoted(text: str) -> str:
    whole = re.fullmatch(_QUOTED, text, re.DOTALL)
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if whole else text


def _value(text: str, op: Op) -> Value:
    if (plain := _unquoted(text)) != text:
        return plain
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
            value = number(term.value)
    key = term.key if _KEY.fullmatch(term.key) else _quoted(term.key)
    return f"{key} {term.op} {value}"


def _is_text(value: str, op: Op) -> bool:
    """Whether a value is read back as the text that it is."""
    plain = bool(value) and value.strip() == value and not value.startswith('"') and _OR.search(value) is None
    return plain and _value(value, op) == value


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command(search: SpanSearch | LineSearch) -> str:
    """The search as a command for a shell. `$label` in a value stays a variable of the shell."""
    words = ["agentobs", "traces" if isinstance(search, SpanSearch) else "logs"]
    for option, value in (*_of_terms(search.terms), *_of_groups(search.any_of)):
        words += [option, _word(value)]
    return " ".join([*words, *(_of_spans(search) if isinstance(search, SpanSearch) else _of_lines(search))])


def _of_terms(terms: Iterable[Term]) -> Iterator[tuple[str, str]]:
    """Each with an option of its own where it has one that is still free: of two the last would count."""
    free = dict(_OPTIONS)
    for term in terms:
        value = term.value if term.op is Op.EQUAL and isinstance(term.value, str) else ""
        option = free.pop(Attr(term.key), "") if value and term.key in set(Attr) else ""
        yield (option, value) if option else ("--where", written(term))


def _of_groups(groups: Iterable[tuple[Term, ...]]) -> Iterator[tuple[str, str]]:
    free = True
    for group in groups:
        version = str(group[0].value)
        if free and version and group == of_version(version):
            free = False
            yield "--version", version
        else:
            yield "--where", " or ".join(map(written, group))


def _of_spans(search: SpanSearch) -> list[str]:
    words = ["--failed"] if search.failed else []
    if search.slower_than_s is not None:
        words += ["--slower", _duration(search.slower_than_s)]
    return [*words, *(["--at-least", str(search.at_least)] if search.at_least > 1 else [])]


def _duration(value: float | str) -> str:
    if isinstance(value, str):
        return _word(value)
    return f"{value:.0f}s" if float(value).is_integer() else f"{number(round(value * 1000, 6))}ms"


def _of_lines(search: LineSearch) -> list[str]:
    words = [] if search.severity is None else ["--severity", _level(search.severity)]
    given = (("--event", search.event), ("--trace", search.trace_id), ("--text", search.text))
    return [*words, *(part for option, value in given if value for part in (option, _word(value)))]


def _level(severity: int) -> str:
    """The word for it, which people know; a number between two of them has none."""
    return next((word for word, least in SEVERITIES.items() if least == severity), str(severity))


def _word(text: str) -> str:
    """One word for a shell, in which only `$label` is filled in: nothing in it is run."""
    if not _LABEL.search(text):
        return shlex.quote(text)
    escaped = re.sub(r'["\\]', r"\\\g<0>", text)
    # What else a shell reads between double quotes stands between single ones.
    return '"' + _READ.sub(lambda found: f"\"'{found[0]}'\"", escaped) + '"'
