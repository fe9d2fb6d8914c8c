"""Puts the site together: a folder per page, an index, everything in one page for paper, a script that searches."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from alerts import explore
from alerts.alerting import Links
from alerts.catalogue import Group, Severity
from alerts.explore import Explorer
from runbooks.book import page as pages
from runbooks.book.facts import Facts, facts
from runbooks.book.kinds import Kind
from runbooks.book.library import Library, expected
from runbooks.site.markup import Html, html

_HERE: Final = Path(__file__).parent
_FAMILIES: Final[Mapping[Group, str]] = {
    Group.TASKS: "Tasks", Group.AGENTS: "Agents", Group.TOOLS: "Tools and MCP servers",
    Group.MODELS: "Models and providers", Group.QUALITY: "Quality", Group.SAFETY: "Safety",
    Group.COST: "Cost and tokens", Group.VERSIONS: "Versions and releases", Group.TELEMETRY: "Telemetry",
    Group.PLATFORM: "Platform",
}  # fmt: skip
_KINDS: Final = {Kind.GUIDE: "On-call guide", Kind.PROCEDURE: "Procedures"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A page in the index and the navigation."""

    name: str
    title: str
    about: str
    severities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chapter:
    """Entries under one heading."""

    slug: str
    title: str
    entries: tuple[_Entry, ...]


def render(library: Library, links: Links, explorer: Explorer = explore.LOCAL) -> dict[str, str]:
    """Every file of the site: path -> text. `links.board` is where boards are, `explorer` where queries are opened."""
    texts = pages.render(library, links)
    chapters = tuple(_chapters(library))
    entries = {entry.name: entry for chapter in chapters for entry in chapter.entries}
    made = {name: html(texts[name], _beside, explorer=explorer) for name in entries}
    common: dict[str, Any] = {"chapters": chapters, "families": _FAMILIES, "explorer": explorer}
    one = {name: html(texts[name], _within, prefix=f"{name}-", explorer=explorer) for name in entries}
    return {
        "index.html": _page("index.html.j2", root="", title="Runbooks", current="", **common),
        "all.html": _page(
            "all.html.j2", root="", title="All runbooks", current="", pages=one, entries=entries, **common
        ),
        **{
            f"{name}/index.html": _page(
                "page.html.j2",
                root="../",
                title=entries[name].title,
                current=name,
                page=each,
                labels=_labels(name),
                **common,
            )
            for name, each in made.items()
        },
        "site.css": (_HERE / "site.css").read_text("utf-8"),
        "site.js": (_HERE / "site.js").read_text("utf-8"),
        "search.js": _index(made, entries),
    }


def _beside(name: str, anchor: str) -> str:
    return f"../{name}/index.html" + (f"#{anchor}" if anchor else "")


def _within(name: str, anchor: str) -> str:
    return f"#{name}-{anchor}" if anchor else f"#{name}"


def _chapters(library: Library) -> Iterator[_Chapter]:
    for kind, title in _KINDS.items():
        found = tuple(_Entry(name=each.name, title=each.title, about="") for each in library.of(kind))
        if found:
            yield _Chapter(slug=kind, title=title, entries=found)
    known = [facts(name) for name in expected()[Kind.ALERT]]
    for family, title in _FAMILIES.items():
        members = sorted((each for each in known if each.family == family), key=_urgency)
        yield _Chapter(slug=family, title=title, entries=tuple(_entry(each) for each in members))


def _urgency(found: Facts) -> bool:
    """Pages before tickets; else as in the rules."""
    return Severity.PAGE not in found.severities


def _entry(found: Facts) -> _Entry:
    return _Entry(
        name=found.name, title=found.name, about=found.message, severities=tuple(str(each) for each in found.severities)
    )


def _labels(name: str) -> tuple[str, ...]:
    return facts(name).labels if name in expected()[Kind.ALERT] else ()


def _index(made: Mapping[str, Html], entries: Mapping[str, _Entry]) -> str:
    """What the search looks through, as a script: a page that was opened as a file may read no other file."""
    found = [
        {
            "name": name,
            "title": entries[name].title,
            "about": entries[name].about,
            "parts": [[part.anchor, part.title, part.text] for part in page.parts],
        }
        for name, page in made.items()
    ]
    return f"const PAGES = {json.dumps(found, ensure_ascii=False, separators=(',', ':'))};\n"


_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def _page(template: str, **values: Any) -> str:  # noqa: ANN401 for the template
    return _TEMPLATES.get_template(template).render(icon=Markup('<link rel="icon" href="data:,">'), **values)
