"""What a person sees while binaries are made."""

import io

import pytest
from rich.console import Console

from toolchain import progress
from toolchain.progress import remaining, reporter_for
from toolchain.table import RECIPES

ALERTMANAGER, PULUMI, PROMETHEUS = RECIPES[:3]


def test_what_is_left_counts_the_rest_of_the_current_one_and_all_that_follow() -> None:
    assert remaining([ALERTMANAGER, PULUMI, PROMETHEUS], 0) == "up to about 7 min"
    assert remaining([PROMETHEUS], 90) == "up to about 2 min"
    assert remaining([PROMETHEUS], 9999).startswith("up to about 1 min, or more")
    assert remaining([], 0) == "nothing"


def test_without_a_terminal_there_is_a_line_at_start_and_end_and_a_heartbeat_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    written = io.StringIO()

    with reporter_for(Console(file=written)) as reporter:
        reporter.plan([ALERTMANAGER, PULUMI])
        reporter.begin(ALERTMANAGER)
        for _ in range(45):  # 45 seconds
            clock[0] += 1
            reporter.tick()
        reporter.say("alertmanager: [brackets] are text")
        reporter.end(ALERTMANAGER, "built with Go 1.26.8", 45.0)

    assert written.getvalue().splitlines() == [
        "alertmanager 0.31.1: started; up to about 4 min for all that is left",
        "alertmanager: working for 30 s; up to about 3 min left",
        "alertmanager: [brackets] are text",
        "alertmanager 0.31.1: built with Go 1.26.8 in 45.0 s",
    ]


def test_a_terminal_shows_every_recipe_with_its_state() -> None:
    written = io.StringIO()

    with reporter_for(Console(file=written, force_terminal=True, width=120, color_system=None)) as reporter:
        reporter.plan([ALERTMANAGER, PULUMI])
        reporter.begin(ALERTMANAGER)
        reporter.tick()
        reporter.say("a message")
        reporter.end(ALERTMANAGER, "built with Go 1.26.8", 1.5)

    shown = written.getvalue()
    assert "a message" in shown
    last = shown.rpartition("alertmanager 0.31.1")[2]
    assert "built with Go 1.26.8 in 1.5 s" in last
    assert "pulumi 3.230.0" in last
    assert "about 2.5 min when cold" in last
