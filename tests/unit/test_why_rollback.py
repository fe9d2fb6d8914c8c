"""The command that `why` prints is one that `agentobs release` takes, with hostile names as words of a shell."""

import shlex
from urllib.parse import parse_qsl, urlsplit

import pytest
import typer
from typer.testing import CliRunner

from delivery.environments import wanted
from runbooks.why.document import Culprit
from runbooks.why.rollback import command, link
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


@pytest.mark.parametrize(
    ("found", "query"),
    [
        ({}, "kind=rollback&dimension=prompt&agent=executor&to=12&expect=13"),
        ({"dimension": "tool", "tool": "search"}, "kind=rollback&dimension=tool&tool=search&to=12&expect=13"),
        ({"dimension": "graph", "agent": None}, "kind=rollback&dimension=graph&to=12&expect=13"),
        ({"agent": "a&b=c"}, "kind=rollback&dimension=prompt&agent=a%26b%3Dc&to=12&expect=13"),
    ],
)
def test_the_console_takes_the_link_of_the_preview(found, query):
    address = link(culprit(**found), "http://127.0.0.1:8090")
    assert address == f"http://127.0.0.1:8090/environments/prod/preview?{query}"
    if "%" not in query:  # no release has such a name: the console says so
        wanted.read(dict(parse_qsl(urlsplit(address).query)))


def test_without_a_console_or_a_command_there_is_no_link():
    assert link(culprit(), "") == link(culprit(previous="none"), "http://c") == link(None, "http://c") == ""
