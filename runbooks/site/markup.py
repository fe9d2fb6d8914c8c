"""Markdown of a page as HTML: anchors at headings, links to the pages of the site, fences that can be copied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from alerts import explore
from alerts.explore import Explorer
from runbooks.book.checks import slug
from runbooks.book.prose import Language

_HEADINGS: Final = ("h2", "h3")


class _Renderer(RendererHTML):
    """Fences with their language, and tables that scroll by themselves on a narrow screen."""

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: ANN401, ARG002 its types
        """A fenced block: what it is for, why no test runs it, the text, a button; of a query, where to open it."""
        language, _, rest = tokens[idx].info.strip().partition(" ")
        reason = rest.removeprefix("not-run:").strip()
        note = f'<span class="note">{escape(reason)}</span>' if reason else ""
        opened = _open(tokens[idx].content, env["explorer"]) if language == Language.PROMQL else ""
        copy = '<button type="button" class="copy">copy</button>'
        head = f"<figcaption><span>{escape(language)}</span>{note}{opened}{copy}</figcaption>"
        text = f'<pre tabindex="0"><code>{escape(tokens[idx].content.rstrip())}</code></pre>'
        return f'<figure class="code" data-language="{escape(language)}">{head}{text}</figure>\n'

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: ANN401, ARG002
        """The start of a table."""
        return '<div class="scroll"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: ANN401, ARG002
        """Its end."""
        return "</table></div>\n"


# Raw HTML is shown as it stands: a page is text.
_PARSER: Final = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")


def _open(text: str, explorer: Explorer) -> str:
    """A link that opens the queries; the script of the page fills it in."""
    address = escape(explorer.address([*explore.queries(text)]))
    return f'<a class="open" href="{address}" target="_blank" rel="noopener">open in {explorer.place.title()}</a>'


@dataclass(frozen=True, slots=True)
class Part:
    """A section as the search knows it: the anchor of its heading, the heading, the words below it."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Html:
    """A page: its HTML, and its parts; the first part is what stands before the first heading."""

    body: Markup
    parts: tuple[Part, ...]


def html(
    markdown: str, address: Callable[[str, str], str], prefix: str = "", explorer: Explorer = explore.LOCAL
) -> Html:
    """Render a page. `address` gives that of a page's name and an anchor in it; `prefix` is put before own anchors.

    Queries are opened in the `explorer`.
    """
    lines = markdown.splitlines()
    if lines and lines[0].startswith("<!--"):
        lines = lines[1:]
    tokens = _PARSER.parse("\n".join(lines))
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", _target(str(child.attrGet("href")), address, prefix))
    _anchor(tokens, prefix)
    body = _PARSER.renderer.render(tokens, _PARSER.options, {"explorer": explorer})
    return Html(Markup(body), tuple(_parts(tokens)))  # noqa: S704 the parser escaped what is not its own


def _target(target: str, address: Callable[[str, str], str], prefix: str) -> str:
    name, _, anchor = target.partition("#")
    if name.endswith(".md"):
        return address(name.removesuffix(".md"), anchor)
    return f"#{prefix}{anchor}" if not name else target


def _anchor(tokens: list[Token], prefix: str) -> None:
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag in _HEADINGS:
            token.attrSet("id", prefix + slug(tokens[place + 1].content))


def _parts(tokens: list[Token]) -> list[Part]:
    found = [Part("", "", "")]
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        if token.type == "heading_open" and token.tag in _HEADINGS:
            found.append(Part(str(token.attrGet("id")), tokens[place + 1].content, ""))
        elif token.type == "fence" or (token.type == "inline" and not (before and before.type == "heading_open")):
            last = found[-1]
            words = " ".join(_words(token).split())
            found[-1] = Part(last.anchor, last.title, f"{last.text} {words}".strip())
    return found


def _words(token: Token) -> str:
    if token.type == "fence":
        return token.content
    return "".join(child.content or " " for child in token.children or ())
