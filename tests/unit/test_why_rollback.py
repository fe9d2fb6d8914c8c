"""The command that `why` prints is one that `agentobs release` takes, with hostile names as words of a shell."""

import shlex

import pytest
import typer
from typer.testing import CliRunner

from runbooks.why.document import Culprit
from runbooks.why.rollback import command
from stacks.cli import release

TO = "--to 12 --expect 13 -e prod"


def culprit(**more) -> Culprit:
    usual = {
        "environment": "prod", "agent": "executor", "agents": ["executor"], "tool": None, "workflow": None,
        "prompt": "executor", "dimension": "prompt", "version": "13", "previous": "12", "since": 0.0,
    }  # fmt: skip
    return Culprit(**{**usual, **more})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, f"agentobs release rollback executor --dimension prompt {TO}"),
        ({"dimension": "model"}, f"agentobs release rollback executor --dimension model {TO}"),
        (
            {"dimension": "tool", "tool": "order_lookup", "previous": "3.1.0", "version": "4.0.0"},
            "agentobs release rollback --tool order_lookup --to 3.1.0 --expect 4.0.0 -e prod",
        ),
        ({"dimension": "graph", "agent": None}, f"agentobs release rollback --dimension graph {TO}"),
        ({"previous": "none"}, ""),
        ({"previous": "old-prompt 12"}, ""),
        ({"agent": "--help"}, ""),
        ({"agent": None}, ""),
        ({"agent": "$(reboot)"}, f"agentobs release rollback '$(reboot)' --dimension prompt {TO}"),
    ],
)  # fmt: skip
def test_the_command_names_place_and_both_versions(found, expected):
    assert command(culprit(**found)) == expected


@pytest.mark.parametrize("found", [{}, {"dimension": "tool", "tool": "search"}, {"dimension": "graph", "agent": None}])
def test_the_verb_takes_it(found, tmp_path):
    words = shlex.split(command(culprit(**found)))[2:]
    app = typer.Typer()
    app.add_typer(release.app, name="release")
    done = CliRunner().invoke(app, ["release", *words, "--store", str(tmp_path)])
    # Read to the end: only there is nothing to take back.
    assert "nothing runs in prod yet, so there is nothing to take back" in str(done.exception)
