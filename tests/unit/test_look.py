"""`agentobs traces` and `agentobs logs` on a terminal: what others named is text, and errors are one message."""

import json
import re

import pytest
import typer
from rich.console import Console
from support.bad_server import bad_server
from typer.testing import CliRunner

from collector.search import LogLine, Span, Trace
from stacks.cli import look, safe, show, show_look

EVIL = (
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b31mred", "a\x00b\x08\x08c", "a\rb", "[red]x[/red]", "[/]", "[link=file:///x]y",
    "\u202egnp.exe", "\u2066x", "\ud800", "\x7f", "\x85", "{x}", "$(x)", ":skull:", "é ☃ 😀",
)  # fmt: skip
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(renderable, width=200):
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def span(text, **rest):
    given = {"trace_id": text, "span_id": "1", "parent_id": "", "name": text, "kind": text, "failed": True}
    times = {"start": 1_800_000_000.0, "end": 1_800_000_001.0}
    attributes = {"gen_ai.agent.name": text, "error.type": text, "gen_ai.tool.name": [text]}
    return Span(
        **{**given, **times, "attributes": attributes, "resource": {"service.name": text}, "message": text, **rest}
    )


def line(text, **rest):
    given = {"text": text, "severity": text, "service": text, "trace_id": text, "event": text}
    return LogLine(**{"at": 1_800_000_000.0, **given, "attributes": {"agentic.x": text, "a": text}, **rest})


def trace(text):
    return Trace(trace_id=text, service=text, name=text, start=1_800_000_000.0, duration_s=1.0)


def every(text):
    yield show_look.traces([trace(text)], link="http://127.0.0.1/")
    yield show_look.traces([trace(text)], link="")
    yield show_look.tree([span(text)])
    yield show_look.lines([line(text), line("", event=text)])
    yield show_look.counted([line(text)], by="a")
    yield show_look.counted([line(text)], by=text)


@pytest.mark.parametrize("text", EVIL)
def test_nothing_that_telemetry_says_steers_the_terminal_or_is_markup(text):
    kept = STEERS.sub("\ufffd", text.replace("\ud800", "\ufffd"))
    for renderable in every(text):
        said = shown(renderable)
        assert not STEERS.search(said)
        said.encode()
        assert kept in said


@pytest.mark.parametrize("text", EVIL)
def test_no_name_leaves_its_link(text):
    """A terminal is told of a link with an escape sequence, which only ours may be."""
    console = Console(width=200, force_terminal=True, color_system="standard", legacy_windows=False)
    with console.capture() as captured:
        console.print(show_look.traces([trace(text), trace("0af7")], link="http://127.0.0.1/"))
    links = re.findall(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\", captured.get())
    assert set(links) == {"http://127.0.0.1/0af7", ""}
    assert "\x1b]0;" not in captured.get()
    assert "\x9b" not in captured.get()


@pytest.mark.parametrize("text", [each for each in EVIL if each != "\ud800"])
def test_a_document_is_json_that_steers_no_terminal_either(text, capsys):
    safe.document(look.FoundLines(lines=[line(text)]))
    said = capsys.readouterr().out
    assert not STEERS.search(said)
    assert json.loads(said)["lines"][0]["text"] == text


@pytest.mark.parametrize("text", [*EVIL, "list[0] of [bold]x[/bold]", "two\nlines"])
def test_an_error_is_said_as_it_is(text):
    said = shown(show.failure(ValueError(text)))
    assert said.startswith("error: ")
    assert not STEERS.search(said)
    if text.isprintable() or "\n" in text:
        assert text.replace("\n", "\n  ") in said


def test_a_clock_that_is_far_off_is_shown_as_it_is():
    for at in (1e300, -1e18, 3e11):
        assert "Z" in show_look.moment(at) or "s" in show_look.moment(at)
    assert show_look.moment(0) == "1970-01-01 00:00:00Z"


def test_a_chain_of_steps_may_be_longer_than_pythons_stack():
    steps = [
        span("x", span_id=str(n), parent_id=str(n - 1) if n else "", attributes={}, message="") for n in range(3000)
    ]
    tree = show_look.tree(steps)
    depth = 0
    while tree.children:
        (tree,) = tree.children
        depth += 1
    assert depth == 3000


def test_steps_lie_below_their_callers_in_order_and_none_is_lost():
    steps = [
        span("late", span_id="3", parent_id="1", start=30), span("early", span_id="2", parent_id="1", start=20),
        span("root", span_id="1", start=10), span("orphan", span_id="4", parent_id="gone", start=5),
        span("itself", span_id="5", parent_id="5", start=40),
    ]  # fmt: skip
    said = shown(show_look.tree(steps)).splitlines()
    names = [re.findall(r"late|early|root|orphan|itself", row)[0] for row in said[1:]]
    assert names == ["orphan", "root", "early", "late", "itself"]
    assert said[3].index("early") > said[2].index("root")


@pytest.fixture
def app():
    made = typer.Typer()
    made.command("traces")(look.traces)
    made.command("logs")(look.logs)
    return made


def test_a_hostile_store_ends_in_text_and_a_bad_answer_in_one_error(app):
    rows = [
        {"_time": "2026-01-01T00:00:00Z", "_msg": text.replace("\ud800", "\\ud800"), "trace_id": text} for text in EVIL
    ]
    with bad_server() as server:
        server.body = "\n".join(json.dumps(row) for row in rows).encode()
        done = CliRunner().invoke(app, ["logs", "--victorialogs", server.url])
        assert done.exit_code == 0
        assert not STEERS.search(done.output)
        assert "[red]x[/red]" in done.output
        server.body = b"<html>"
        for ask in (["logs", "--victorialogs"], ["logs", "--loki"], ["traces", "--jaeger"], ["traces", "--tempo"]):
            done = CliRunner().invoke(app, [*ask, server.url])
            assert type(done.exception).__name__ == "StoreError", ask


BAD_WORDS = [
    (["traces", "--where", "a"], "is no condition; write NAME OP VALUE"),
    (["traces", "--where", "a > b"], "a > b: expected a number"),
    (["traces", "--where", "a =~ ("], "'(' is no regular expression"),
    (["traces", "--slower", "fast"], "'fast' is not a duration; write for example 500ms"),
    (["logs", "--severity", "loud"], "'loud' is no level; write one of debug, info"),
    (
        ["logs", "--where", "agentic.plan.steps_completed < agentic.plan.steps_planned"],
        "two attributes of a line cannot be",
    ),
]


@pytest.mark.parametrize(("words", "said"), BAD_WORDS, ids=str)
def test_bad_words_are_one_error_that_says_what_was_expected(app, words, said):
    trace_of_one_step = {
        "traceID": "1", "spanID": "1", "operationName": "x", "references": [], "startTime": 1, "duration": 1,
        "tags": [{"key": "a", "type": "string", "value": "x"}], "processID": "p",
    }  # fmt: skip
    found = {"traceID": "1", "spans": [trace_of_one_step], "processes": {"p": {"serviceName": "s"}}}
    with bad_server() as server:
        server.body = json.dumps({"data": [found]}).encode()
        service = ["--service", "s", "--jaeger"] if words[0] == "traces" else ["--victorialogs"]
        done = CliRunner().invoke(app, [*words, *service, server.url])
    assert type(done.exception).__name__ == "SearchError"
    assert said in str(done.exception)


@pytest.mark.parametrize(
    "words", [["--limit", "0"], ["--limit", "10001"], ["--limit", "x"], ["--since", "1y"], ["--since", "-1h"]]
)
@pytest.mark.parametrize("command", ["traces", "logs"])
def test_limits_and_periods_beyond_reason_are_refused_before_a_store_is_asked(app, command, words):
    done = CliRunner().invoke(
        app, [command, *words, "--jaeger" if command == "traces" else "--loki", "http://127.0.0.1:1"]
    )
    assert done.exit_code == 2
    if words[0] == "--limit":
        said = " ".join(done.output.replace("│", " ").split())
        assert f"{words[1]!r} is no limit; write a number from 1 to 5000, for example 50" in said
