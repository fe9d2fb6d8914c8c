"""Ten thousand names from telemetry, through everything that shows a name or asks with it: each stays text.

Each output is read back by a reader that we did not write: a shell, parsers of PromQL, JSON, Markdown and HTML.
"""

import io
import json
import re
import shlex
import subprocess
from html.parser import HTMLParser
from urllib.parse import urlsplit

import promql_parser
import pytest
from markdown_it import MarkdownIt
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree
from support.hostile import KINDS, names

from agentobs.contract import Label
from alerts import promql
from alerts.alerting import command
from alerts.catalogue.wanted import Not
from collector import quotes
from collector.search import LineSearch, Op, SpanSearch, Term, jaeger, logql, logsql, traceql
from collector.search.source import Call
from dashboards.report import drawings
from runbooks import checklist
from stacks.cli import safe

NAMES = [*names(10_000)]
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def drawn(shown: object, *, colours: bool = False) -> str:
    console = safe.Console(
        file=io.StringIO(), width=4000, force_terminal=colours, color_system="truecolor" if colours else None
    )
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_there_are_ten_thousand_of_them():
    assert len(set(NAMES)) == 10_000
    assert sum(bool(STEERS.search(name)) for name in NAMES) > 1_000


def test_a_line_is_one_line_and_text_without_such_signs_is_left_alone():
    for name in NAMES:
        said = quotes.line(name)
        assert len(said.splitlines()) <= 1
        assert not STEERS.search(said.replace("\t", ""))
        assert quotes.line(said) == said
        if name.isprintable():
            assert said == name


def test_a_terminal_shows_a_name_however_it_is_handed_over():
    """As a string, as text that nobody made safe, in a cell, a title, a tree and a panel; with colours too."""
    for name in NAMES[::7]:
        table = Table(name, title=name)
        table.add_row(name, Text(name))
        for shown in (name, Text(name), table, Tree(name), Panel(Text(name))):
            said = drawn(shown)
            assert not STEERS.search(said)
            if name.isprintable() and name.strip():
                assert name.strip() in said.replace("\n", "")


def test_no_name_becomes_a_link_or_a_colour_of_a_terminal():
    """A terminal is steered by ESC: whatever it is shown, it gets the sequences that it gets for a plain name."""
    plain = re.findall("\x1b[^m]*m|\x1b.", drawn(Text("x", "bold"), colours=True))
    for name in NAMES[::7]:
        said = drawn(Text(quotes.line(name).strip() or "x", "bold"), colours=True)
        assert "\x1b]" not in said
        assert set(re.findall("\x1b[^m]*m|\x1b.", said)) <= set(plain)
    for address in ("javascript:alert(1)", "file:///etc/passwd", "https://e.example/\x07"):
        assert "\x1b]8" not in drawn(Text("x", f"link {address}"), colours=True)
    assert "\x1b]8" in drawn(Text("x", "link https://e.example/x"), colours=True)


def test_promql_finds_the_value_and_nothing_else():
    for name in NAMES:
        for wanted, op in ((name, promql_parser.MatchOp.Equal), (Not(name), promql_parser.MatchOp.NotEqual)):
            parsed = promql_parser.parse(f"x{promql.matchers({Label.TOOL: wanted})}")
            (matcher,) = parsed.matchers.matchers
            assert (matcher.value, matcher.op) == (name, op), name


def test_a_string_of_every_store_is_the_name():
    for name in NAMES:
        assert json.loads(quotes.quoted(name)) == name
        assert json.loads(quotes.logsql(name)) == name
        word = quotes.logfmt(name)
        assert (json.loads(word) if word.startswith('"') else word) == name
        assert word.startswith('"') or not re.search(r"[\s\"=]", word)


def test_a_search_of_every_store_holds_the_name_as_one_string():
    """Without their strings all searches are the same text: no name adds to it."""
    string = re.compile(r'"(?:[^"\\]|\\.)*"')
    forms = {traceql.render: set(), logql.render: set(), logsql.render: set(), jaeger.tags_text: set()}
    for name in filter(None, NAMES):
        spans = SpanSearch(terms=(Term("agentic.x", Op.EQUAL, f"{name} "), Term("a.b", Op.EQUAL, f"{name} ")))
        lines = LineSearch(terms=spans.terms, event=name)
        for render, search in (
            (traceql.render, spans),
            (logql.render, lines),
            (logsql.render, lines),
            (jaeger.tags_text, spans),
        ):
            forms[render].add(string.sub("S", render(search)))
    assert {len(found) for found in forms.values()} == {1}, forms


