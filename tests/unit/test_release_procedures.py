"""What the procedures tell a person to type does what they say: each line is run, in the order of its page."""

import shlex

import pytest
import typer
from support.delivered import Desk, release
from typer.testing import CliRunner

from delivery.releases import Dim
from runbooks.book import commands, library
from stacks.cli import release as verbs

PAGES = library.load().pages
LABELS = {"$environment": "prod", "$agent_name": "planner", "$tool_name": "search"}


def lines(page):
    """Every `agentobs release` command of a page, with the labels of an alert in it."""
    text = "\n".join(fence.text for fence in PAGES[page].fences)
    for label, value in LABELS.items():
        text = text.replace(label, value)
    return [call[1:] for call in commands.calls(text) if call[:2] == ["agentobs", "release"]]


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    desk.promote(release())
    desk.promote(release(planner="13", executor="5", search="4.0.0", model="gpt-5", graph="8"))
    return desk


def run(desk, tmp_path, page):
    app = typer.Typer()
    app.add_typer(verbs.app, name="release")
    for words in lines(page):
        done = CliRunner().invoke(app, [*words, "--store", str(tmp_path / "store")])
        assert done.exit_code == 0, (shlex.join(words), done.output, done.exception)
    return desk.running.agents["planner"], desk.running


@pytest.mark.parametrize(
    ("page", "value", "dimension"),
    [
        ("rollback-prompt", "12", Dim.PROMPT),
        ("rollback-model", "gpt-4.1", Dim.MODEL),
        ("rollback-tool", "3.0.0", Dim.TOOL),
        ("rollback-graph", "7", Dim.GRAPH),
    ],
)
def test_a_rollback_page_takes_back_its_dimension_and_no_other(desk, tmp_path, page, value, dimension):
    before = {"prompt": "13", "model": "gpt-5", "tool": "4.0.0", "graph": "8"}
    planner, running = run(desk, tmp_path, page)
    assert {
        "prompt": planner.prompt.version,
        "model": planner.model.id,
        "tool": planner.tools["search"].version,
        "graph": running.graph.version,
    } == {**before, dimension: value}
    assert desk.head.revision == 3, "the preview changes nothing"
    assert desk.head.operation.reason == "what the alert says"


def test_the_page_of_the_kill_switch_stops_what_it_names(desk, tmp_path):
    run(desk, tmp_path, "kill-switch")
    killed = desk.head.killed
    assert (list(killed.tools), list(killed.agents), killed.everything.reason) == (
        ["search"], ["planner"], "leaks addresses",
    )  # fmt: skip
