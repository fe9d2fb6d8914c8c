"""All pages that people wrote, read from their folders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from alerts import alerting
from alerts.timing import PRODUCTION
from runbooks.book import prose
from runbooks.book.kinds import GUIDES, PROCEDURES, Kind
from runbooks.book.prose import Prose, ProseError

HERE: Final = Path(__file__).resolve().parents[1]
"""The folder that holds a folder for each kind."""


@cache
def expected() -> dict[Kind, tuple[str, ...]]:
    """Every page there must be, by kind and in the order in which they are listed."""
    alerts = tuple(dict.fromkeys(alert.name for alert in alerting.alerts(PRODUCTION)))
    return {Kind.ALERT: alerts, Kind.PROCEDURE: PROCEDURES, Kind.GUIDE: GUIDES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Pages by name, in the order of `expected`; and those that are expected and not there."""

    pages: Mapping[str, Prose]
    missing: tuple[str, ...]

    def of(self, kind: Kind) -> Iterator[Prose]:
        """The pages of one kind."""
        return (page for page in self.pages.values() if page.kind is kind)


@cache
def load(folder: Path = HERE) -> Library:
    """Read every page below a folder, once. Raises ProseError with all that cannot be used or are not expected."""
    names = expected()
    found: dict[str, Prose] = {}
    wrong: list[str] = []
    for kind in Kind:
        for file in sorted((folder / kind).glob("*.md")):
            try:
                page = _read(kind, file, names[kind])
            except ProseError as error:
                wrong.append(str(error))
            else:
                found[page.name] = page
    if wrong:
        raise ProseError("\n".join(wrong))
    wanted = [name for kind in Kind for name in names[kind]]
    pages = {name: found[name] for name in wanted if name in found}
    return Library(pages=pages, missing=tuple(name for name in wanted if name not in found))


def _read(kind: Kind, file: Path, names: tuple[str, ...]) -> Prose:
    shown = f"runbooks/{kind}/{file.name}"
    if file.stem not in names:
        what = "alert" if kind is Kind.ALERT else "page"
        raise ProseError(f"{shown}: no {what} is called {file.stem}; fix: rename or delete the file")
    return prose.read(kind, file.stem, shown, file.read_text(encoding="utf-8"))
