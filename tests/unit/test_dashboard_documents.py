"""The two forms of the boards, and what Grafana is provisioned with, hold together."""

import json
import re

import pytest

from alerts import alerting
from alerts.alerting import Links
from alerts.timing import PRODUCTION
from collector.stores import GRAFANA, PERMISSIVE
from dashboards import documents, provisioning
from dashboards.boards import BOARDS
from dashboards.documents import Sites

IMPORTABLE = documents.importable()
LINKS = Links(runbook="https://example.com/pages/{name}", board="")
LANGFUSE = "https://langfuse.example.com/project/p1/traces"
WHOLE = documents.provisioned(Sites(runbooks=documents.runbooks(LINKS), langfuse=LANGFUSE), editable=False)
PAIRS = {"tempo, loki": GRAFANA, "jaeger, victorialogs": PERMISSIVE}
OTHER = documents.importable(PERMISSIVE)
OTHER_WHOLE = documents.provisioned(
    Sites(runbooks=documents.runbooks(LINKS), langfuse=LANGFUSE, stores=PERMISSIVE), editable=False
)
BACKENDS = {"prometheus": "http://p:9090", "logs": "http://l:3100", "traces": "http://t:3200", "scrape_interval_s": 15}
FORMS = {"tempo, loki": (WHOLE, IMPORTABLE), "jaeger, victorialogs": (OTHER_WHOLE, OTHER)}
EVERY = [(pair, slug) for pair, (_, form) in FORMS.items() for slug in form]


def panels(board):
    return [*board["panels"], *(inner for panel in board["panels"] for inner in panel.get("panels", []))]


@pytest.mark.parametrize(("pair", "slug"), EVERY)
def test_an_import_asks_for_every_source_and_leaves_none_unbound(pair, slug):
    board = FORMS[pair][1][slug]
    asked = {each["name"] for each in board["__inputs"]}
    used = set(re.findall(r"\$\{((?:DS|VAR)_\w+)\}", json.dumps({**board, "__inputs": []})))
    assert asked == used
    assert "DS_PROMETHEUS" in asked
    assert all(each["type"] != "datasource" for each in board["templating"]["list"])
    left = {uid for uid in re.findall(r'"uid": "(\$\{\w+\})"', json.dumps(board)) if "DS_" not in uid}
    assert left == set()


@pytest.mark.parametrize(("pair", "slug"), EVERY)
def test_an_import_requires_what_it_is_made_of(pair, slug):
    board = FORMS[pair][1][slug]
    required = {(each["type"], each["id"]) for each in board["__requires"]}
    assert {("panel", panel["type"]) for panel in panels(board) if panel["type"] != "row"} < required
    assert {("datasource", each["pluginId"]) for each in board["__inputs"] if "pluginId" in each} < required
    assert ("grafana", "grafana") in required


@pytest.mark.parametrize("pair", FORMS)
def test_both_forms_are_the_same_boards(pair):
    whole, form = FORMS[pair]
    assert whole.keys() == form.keys()
    for slug, board in whole.items():
        other = form[slug]
        assert board["uid"] == other["uid"]
        assert [panel["title"] for panel in panels(board)] == [panel["title"] for panel in panels(other)]
        assert (board["editable"], other["editable"]) == (False, True)


def test_every_alert_that_watches_a_panel_leads_to_its_runbook():
    """On the boards of the stores that it is about."""
    boards = [board for whole, _ in FORMS.values() for board in whole.values()]
    linked = {link["url"] for board in boards for panel in panels(board) for link in panel.get("links", [])}
    watched = {name for board in BOARDS for panel in board.panels() for name in panel.alerts}
    names = {alert.name for alert in alerting.alerts(PRODUCTION)}
    assert watched <= names
    assert {f"https://example.com/pages/{name}" for name in watched} <= linked


def test_a_path_in_the_checkout_is_no_link():
    assert documents.runbooks(Links(runbook="runbooks/generated/{name}.md", board="")) == {}


