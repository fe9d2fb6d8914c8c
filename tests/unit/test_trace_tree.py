"""A trace as a tree says what a failed step said, in one line that is no longer than a person reads."""

from rich.console import Console

from collector.search import Span
from stacks.cli import show_look


def shown(message):
    span = Span(
        trace_id="ab",
        span_id="1",
        parent_id="",
        name="execute_tool order_lookup",
        kind="internal",
        failed=True,
        start=0.0,
        end=1.0,
        attributes={},
        resource={},
        message=message,
    )
    console = Console(width=1000)
    with console.capture() as captured:
        console.print(show_look.tree([span]))
    return captured.get()


def test_a_failed_step_shows_its_message():
    assert "execute_tool order_lookup  1.00 s  failed  said order 7 [bold]not[/] found\ufffd in 2019\n" in shown(
        "order 7 [bold]not[/]\nfound\x1b in 2019"
    )


def test_a_whole_stack_trace_is_cut():
    (line,) = [line for line in shown("x" * 5000).splitlines() if "said" in line]
    assert line.endswith("x…")
    assert len(line.partition("said ")[2]) == show_look._SAID


def test_a_step_that_said_nothing_shows_nothing():
    assert "said" not in shown("")