def test_a_word_of_a_shell_is_one_word():
    for name in NAMES:
        kept = STEERS.sub("?", re.sub("[\t\n]", "?", name))
        assert shlex.split(f"x {quotes.shell(name)}", comments=True) == ["x", kept]


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_real_shells_run_nothing_of_ten_thousand_names(tmp_path, shell):
    script = tmp_path / "script"
    script.write_text("\n".join(f"printf '%s\\0' {quotes.shell(name)}" for name in NAMES), encoding="utf-8")
    done = subprocess.run(
        [shell, str(script)], cwd=tmp_path, capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    said = done.stdout.decode().split("\0")[:-1]
    assert len(said) == len(NAMES)
    assert all(word == name for word, name in zip(said, NAMES, strict=True) if name.isprintable())
    assert {path.name for path in tmp_path.iterdir()} == {"script"}
    assert done.stderr == b""


def test_a_line_to_paste_is_one_line_of_plain_words():
    for name in NAMES[::7]:
        line = command.line("ToolFailing", {"environment": name, "tool_name": name})
        assert not STEERS.search(line)
        assert "\n" not in line


def test_a_cell_of_markdown_stays_a_cell():
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for name in NAMES:
        tokens = parser.parse(f"| a | b |\n|---|---|\n| {quotes.markdown(name)} | end |\n")
        assert sum(token.type == "tr_open" for token in tokens) == 2, name
        assert sum(token.type == "td_open" for token in tokens) == 2, name
        inner = [child.type for token in tokens if token.type == "inline" for child in token.children or ()]
        assert set(inner) <= {"text", "text_special"}, name
        assert [*_texts(tokens)][2] == quotes.line(" ".join(name.split())), name


def _texts(tokens):
    """The text of every cell, as it is read."""
    for token in tokens:
        if token.type == "inline":
            yield "".join(child.content for child in token.children)


def test_only_an_address_of_the_web_is_followed():
    for name in [*NAMES, *(f"https://e.example/{name}" for name in NAMES), *(f"{name}://x" for name in KINDS)]:
        address = quotes.web(name)
        assert address in {"", name}
        if address:
            assert urlsplit(address).scheme in {"http", "https"}
            assert not re.search(r"\s|[\x00-\x20\x7f-\uffff]", address)
    assert quotes.web("https://e.example/a?b=c#d") == "https://e.example/a?b=c#d"
    assert [
        quotes.web(bad) for bad in ("JavaScript:alert(1)", "http:x", "https://", "//e.example", " https://e.example")
    ] == [""] * 5


class Tags(HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data):
        self.text.append(data)


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def record(name: str) -> checklist.Record:
    (item, *_) = checklist.items(checklist.Phase.BEFORE)
    result = checklist.Result(
        key=item.key, title=item.title, section=item.section, owner=item.owner, automated=True, at=0, took_s=0,
        status=checklist.Status.FAIL, message=name or "-", fix=name,
        proofs=[checklist.Proof(what=name, value=name, query=name)],
    )  # fmt: skip
    return checklist.sealed(
        checklist.Record(
            phase=checklist.Phase.BEFORE,
            stack=name,
            environment=name,
            release=name,
            by=name,
            made_at=0,
            window_start=0,
            window_end=1,
            evidence="",
            baseline=name,
            results=[result],
        )
    )


@pytest.mark.parametrize("client", [False, True])
def test_a_page_of_html_has_the_elements_that_it_has_for_a_plain_name(client):
    wanted = read(checklist.html(record("plain"), client=client)).elements
    for name in filter(None, NAMES[::40]):
        tags = read(checklist.html(record(name), client=client))
        assert tags.elements == wanted, name
        assert set(tags.links) <= {"data:,"}, name


def test_a_record_in_markdown_has_the_blocks_that_it_has_for_a_plain_name():
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")

    def blocks(name: str) -> list[str]:
        return [token.type for token in parser.parse(checklist.markdown(record(name)))]

    wanted = blocks("plain")
    for name in filter(str.strip, NAMES[::40]):
        assert blocks(name) == wanted, name


def test_a_drawing_has_the_elements_that_it_has_for_a_plain_name():
    wanted = read(drawings.graph([Call("plain", "b", 1)])).elements
    for name in filter(None, NAMES[::7]):
        assert read(drawings.graph([Call(name, "b b", 1)])).elements == wanted, name
