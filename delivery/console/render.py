"""Makes a page of a template. Everything from a store or from telemetry is text: escaped, one line, nothing turned."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from collector.quotes import line
from delivery.access import Person, Role
from delivery.environments.state import WHOLE

HERE: Final = Path(__file__).parent
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


def _text(value: object) -> str:
    """What stands on a page: nothing for None, one line of text for everything else but markup of ours."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else line(str(value))


def percent(share: float) -> str:
    """A share of sessions (in 1/10,000)."""
    return f"{share * 100 / WHOLE:g} %"


def lasted(seconds: float) -> str:
    """A time span, to its two largest units at most."""
    seconds = max(0, int(seconds))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"


def moment(said: str) -> Markup:
    """A time of the history: the day and minute (UTC), and how long ago; as it was written where it is none."""
    try:
        at = datetime.fromisoformat(said).astimezone(UTC)
    except (ValueError, OverflowError):
        return escape(line(said))
    ago = time.time() - at.timestamp()
    told = f"{lasted(ago)} ago" if ago >= 0 else "in the future"
    return Markup('<time datetime="{}" title="{}">{} <small>{}</small></time>').format(
        at.isoformat(), at.strftime("%Y-%m-%d %H:%M:%S UTC"), at.strftime("%b %d, %H:%M"), told
    )


def query(**words: object) -> str:
    """A query of an address; what is None is left out."""
    return urlencode({key: value for key, value in words.items() if value is not None})


_PAGES: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_text,
)
_PAGES.filters.update(percent=percent, lasted=lasted, moment=moment)
_PAGES.globals.update(query=query)


def page(template: str, person: Person | None, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 for it
    """A page for somebody."""
    common: dict[str, Any] = {"person": person, "operator": False, "releaser": False, "here": "", "environment": ""}
    if person is not None:
        common.update(operator=person.role >= Role.OPERATOR, releaser=person.role >= Role.RELEASER)
    return HTMLResponse(_PAGES.get_template(template).render({**common, **values}), status)


def failed(person: Person | None, status: int, title: str, *said: str, back: str = "/") -> HTMLResponse:
    """A page that says why not."""
    return page("problem.html.j2", person, status, title=title, said=said, back=back)
