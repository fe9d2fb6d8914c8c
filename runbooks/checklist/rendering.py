"""A record as Markdown, as an HTML page to read and print, and as a page for a client, without anything internal."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from collector import quotes
from runbooks.checklist.catalogue import ITEMS
from runbooks.checklist.model import Status
from runbooks.checklist.record import Record

_HERE: Final = Path(__file__).parent
_MARKS: Final = {Status.PASS: "✔", Status.FAIL: "✖", Status.NOT_APPLICABLE: "-", Status.UNJUDGED: "?"}
_CLASSES: Final = {
    Status.PASS: "good",
    Status.FAIL: "bad",
    Status.NOT_APPLICABLE: "none",
    Status.UNJUDGED: "warning",
}
_PROMISES: Final = {item.key: item.promise for item in ITEMS}


def moment(at: float) -> str:
    """A unix time in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def markdown(record: Record) -> str:
    """The whole record, for a review or a ticket."""
    return _environment(html=False).get_template("record.md.j2").render(**_facts(record))


def html(record: Record, *, client: bool = False) -> str:
    """One page that needs no network; `client` leaves out queries, addresses, names and how things are mended."""
    css = Markup((_HERE / "record.css").read_text("utf-8"))  # noqa: S704 our own file
    return _environment(html=True).get_template("record.html.j2").render(**_facts(record), css=css, client=client)


def _facts(record: Record) -> dict[str, object]:
    return {
        "record": record,
        "verdict": record.verdict,
        "marks": _MARKS,
        "classes": _CLASSES,
        "promises": _PROMISES,
        "statuses": [status for status in Status if record.count(status)],
    }


def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=html,  # noqa: S701 Markdown is escaped by the filter `cell`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["moment"] = moment
    environment.filters["cell"] = quotes.markdown
    environment.filters["web"] = quotes.web
    return environment
