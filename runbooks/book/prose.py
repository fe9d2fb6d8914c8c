"""One page as a person wrote it: title, sections, fenced queries and commands, links. Parsed strictly.

Not here: whether what it says is true (`checks`), what is generated around it (`page`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from agentobs.errors import AgentobsError
from runbooks.book.kinds import Kind

PARSER: Final = MarkdownIt("commonmark").enable("table")
_NOT_RUN: Final = "not-run:"


class ProseError(AgentobsError, ValueError):
    """A page that cannot be used; the message names the file, what was expected and the fix."""


class Language(StrEnum):
    """What can stand in a fence: queries of Prometheus, commands, and what is only shown.

    Traces and lines are asked for with commands, whichever stores there are.
    """

    PROMQL = "promql"
    BASH = "bash"
    TEXT = "text"
    JSON = "json"
    YAML = "yaml"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block. `line` is that of its first fence; `not_run` says why no test can run it, or is empty."""

    language: Language
    text: str
    not_run: str
    line: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A link, and the line of the block that it stands in."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the Markdown below it, up to the next heading of its level."""

    title: str
    body: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Prose:
    """One page. `name` is the alert or the slug, `path` the file for messages."""

    kind: Kind
    name: str
    path: str
    text: str
    title: str
    sections: tuple[Section, ...]

    @cached_property
    def _tokens(self) -> list[Token]:
        return PARSER.parse(self.text)

    @cached_property
    def fences(self) -> tuple[Fence, ...]:
        """Every fenced block, in order. Raises ProseError."""
        return tuple(self._fence(token) for token in self._tokens if token.type == "fence")

    @property
    def body(self) -> str:
        """The text without its title."""
        return self.text.partition("\n")[2].strip() if self.kind.has_title else self.text.strip()

    @property
    def links(self) -> Iterator[Reference]:
        """Every link, in order."""
        for token in self._tokens:
            for child in token.children or ():
                if child.type == "link_open":
                    yield Reference(str(child.attrGet("href")), _line(token))

    @property
    def words(self) -> int:
        """Words of prose: without fences and headings."""
        heading = False
        count = 0
        for token in self._tokens:
            heading = token.type == "heading_open" or (heading and token.type == "inline")
            if token.type == "inline" and not heading:
                count += len(token.content.split())
        return count

    def _fence(self, token: Token) -> Fence:
        language, _, rest = token.info.strip().partition(" ")
        where = f"{self.path}:{_line(token)}"
        if language not in set(Language):
            given = repr(language) if language else "no language"
            raise ProseError(f"{where}: a fence of {given}; fix: one of {', '.join(Language)}")
        rest = rest.strip()
        if rest and not (language == Language.BASH and rest.startswith(_NOT_RUN)):
            raise ProseError(f"{where}: {token.info!r} after the fence; fix: `bash {_NOT_RUN} reason`, or nothing")
        reason = rest.removeprefix(_NOT_RUN).strip()
        if rest and not reason:
            raise ProseError(f"{where}: `{_NOT_RUN}` without a reason; fix: say why no test can run it")
        return Fence(language=Language(language), text=token.content, not_run=reason, line=_line(token))


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1


def read(kind: Kind, name: str, path: str, text: str) -> Prose:
    """Parse a page. Raises ProseError where title or sections are not those of its kind, or one is empty."""
    tokens = PARSER.parse(text)
    title = _title(kind, path, tokens)
    found = tuple(_sections(tokens, text))
    _check(kind, path, found)
    prose = Prose(kind=kind, name=name, path=path, text=text, title=title or name, sections=found)
    _ = prose.fences  # an unknown fence is an error of the page as a whole
    return prose


def _headings(tokens: list[Token], tag: str) -> list[tuple[str, Token]]:
    return [
        (tokens[place + 1].content, token)
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == tag and token.level == 0
    ]


def _title(kind: Kind, path: str, tokens: list[Token]) -> str:
    titles = _headings(tokens, "h1")
    if not kind.has_title:
        if titles:
            raise ProseError(f"{path}:{_line(titles[0][1])}: a title; it is generated. Fix: begin with `## Meaning`")
        return ""
    if len(titles) != 1 or _line(titles[0][1]) != 1:
        raise ProseError(f"{path}: expected `# Title` in the first line and nowhere else")
    return titles[0][0]


def _sections(tokens: list[Token], text: str) -> Iterator[Section]:
    lines = text.splitlines()
    found = _headings(tokens, "h2")
    ends = [*(_line(token) - 1 for _, token in found[1:]), len(lines)]
    for (title, token), end in zip(found, ends, strict=True):
        yield Section(title, "\n".join(lines[_line(token) : end]).strip(), _line(token))


def _check(kind: Kind, path: str, found: tuple[Section, ...]) -> None:
    titles = tuple(section.title for section in found)
    if unknown := [section for section in found if kind.sections and section.title not in kind.sections]:
        raise ProseError(f"{path}:{unknown[0].line}: section {unknown[0].title!r}; fix: one of {_list(kind)}")
    if missing := [title for title in kind.sections if title not in titles]:
        raise ProseError(f"{path}: no section {', '.join(missing)}; expected {_list(kind)}, in this order")
    if kind.sections and titles != kind.sections:
        raise ProseError(f"{path}: sections {', '.join(titles)}; expected {_list(kind)}, in this order")
    if not found:
        raise ProseError(f"{path}: no section; fix: at least one `## Heading`")
    for section in found:
        if not section.body:
            raise ProseError(f"{path}:{section.line}: section {section.title!r} is empty; fix: write it")


def _list(kind: Kind) -> str:
    return ", ".join(kind.sections)