@pytest.mark.parametrize("pair", FORMS)
def test_the_trace_leads_to_langfuse_where_there_is_one(pair):
    (view,) = [panel for panel in panels(FORMS[pair][0]["explore"]) if panel["type"] == "traces"]
    assert [link["url"] for link in view["links"]] == [f"{LANGFUSE}/${{trace}}"]
    without = documents.provisioned(Sites(stores=PAIRS[pair]), editable=False)
    assert "angfuse.example" not in json.dumps(without)


PLUGINS = {
    "tempo, loki": ["prometheus", "loki", "tempo"],
    "jaeger, victorialogs": ["prometheus", "victoriametrics-logs-datasource", "jaeger"],
}


@pytest.mark.parametrize("pair", FORMS)
def test_a_board_asks_only_the_stores_that_are_in_use(pair):
    """And Grafana is provisioned with just these."""
    made = provisioning.data_sources(provisioning.Backends(**BACKENDS, stores=PAIRS[pair]))
    assert [each["type"] for each in made["datasources"]] == PLUGINS[pair]
    for form in FORMS[pair]:
        asked = {
            each["type"] for board in form.values() for panel in panels(board) if (each := panel.get("datasource"))
        }
        assert asked - {"datasource", "-- Mixed --"} == set(PLUGINS[pair])


def test_the_board_of_traces_and_lines_asks_each_store_in_its_own_language():
    asked = {}
    for pair, (whole, _) in FORMS.items():
        targets = [(panel["title"], each) for panel in panels(whole["explore"]) for each in panel.get("targets", [])]
        asked[pair] = {title: each for title, each in targets if each["datasource"]["type"] != "prometheus"}
    tempo, jaeger = (asked[pair]["Slow"] for pair in FORMS)
    assert tempo["query"].startswith(
        '{ resource.deployment.environment.name = "$environment" && span.gen_ai.agent.name'
    )
    assert tempo["query"].endswith("duration > $slower }")
    assert (jaeger["service"], jaeger["tags"]) == ("$service", "deployment.environment.name=$environment")
    assert jaeger["minDuration"] == "$slower"
    loki, victorialogs = (asked[pair]["Warnings and errors"]["expr"] for pair in FORMS)
    assert loki == '{deployment_environment_name="$environment"} | severity_number >= 13'
    assert victorialogs == '"deployment.environment.name":="$environment" severity_number:>=13'


def test_what_jaeger_cannot_be_asked_a_board_for_it_says():
    (failed,) = [panel for panel in panels(OTHER_WHOLE["explore"]) if panel["title"] == "Failed"]
    assert "Jaeger searches one service at a time" in failed["description"]
    assert "service" in {each["name"] for each in OTHER_WHOLE["explore"]["templating"]["list"]}
    assert "service" not in {each["name"] for each in WHOLE["explore"]["templating"]["list"]}


@pytest.mark.parametrize("stores", PAIRS.values(), ids=PAIRS)
def test_sources_lead_only_to_one_another(stores):
    made = provisioning.data_sources(provisioning.Backends(**BACKENDS, stores=stores))
    uids = {each["uid"] for each in made["datasources"]}
    named = set(re.findall(r'"datasourceUid": "([^"]+)"', json.dumps(made)))
    assert named == uids
    assert "angfuse" not in json.dumps(made)


@pytest.mark.parametrize("stores", PAIRS.values(), ids=PAIRS)
def test_langfuse_is_reached_from_points_lines_and_traces(stores):
    made = provisioning.data_sources(provisioning.Backends(**BACKENDS, stores=stores, langfuse=LANGFUSE))
    assert [json.dumps(each).count(f"{LANGFUSE}/$${{__value.raw}}") for each in made["datasources"]] == [1, 1, 1]


@pytest.mark.parametrize("stores", PAIRS.values(), ids=PAIRS)
def test_no_dollar_of_grafanas_own_is_taken_for_a_variable_of_the_environment(stores):
    made = json.dumps(provisioning.data_sources(provisioning.Backends(**BACKENDS, stores=stores, langfuse=LANGFUSE)))
    assert re.findall(r"(?<!\$)\$(?!\$)", made) == []


def test_boards_fit_into_a_config_map():
    assert (
        max(len(documents.text(board)) for forms in FORMS.values() for form in forms for board in form.values())
        < 1_000_000
    )
