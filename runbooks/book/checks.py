"""Checks of pages: every alert has one and the reverse; what a page says can be asked, run and reached.

Each check is a function whose name is the name of the check. Whether a query returns what it promises is for tests on a
running stack.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from alerts import explore, instances
from alerts.lint import queries
from alerts.promql import known
from runbooks.book import commands, searches
from runbooks.book.commands import Command
from runbooks.book.kinds import Kind
from runbooks.book.library import Library, expected
from runbooks.book.prose import Fence, Language, Prose

LEAST_WORDS: Final = 150
MEDIAN_WORDS: Final = 250
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)")
_ASSIGNED: Final = re.compile(r"(?:^|[\s;(])(?:for\s+)?([a-z_]\w*)(?==|\s+in\s)|\bread\s+(?:-\w\s+)*([a-z_]\w*)")
# Labels of alerts that pages without an alert may talk about.
_ANY_LABEL: Final = known.KPI_LABELS | {"version", "previous", "dimension", "kpi", "job", "instance", "exporter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a page that is wrong: where, which check, what, and what to do."""

    path: str
    check: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.check}: {self.message}; fix: {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What a check may look at: all pages, and the commands that `agentobs` has."""

    library: Library
    agentobs: Command


Problem = tuple[int, str, str]
"""The line, or 0 for the page as a whole; what is wrong; the fix."""
Check = Callable[[Prose, Book], Iterator[Problem]]


def length(page: Prose, _: Book) -> Iterator[Problem]:
    """A page has enough words to be followed by somebody who does not know the system."""
    if page.kind is not Kind.GUIDE and page.words < LEAST_WORDS:
        yield 0, f"{page.words} words", f"at least {LEAST_WORDS}, fences not counted"


def asks(page: Prose, _: Book) -> Iterator[Problem]:
    """A page of an alert asks whether it is so, and has a command, both of its own."""
    if page.kind is not Kind.ALERT:
        return
    scripts = [*_fences(page, Language.BASH)]
    if not any(_fences(page, Language.PROMQL)) and not any(searches.looks(fence.text) for fence in scripts):
        yield 0, "no query", f"a fence of promql, or agentobs {', '.join(sorted(searches.LOOKS))}"
    if not scripts:
        yield 0, "no command", "a fence of bash"


def promql(page: Prose, _: Book) -> Iterator[Problem]:
    """PromQL parses, and reads series and labels that exist."""
    for fence in _fences(page, Language.PROMQL):
        for query in explore.queries(fence.text):
            yield from (
                (fence.line, f"{problem.message} in `{query}`", problem.fix) for problem in queries.problems(query)
            )


def labels(page: Prose, _: Book) -> Iterator[Problem]:
    """`$label` is a label that the alert has."""
    there = frozenset(instances.labels_of(page.name)) if page.kind is Kind.ALERT else _ANY_LABEL
    for fence in page.fences:
        if fence.language not in {Language.PROMQL, Language.BASH}:
            continue
        own = {name for pair in _ASSIGNED.findall(fence.text) for name in pair if name}
        for name in dict.fromkeys(_VARIABLE.findall(_outside_quotes(fence))):
            shell = fence.language is Language.BASH and (name.isupper() or name in own)
            if name not in there and not shell:
                yield fence.line, f"${name} is no label of it", f"one of {', '.join(sorted(there)) or 'none'}"


def command(page: Prose, book: Book) -> Iterator[Problem]:
    """A command is one that exists, and says so where no test can run it."""
    for fence in _fences(page, Language.BASH):
        found = commands.problems(fence.text, runs=not fence.not_run, agentobs=book.agentobs)
        yield from ((fence.line, message, fix) for message, fix in found)


def search(page: Prose, _: Book) -> Iterator[Problem]:
    """A search for traces or lines can be read, and asks for attributes that there are."""
    for fence in _fences(page, Language.BASH):
        yield from ((fence.line, message, fix) for message, fix in searches.problems(fence.text))


def link(page: Prose, book: Book) -> Iterator[Problem]:
    """A link leads to a page that there is, or that there must be."""
    names = {name for kind in Kind for name in expected()[kind]}
    for each in page.links:
        target, _, anchor = each.target.partition("#")
        name = target.removesuffix(".md") if target else page.name
        if (target and not target.endswith(".md")) or name not in names:
            yield each.line, f"{each.target} is no page", "the file name of an alert's, procedure's or guide's page"
        elif anchor and name in book.library.pages:
            anchors = {slug(section.title) for section in book.library.pages[name].sections}
            if anchor not in anchors:
                yield each.line, f"{each.target}: no such section", f"one of {', '.join(sorted(anchors))}"


CHECKS: Final[tuple[Check, ...]] = (length, asks, promql, labels, command, search, link)


def findings(book: Book) -> list[Finding]:
    """Everything wrong in all pages, in their order; then what is wrong with all of them together."""
    found = [
        Finding(path=f"{page.path}:{line}" if line else page.path, check=_name(check), message=message, fix=fix)
        for page in book.library.pages.values()
        for check in CHECKS
        for line, message, fix in check(page, book)
    ]
    return [*found, *_together(book.library)]


def _together(library: Library) -> Iterator[Finding]:
    for kind in Kind:
        gone = [name for name in expected()[kind] if name in library.missing]
        if gone:
            message, fix = f"no page for {', '.join(gone)}", "write each as NAME.md"
            yield Finding(path=f"runbooks/{kind}", check="missing", message=message, fix=fix)
    words = [page.words for page in library.of(Kind.ALERT)]
    if words and median(words) < MEDIAN_WORDS:
        message, fix = f"the median page has {median(words):g} words", f"at least {MEDIAN_WORDS}"
        yield Finding(path=f"runbooks/{Kind.ALERT}", check="length", message=message, fix=fix)


def slug(title: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _name(check: Check) -> str:
    return str(getattr(check, "__name__"))  # noqa: B009 a Callable has no __name__ for the type checker


def _fences(page: Prose, language: Language) -> Iterator[Fence]:
    return (fence for fence in page.fences if fence.language is language)


def _outside_quotes(fence: Fence) -> str:
    """In a shell, nothing is a variable between single quotes."""
    return re.sub(r"'[^']*'", "", fence.text) if fence.language is Language.BASH else fence.text
