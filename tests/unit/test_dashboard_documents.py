"""The two forms of the boards, and what Grafana is provisioned with, hold together."""

import json
import re

import pytest

from alerts import alerting
from alerts.alerting import Links
from alerts.timing import PRODUCTION
from dashboards import documents, provisioning
from dashboards.boards import BOARDS
from dashboards.documents import Sites

IMPORTABLE = documents.importable()
LINKS = Links(runbook="https://example.com/pages/{name}", board="")
LANGFUSE = "https://langfuse.example.com/project/p1/traces"
WHOLE = documents.provisioned(Sites(runbooks=documents.runbooks(LINKS), langfuse=LANGFUSE), editable=False)
BACKENDS = {"prometheus": "http://p:9090", "loki": "http://l:3100", "tempo": "http://t:3200", "scrape_interval_s": 15}


def panels(board):
    return [*board["panels"], *(inner for panel in board["panels"] for inner in panel.get("panels", []))]


@pytest.mark.parametrize("slug", IMPORTABLE)
def test_an_import_asks_for_every_source_and_leaves_none_unbound(slug):
    board = IMPORTABLE[slug]
    asked = {each["name"] for each in board["__inputs"]}
    used = set(re.findall(r"\$\{((?:DS|VAR)_\w+)\}", json.dumps({**board, "__inputs": []})))
    assert asked == used
    assert "DS_PROMETHEUS" in asked
    assert all(each["type"] != "datasource" for each in board["templating"]["list"])
    left = {uid for uid in re.findall(r'"uid": "(\$\{\w+\})"', json.dumps(board)) if "DS_" not in uid}
    assert left == set()


@pytest.mark.parametrize("slug", IMPORTABLE)
def test_an_import_requires_what_it_is_made_of(slug):
    board = IMPORTABLE[slug]
    required = {(each["type"], each["id"]) for each in board["__requires"]}
    assert {("panel", panel["type"]) for panel in panels(board) if panel["type"] != "row"} < required
    assert {("datasource", each["pluginId"]) for each in board["__inputs"] if "pluginId" in each} < required
    assert ("grafana", "grafana") in required


def test_both_forms_are_the_same_boards():
    for slug, board in WHOLE.items():
        other = IMPORTABLE[slug]
        assert board["uid"] == other["uid"]
        assert [panel["title"] for panel in panels(board)] == [panel["title"] for panel in panels(other)]
        assert (board["editable"], other["editable"]) == (False, True)


def test_every_alert_that_watches_a_panel_leads_to_its_runbook():
    linked = {link["url"] for board in WHOLE.values() for panel in panels(board) for link in panel.get("links", [])}
    watched = {name for board in BOARDS for panel in board.panels() for name in panel.alerts}
    names = {alert.name for alert in alerting.alerts(PRODUCTION)}
    assert watched <= names
    assert {f"https://example.com/pages/{name}" for name in watched} <= linked


def test_a_path_in_the_checkout_is_no_link():
    assert documents.runbooks(Links(runbook="runbooks/generated/{name}.md", board="")) == {}


def test_the_trace_leads_to_langfuse_where_there_is_one():
    (view,) = [panel for panel in panels(WHOLE["explore"]) if panel["type"] == "traces"]
    assert [link["url"] for link in view["links"]] == [f"{LANGFUSE}/${{trace}}"]
    without = documents.provisioned(Sites(), editable=False)
    assert "angfuse.example" not in json.dumps(without)


def test_sources_lead_only_to_one_another():
    made = provisioning.data_sources(provisioning.Backends(**BACKENDS))
    uids = {each["uid"] for each in made["datasources"]}
    named = set(re.findall(r'"datasourceUid": "([^"]+)"', json.dumps(made)))
    assert named == uids
    assert "angfuse" not in json.dumps(made)


def test_langfuse_is_reached_from_points_lines_and_traces():
    made = provisioning.data_sources(provisioning.Backends(**BACKENDS, langfuse=LANGFUSE))
    assert [json.dumps(each).count(f"{LANGFUSE}/$${{__value.raw}}") for each in made["datasources"]] == [1, 1, 1]


def test_no_dollar_of_grafanas_own_is_taken_for_a_variable_of_the_environment():
    made = json.dumps(provisioning.data_sources(provisioning.Backends(**BACKENDS, langfuse=LANGFUSE)))
    assert re.findall(r"(?<!\$)\$(?!\$)", made) == []


def test_boards_fit_into_a_config_map():
    assert max(len(documents.text(board)) for board in (*WHOLE.values(), *IMPORTABLE.values())) < 1_000_000
