"""A prompt file taken apart: YAML front matter, then the text with its variables.

Variables are Jinja's (`format: jinja`) or mustache's, as Langfuse writes them (`format: mustache`, the default).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import jinja2
import jinja2.meta
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

_FENCE: Final = "---"
_MUSTACHE: Final = re.compile(r"\{\{\{?\s*([#^/&!>]?)\s*([\w.-]+)?[^}]*\}?\}\}")
_JINJA: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class Level(StrEnum):
    """How bad a finding is, in SARIF's words."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, where (line from 1), and what to do."""

    rule: str
    level: Level
    line: int
    text: str


class Variable(BaseModel):
    """What a variable holds. `user`: text that somebody outside wrote."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: bool = False
    description: str = ""


class Head(BaseModel):
    """The front matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    version: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    agent: str = ""
    format: Literal["mustache", "jinja"] = "mustache"
    variables: dict[str, Variable | None] = Field(default_factory=dict)
    tools: tuple[str, ...] = ()
    max_tokens: Annotated[int, Field(gt=0)] = 8000
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A variable where the text uses it."""

    name: str
    line: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A file that can be read. `first` is the line on which the text begins."""

    head: Head
    text: str
    first: int
    uses: tuple[Use, ...]

    def line(self, at: int) -> int:
        """The line of the file that a place in the text lies on."""
        return self.first + self.text.count("\n", 0, at)


def read(content: str) -> tuple[Prompt | None, list[Finding]]:
    """Take a file apart; what stops that is found."""
    lines = content.split("\n")
    if lines[0].rstrip() != _FENCE or _FENCE not in (each.rstrip() for each in lines[1:]):
        return None, [_wrong(1, "no front matter; fix: begin with ---, name, version and owner, and ---")]
    end = [each.rstrip() for each in lines[1:]].index(_FENCE) + 1
    try:
        head = Head.model_validate(_plain(yaml.safe_load("\n".join(lines[1:end]))))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return None, [
            _wrong(2 + (mark.line if mark else 0), f"the front matter is no YAML: {getattr(error, 'problem', error)}")
        ]
    except ValidationError as error:
        return None, [*_problems(error, lines[:end])]
    text, first = "\n".join(lines[end + 1 :]), end + 2
    try:
        uses = tuple(_jinja(text, first) if head.format == "jinja" else _mustache(text, first))
    except jinja2.TemplateSyntaxError as error:
        return None, [_wrong(first + error.lineno - 1, f"no Jinja template: {error.message}", "template")]
    return Prompt(head=head, text=text, first=first, uses=uses), []


def _plain(made: Any) -> Any:  # noqa: ANN401 any YAML
    """A version may be a number: people write `version: 12`."""
    if isinstance(made, dict) and isinstance(made.get("version"), int | float):
        return {**made, "version": str(made["version"])}
    return {} if made is None else made


def _wrong(line: int, text: str, rule: str = "front-matter") -> Finding:
    return Finding(rule=rule, level=Level.ERROR, line=line, text=text)


def _problems(error: ValidationError, lines: list[str]) -> Iterator[Finding]:
    for problem in error.errors(include_url=False):
        key = str(problem["loc"][0]) if problem["loc"] else ""
        line = next((number for number, each in enumerate(lines, start=1) if each.startswith(f"{key}:")), 1)
        place = ".".join(map(str, problem["loc"])) or "front matter"
        told = {"missing": "is missing; fix: add it", "extra_forbidden": "is no key of front matter; fix: remove it"}
        yield _wrong(line, f"{place} {told.get(problem['type'], problem['msg'])}")


def _mustache(text: str, first: int) -> Iterator[Use]:
    for found in _MUSTACHE.finditer(text):
        sign, name = found[1], found[2]
        if name and sign not in {"/", "!", ">"}:
            yield Use(name=name.split(".")[0], line=first + text.count("\n", 0, found.start()), at=found.start())


def _jinja(text: str, first: int) -> Iterator[Use]:
    """Every variable that a template needs; where it is printed, else its first mention."""
    names = jinja2.meta.find_undeclared_variables(jinja2.Environment(autoescape=False).parse(text))  # noqa: S701 nothing is rendered
    for name in sorted(names):
        word = re.compile(rf"\b{re.escape(name)}\b")
        places = [found.start() for found in _JINJA.finditer(text) if word.search(found[1])]
        mention = word.search(text)
        for at in places or ([mention.start()] if mention else []):
            yield Use(name=name, line=first + text.count("\n", 0, at), at=at)
