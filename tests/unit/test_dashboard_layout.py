"""Boards hold together: places, ids, links and variables."""

import json
import re

import pytest

from alerts import alerting, instances
from alerts.alerting import Links
from alerts.timing import PRODUCTION
from collector.stores import GRAFANA, PERMISSIVE
from dashboards import documents
from dashboards.boards import BOARDS
from dashboards.documents import Sites
from dashboards.lib.layout import place
from dashboards.lib.model import GRID_COLUMNS, BoardLink, Prom, Table, TimeSeries

FORMS = {
    "tempo, loki": documents.provisioned(Sites(stores=GRAFANA), editable=False),
    "jaeger, victorialogs": documents.provisioned(Sites(stores=PERMISSIVE), editable=False),
}
MADE = FORMS["tempo, loki"]
EVERY = [(pair, slug) for pair, form in FORMS.items() for slug in form]
LINKS = Links(runbook="", board="https://example.com/d/agentobs-{board}")
BY_SLUG = {board.slug: board for board in BOARDS}
_OURS = re.compile(r"\$\{?(?!__|\d)(\w+)\b")
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


def test_every_variable_that_the_link_of_an_alert_sets_is_on_the_board_that_it_opens():
    for alert in alerting.alerts(PRODUCTION):
        address = LINKS.board_url(alert.board, alert.by)
        slug = re.search(r"/d/agentobs-([a-z-]+)\?", address)[1]
        offered = {each["name"] for each in MADE[slug]["templating"]["list"]}
        assert set(re.findall(r"&var-(\w+)=", address)) <= offered, (alert.name, slug)


@pytest.mark.parametrize(("pair", "slug"), EVERY)
def test_every_variable_is_read_by_a_query_or_a_link_of_its_board(pair, slug):
    """A picker that changes nothing misleads. What narrows another picker only does not count."""
    board = FORMS[pair][slug]
    read = {
        name
        for panel in every_panel(board)
        for part in (
            panel.get("targets", []),
            panel.get("links", []),
            panel.get("fieldConfig", []),
        )
        for name in _OURS.findall(json.dumps(part))
    }
    read |= {name for each in board["annotations"]["list"] for name in _OURS.findall(each.get("expr", ""))}
    sources = {each["name"] for each in board["templating"]["list"] if each["type"] == "datasource"}
    assert {each["name"] for each in board["templating"]["list"]} - sources <= read


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
                    assert "$environment" in matchers, (panel.title, name)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.slug)
def test_lines_of_what_alerts_watch_are_told_apart(board):
    """Where nothing was counted yet the line says so, and several comparisons have names of their own."""
    for panel in board.panels():
        if isinstance(panel, TimeSeries) and panel.alerts:
            names = [query.legend for query in panel.queries]
            assert len(set(names)) == len(names), panel.title
            for query in panel.queries:
                if " or on () " in query.expr:
                    label = re.search(r'"(\w+)", "none yet"', query.expr)[1]
                    assert f"{{{{{label}}}}}" in query.legend


@pytest.mark.parametrize("slug", MADE)
def test_a_picker_offers_the_values_of_a_label_that_its_series_has(slug):
    for variable in BY_SLUG[slug].variables:
        shapes = instances.every_rule().series(variable.series.partition("{")[0]) if variable.series else None
        if shapes is not None:
            assert any(variable.label in shape.by_name for shape in shapes), variable.name
