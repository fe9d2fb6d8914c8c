"""Boards hold together: places, ids, links and variables."""

import re

import pytest

from alerts import alerting
from alerts.alerting.model import VARIABLES
from alerts.timing import PRODUCTION
from dashboards import documents
from dashboards.boards import BOARDS
from dashboards.documents import Sites
from dashboards.lib.layout import place
from dashboards.lib.model import GRID_COLUMNS, BoardLink, Prom, Table

MADE = documents.provisioned(Sites(), editable=False)
BY_SLUG = {board.slug: board for board in BOARDS}
_OURS = re.compile(r"\$\{?(?!__)(\w+)\b")
_LINK = re.compile(r"/d/agentobs-([a-z-]+)\?[^\"]*")


def every_panel(board):
    return [*board["panels"], *(inner for each in board["panels"] for inner in each.get("panels", []))]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.slug)
def test_panels_fill_the_grid_without_overlap_or_gap(board):
    taken = set()
    for section in place(board.sections):
        for _, spot in section.panels:
            cells = {(x, y) for x in range(spot.x, spot.x + spot.w) for y in range(spot.y, spot.y + spot.h)}
            assert not cells & taken
            assert spot.x + spot.w <= GRID_COLUMNS
            taken |= cells if not section.section.collapsed else set()
        rows = {spot.y for _, spot in section.panels}
        for row in rows:
            assert sum(spot.w for _, spot in section.panels if spot.y == row) == GRID_COLUMNS


@pytest.mark.parametrize("slug", MADE)
def test_ids_are_unique_and_uids_stable(slug):
    ids = [panel["id"] for panel in every_panel(MADE[slug])]
    assert len(ids) == len(set(ids))
    assert MADE[slug]["uid"] == f"agentobs-{slug}"
    assert len(MADE[slug]["uid"]) <= 40
    assert len({board["title"] for board in MADE.values()}) == len(MADE)


@pytest.mark.parametrize("slug", MADE)
def test_every_variable_that_is_used_is_there_and_after_those_it_needs(slug):
    board = MADE[slug]
    names = [each["name"] for each in board["templating"]["list"]]
    assert len(names) == len(set(names))
    for panel in every_panel(board):
        for target in panel.get("targets", []):
            used = set(_OURS.findall(" ".join(str(value) for value in target.values() if isinstance(value, str))))
            assert used <= set(names), (panel["title"], used)
    for number, each in enumerate(board["templating"]["list"]):
        query = each["query"]["query"] if isinstance(each["query"], dict) else str(each["query"])
        assert set(_OURS.findall(query)) <= set(names[:number]), each["name"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.slug)
def test_links_lead_to_boards_that_are_there_and_set_variables_that_they_have(board):
    links = [link for panel in board.panels() for link in panel.links]
    links += [
        column.link for panel in board.panels() if isinstance(panel, Table) for column in panel.columns if column.link
    ]
    for link in links:
        assert isinstance(link, BoardLink)
        assert link.variables.keys() <= {variable.name for variable in BY_SLUG[link.board].variables}
    assert set(board.next) <= BY_SLUG.keys() - {board.slug}


def test_every_board_is_reached_from_the_fleet():
    reached, wave = {"fleet"}, ["fleet"]
    while wave:
        wave = [slug for each in wave for slug in BY_SLUG[each].next if slug not in reached]
        reached |= set(wave)
    assert reached == BY_SLUG.keys()


def test_every_alert_leads_to_a_board_that_can_be_narrowed_to_its_labels():
    for alert in alerting.alerts(PRODUCTION):
        board = BY_SLUG[alert.board]
        missing = {VARIABLES[label] for label in alert.by if label in VARIABLES} - {
            each.name for each in board.variables
        }
        # A board that shows all of a kind side by side needs no choice among them.
        assert "environment" not in missing, (alert.name, board.slug)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.slug)
def test_queries_are_narrowed_to_the_environment(board):
    ours = ("kpi:", "version:", "track:", "agentic_", "ALERTS")
    for panel in board.panels():
        for query in panel.queries:
            if isinstance(query, Prom) and panel.title != "What runs where":
                series = re.findall(rf"((?:{'|'.join(ours)})[\w:]*)(\{{[^}}]*\}})?", query.expr)
                for name, matchers in series:
                    if "objective" in name or "daily_budget" in name:
                        continue
                    assert "$environment" in matchers or name in panel_free(panel), (panel.title, name)


def panel_free(panel):
    """Series of alerts' own expressions, which know of no variable."""
    return {
        name
        for query in panel.queries
        if isinstance(query, Prom) and panel.alerts and "$environment" not in query.expr
        for name in re.findall(r"[\w:]+", query.expr)
    }
