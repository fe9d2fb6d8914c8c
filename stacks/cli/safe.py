"""The one way to a terminal. Text from telemetry is shown as it is: neither markup nor control characters do anything.

Verbs print with `Console`, `say` and `document`; `tests/unit/test_one_way_out.py` finds those that use another way.
"""

import sys
from collections.abc import Iterable
from typing import Any, Final

import typer
from pydantic import BaseModel
from rich import console as rich_console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from collector import quotes

_TAB: Final = "    "
_ESCAPED: Final = {
    code: f"\\u{code:04x}"
    for code in (*range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}
"""What JSON leaves as it is, and a terminal does not."""


def plain(value: Any) -> str:  # noqa: ANN401 whatever a store answers
    """The value as one line without characters that steer a terminal."""
    return quotes.line(str(value).replace("\t", _TAB))


def text(value: Any, style: str = "") -> Text:  # noqa: ANN401 whatever a store answers
    """The value as one line of text, not as markup."""
    return Text(plain(value), style=style)


def lines(value: Any, style: str = "", indent: str = "") -> Text:  # noqa: ANN401 whatever a store answers
    """The value with its own lines, those after the first indented: none of them looks like one of ours."""
    return Text(f"\n{indent}".join(map(plain, str(value).replace("\r\n", "\n").split("\n"))), style=style)


class Console(rich_console.Console):
    """A console on which every string is text, whatever draws it; a style has to be asked for with `Text`."""

    def __init__(self, *, stderr: bool = False, **settings: Any) -> None:  # noqa: ANN401 as rich takes them
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:  # noqa: ANN401 as rich takes them
        """A string as text: no caller can ask for markup."""
        return super().render_str(text, **{**settings, "markup": False, "emoji": False, "highlight": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Draw; whoever made a piece, no character in it steers the terminal, and no link leads out of the web."""
        return map(_harmless, super().render(renderable, options))


def _harmless(segment: Segment) -> Segment:
    if segment.control:  # rich's own: to move the cursor of a progress bar
        return segment
    shown = "\n".join(map(plain, segment.text.split("\n")))
    style = segment.style
    if style is not None and style.link and not quotes.web(style.link):
        style = style.update_link(None)
    return Segment(shown, style)


def say(value: Any) -> None:  # noqa: ANN401 anything that has words
    """Print plain lines that another program may read."""
    typer.echo("\n".join(map(plain, str(value).split("\n"))))


def document(found: BaseModel | str) -> None:
    """Print a JSON document, in which nothing steers a terminal either."""
    said = found if isinstance(found, str) else found.model_dump_json(indent=2)
    typer.echo(said.translate(_ESCAPED))


def exact(value: str) -> None:
    """Print text that a shell or a file takes byte by byte; it must hold nothing of telemetry."""
    sys.stdout.write(f"{value}\n")
