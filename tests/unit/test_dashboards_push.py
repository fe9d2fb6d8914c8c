"""A push writes what is new or changed, nothing twice, and nothing over what a person did."""

import pytest
from support.grafana import TOKEN, grafana
from typer.testing import CliRunner

from dashboards.boards import BOARDS
from stacks.cli import dashboards
from stacks.cli.main import app

RUN = CliRunner()
ONE = ("--board", "fleet")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    monkeypatch.setenv("COLUMNS", "200")
    with grafana() as state:
        yield state


def push(server, *options, ok=True):
    result = RUN.invoke(app, ["dashboards", "push", "--url", server.url, *options])
    assert (result.exception is None) == ok, result.output
    return result.output if ok else str(result.exception)


def test_all_boards_arrive_in_the_folder_and_a_second_push_writes_nothing(server):
    push(server, "--folder", "Agents")
    assert {uid: len(versions) for uid, versions in server.boards.items()} == {board.uid: 1 for board in BOARDS}
    assert server.folders == [{"uid": "f0", "title": "Agents"}]
    assert {versions[0]["folder"] for versions in server.boards.values()} == {"f0"}
    assert push(server, "--folder", "Agents").count("unchanged") == len(BOARDS)
    assert server.writes == len(BOARDS)
    assert len(server.folders) == 1


def test_what_changed_is_shown_line_by_line_and_written(server):
    push(server, *ONE)
    said = push(server, *ONE, "--runbooks-url", "https://example.com/pages", "--diff")
    assert "changed  fleet" in said
    assert "+" in said
    assert "https://example.com/pages/ToolFailing" in said
    assert len(server.boards["agentobs-fleet"]) == 2


def test_a_dry_run_shows_and_writes_nothing(server):
    assert "new  fleet" in push(server, *ONE, "--dry-run")
    assert (server.boards, server.folders) == ({}, [])


@pytest.mark.parametrize("as_list", [False, True], ids=["Grafana 11 and newer", "older Grafana"])
def test_a_board_that_a_person_edited_stays_until_told_otherwise(server, as_list):
    server.versions_as_list = as_list
    push(server)
    theirs = {**server.boards["agentobs-fleet"][0]["dashboard"], "title": "mine"}
    server.save(theirs, "", "ada")
    writes = server.writes
    said = push(server, ok=False)
    assert "fleet" in said
    assert "--overwrite" in said
    assert server.boards["agentobs-fleet"][-1]["dashboard"]["title"] == "mine"
    assert server.writes == writes
    assert "edited by ada" in push(server, "--overwrite")
    assert server.boards["agentobs-fleet"][-1]["dashboard"]["title"] == "agentobs / Fleet"
    assert push(server).count("unchanged") == len(BOARDS)


def test_the_others_are_written_where_one_was_edited(server):
    push(server, *ONE)
    server.save(server.boards["agentobs-fleet"][0]["dashboard"], "tidied up", "ada")
    push(server, ok=False)
    assert server.boards.keys() == {board.uid for board in BOARDS}


def test_an_edit_between_compare_and_write_is_not_lost(server):
    push(server, *ONE)
    theirs = server.boards["agentobs-fleet"][0]["dashboard"]
    server.before_write = lambda: server.save({**theirs, "title": "mine"}, "", "ada")
    said = push(server, *ONE, "--langfuse-url", "https://l.example.com/x", "--runbooks-url", "https://e.com", ok=False)
    assert "changed since it was compared" in said
    assert server.boards["agentobs-fleet"][-1]["dashboard"]["title"] == "mine"


def test_errors_name_the_fix_and_never_the_token(server, monkeypatch):
    assert "the boards are fleet, agent" in push_output(server, "--board", "flete")
    server.provisioned.add("agentobs-fleet")
    assert "Cannot save provisioned dashboard" in push(server, *ONE, ok=False)
    monkeypatch.setenv("GRAFANA_TOKEN", "glsa_wrong")
    said = push(server, *ONE, ok=False)
    assert "role Editor" in said
    assert "glsa_wrong" not in said
    monkeypatch.setenv("GRAFANA_TOKEN", "")
    assert "GRAFANA_TOKEN is empty" in push(server, *ONE, ok=False)


def push_output(server, *options):
    return " ".join(RUN.invoke(app, ["dashboards", "push", "--url", server.url, *options]).output.split())


def test_nobody_there_and_something_else_there(monkeypatch):
    monkeypatch.setenv(dashboards.TOKEN, TOKEN)
    result = RUN.invoke(app, ["dashboards", "push", "--url", "http://127.0.0.1:9"])
    assert "no Grafana answers at http://127.0.0.1:9" in str(result.exception)
