"""Names from telemetry on a terminal: shown as they are, without doing anything."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from stacks.cli import report, safe, show, show_why

HOSTILE = [
    "[/red]",
    "[red]x[/]",
    "[link=javascript:alert(1)]x[/link]",
    "$(id)",
    "~",
    "!",
    "\x1b[31m",
    "a\u202eb",
    "é" * 200,
]


def drawn(shown: object) -> str:
    console = Console(file=io.StringIO(), width=400, force_terminal=True, color_system=None)
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_and_steers_nothing(name):
    shown = drawn(safe.text(name))
    assert shown.strip() == safe.plain(name)
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_the_lines_of_a_verdict_are_text(name):
    shown = drawn(show_why._line("agent", name))
    assert safe.plain(name) in shown
    assert "\x1b[31m" not in shown


@pytest.mark.parametrize(
    ("environment", "file"),
    [("prod/eu", "prod-eu"), ("../../etc", "etc"), ("[red]x $(id)", "red-x-id"), ("..", "environment")],
)
def test_a_report_is_named_after_its_environment_and_stays_in_its_folder(environment, file):
    assert report._file_name(environment) == file


@pytest.mark.parametrize("name", HOSTILE)
def test_the_tables_of_status_hold_text(name):
    row = SimpleNamespace(labels={"agent_name": name}, events=3, kpis={})
    (label, events) = show._cells(row, SimpleNamespace(columns=[]))  # type: ignore[arg-type]
    assert drawn(label).strip() == safe.plain(name)
    assert events == "3"
