"""A board for every runbook: the page beside live panels, by the rules that all boards keep."""

import json
import re
from collections import Counter
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from alerts import alerting
from alerts.alerting import Links
from alerts.alerting.model import runbook_slug
from alerts.evidence import identity
from alerts.timing import PRODUCTION
from dashboards import documents
from dashboards.boards import BOARDS, runbook
from dashboards.boards.runbook import Page
from dashboards.documents import Sites
from dashboards.lib.model import Board, BoardError
from dashboards.lint import lint
from runbooks.book import library
from runbooks.book.kinds import GUIDES, PROCEDURES, Kind
from stacks.components import grafana, prometheus
from stacks.deployment import Deployment
from stacks.environments import ENVIRONMENTS, EnvName

SECTIONS = Kind.ALERT.sections
ALERTS = library.expected()[Kind.ALERT]
PAGES = [
    *(Page(name=name, title=name, sections={each: f"{each} of {name}." for each in SECTIONS}) for name in ALERTS),
    *(Page(name=name, title=name, sections={name: "Text."}) for name in (*PROCEDURES, *GUIDES)),
]
MADE = documents.pages(Sites(), PAGES, editable=False)
GRAFANA = "https://grafana.example.com"


def panels(board):
    return [*board["panels"], *(inner for panel in board["panels"] for inner in panel.get("panels", []))]


def test_every_page_has_a_board_whose_uid_a_grafana_takes():
    assert MADE.keys() == {runbook_slug(page.name) for page in PAGES}
    uids = [board["uid"] for board in MADE.values()] + [board.uid for board in BOARDS]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"agentobs-rb-[a-z0-9-]+", board["uid"]) for board in MADE.values())
    assert max(map(len, uids)) <= 40


def test_a_longer_uid_is_refused():
    with pytest.raises(BoardError, match="longer than 40"):
        Board(slug="a" * 40, title="A", question="A?", variables=(), sections=())


@pytest.mark.parametrize("slug", MADE)
def test_a_board_keeps_the_rules(slug):
    assert lint(MADE[slug]) == []


def test_the_sdk_gives_every_key_back():
    plugins.register_default_plugins()
    for board in MADE.values():
        back = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board)))
        assert {*_paths(board)} - {*_paths(back)} <= {"id", "panels[].options.enablePagination"}


def _paths(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}".strip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[]")
    else:
        yield path


@pytest.mark.parametrize("name", ALERTS)
def test_text_and_live_panels_are_beside_one_another(name):
    board = MADE[runbook_slug(name)]
    text = " ".join(panel["options"]["content"] for panel in panels(board) if panel["type"] == "text")
    assert all(f"{section} of {name}." in text for section in SECTIONS)
    assert {panel["title"] for panel in panels(board)} >= {"The value against its threshold", "Where it fires"}
    rows = Counter(panel["gridPos"]["y"] for panel in panels(board) if panel["type"] != "row")
    assert rows[min(rows)] == 2


@pytest.mark.parametrize("name", ALERTS)
def test_a_reader_can_choose_what_the_panels_ask_for(name):
    """Also what an alert's link chooses: its labels are the names of variables."""
    board = MADE[runbook_slug(name)]
    offered = {each["name"] for each in board["templating"]["list"]}
    asked = {
        found
        for panel in panels(board)
        for target in panel.get("targets", [])
        for found in re.findall(r"\$(\w+)", target.get("expr", "") + target.get("query", ""))
        if not found.startswith("__")
    }
    assert asked <= offered
    assert set(identity(name)) <= offered | {"job"}


def test_what_an_alert_is_compared_with_is_drawn():
    (panel,) = [each for each in panels(MADE["rb-toolfailing"]) if each["title"] == "The value against its threshold"]
    assert [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]] == [None, 0.9]
    assert panel["targets"][0]["expr"] == (
        'kpi:tool_success:ratio5m{environment=~"$environment",tool_name=~"$tool_name"}'
    )


@pytest.mark.parametrize("name", ALERTS)
def test_what_is_shown_of_all_environments_names_them(name):
    """Two environments never draw lines or bars of one name."""
    for panel in panels(MADE[runbook_slug(name)]):
        for target in panel.get("targets", []):
            expr = target.get("expr", "")
            if "environment" in expr and "$environment" not in expr:
                assert "{{environment}}" in target["legendFormat"], panel["title"]


def test_links_of_a_page_lead_to_boards():
    page = Page(
        name="ToolFailing",
        title="x",
        sections={"Meaning": "See [it](rollback-tool.md) and [that](ToolSlow.md#verify)."},
    )
    first = next(runbook.alert(page).panels())
    assert "[it](/d/agentobs-rb-rollback-tool)" in first.markdown
    assert "[that](/d/agentobs-rb-toolslow)" in first.markdown


def test_every_query_of_a_page_is_opened_with_what_is_chosen():
    query = 'sum by (x) (a{environment="$environment",tool_name!="$tool_name",job="$job"})'
    page = Page(name="ToolFailing", title="x", sections={"Diagnosis": f"1. Ask:\n\n   ```promql\n   {query}\n   ```\n"})
    text = next(each.markdown for each in runbook.alert(page).panels() if each.title == "Diagnosis")
    (line,) = [each for each in text.splitlines() if "Open in Explore" in each]
    address = re.fullmatch(r"   \[Open in Explore\]\(([^()\s]+)\)", line)[1]
    for name in ("datasource", "environment", "tool_name"):
        address = address.replace(f"${{{name}:percentencode}}", quote(f"the {name}"))
    pane = json.loads(parse_qs(urlsplit(address).query)["panes"][0])["q"]
    assert pane["datasource"] == "the datasource"
    assert pane["queries"][0]["expr"] == (
        'sum by (x) (a{environment=~"the environment",tool_name!~"the tool_name",job="$job"})'
    )


def test_what_is_drawn_is_opened_too():
    (panel,) = [each for each in panels(MADE["rb-toolfailing"]) if each["title"] == "The value against its threshold"]
    (link,) = [each for each in panel["fieldConfig"]["defaults"]["links"] if each["title"] == "Open in Explore"]
    pane = json.loads(parse_qs(urlsplit(link["url"]).query)["panes"][0])["q"]
    expected = (
        'kpi:tool_success:ratio5m{environment=~"${environment:percentencode}",tool_name=~"${tool_name:percentencode}"}'
    )
    assert pane["queries"][0]["expr"] == expected
    assert pane["datasource"] == "${datasource:percentencode}"


def test_a_page_without_panels_asks_the_data_source_that_is_provisioned():
    page = Page(name="hand-over", title="x", sections={"x": "```promql\nup\n```"})
    (text,) = runbook.text(page).panels()
    assert "agentobs-prometheus" in text.markdown
    assert "$" not in text.markdown


def test_a_board_begins_with_the_line_to_type_and_fills_in_no_name():
    first = next(runbook.alert(PAGES[ALERTS.index("ToolFailing")]).panels())
    assert "agentobs runbooks run ToolFailing -e ENVIRONMENT tool_name=TOOL_NAME" in first.markdown


def test_one_is_chosen_at_a_time_or_all():
    """Of several Grafana would write a pattern of its own into an address."""
    (tool,) = [each for each in MADE["rb-toolfailing"]["templating"]["list"] if each["name"] == "tool_name"]
    assert (tool["multi"], tool["includeAll"], tool["current"]["value"]) == (False, True, "$__all")


def test_pages_of_the_checkout_lead_only_to_boards_there_are():
    made = documents.pages(Sites(), grafana.pages_of(library.load()), editable=False)
    known = {runbook_slug(page.name) for page in PAGES}
    linked = {slug for board in made.values() for slug in re.findall(r"/d/agentobs-(rb-[\w-]+)", json.dumps(board))}
    assert linked <= known


@pytest.mark.parametrize("url", [None, "https://wiki.example.com/alerts"])
def test_an_alert_leads_to_its_page_or_to_the_board_that_shows_it(url):
    deployment = _deployment(dashboards_url=GRAFANA, runbooks_url=url)
    links = prometheus.links(deployment)
    (alert,) = [each for each in alerting.alerts(PRODUCTION) if each.name == "ToolFailing"]
    address = alert.document(PRODUCTION, links)["annotations"]["runbook_url"]
    if url:
        assert address == f"{url}/ToolFailing"
    else:
        base, _, variables = address.partition("?")
        assert base == f"{GRAFANA}/d/agentobs-rb-toolfailing"
        assert "{{ with $labels.tool_name }}&var-tool_name={{ . | urlquery }}{{ end }}" in variables


def test_panels_lead_to_runbooks_even_where_nobody_said_where_they_are():
    boards = grafana.boards(_deployment(dashboards_url=None, runbooks_url=None))
    linked = {*re.findall(r'"url": "/d/agentobs-(rb-\w+)"', boards["boards/tool.json"])}
    assert "rb-toolfailing" in linked
    written = {runbook_slug(page.name) for page in library.load().of(Kind.ALERT)}
    assert {f"runbooks/{_family(slug)}/{slug}.json" for slug in linked & written} <= boards.keys()


def _family(slug):
    return next(str(alert.group) for alert in alerting.alerts(PRODUCTION) if runbook_slug(alert.name) == slug)


@pytest.mark.parametrize(("name", "asks"), [(EnvName.LOCAL, ""), (EnvName.DEV, " -s dev"), (EnvName.PROD, " -s prod")])
def test_the_line_of_an_alert_asks_the_stack_that_it_comes_from(name, asks):
    (alert,) = [each for each in alerting.alerts(PRODUCTION) if each.name == "ToolFailing"]
    document = alert.document(PRODUCTION, prometheus.links(Deployment.of(ENVIRONMENTS[name])))
    assert f"agentobs runbooks run ToolFailing{asks}{{{{ with" in document["annotations"]["command"]


def test_a_path_in_the_checkout_is_not_taken_for_a_board():
    links = Links(runbook="runbooks/generated/{name}.md", board="")
    assert links.runbook_link("ToolFailing", ("tool_name",)) == "runbooks/generated/ToolFailing.md"


def test_the_boards_of_a_family_fit_into_one_config_map():
    sizes: Counter[str] = Counter()
    for path, text in grafana.boards(_deployment(dashboards_url=None, runbooks_url=None)).items():
        if path.startswith("runbooks/"):
            sizes[path.split("/")[1]] += len(text.encode())
    assert sizes
    assert max(sizes.values()) < 900_000


def _deployment(**chosen):
    return Deployment.of(ENVIRONMENTS[EnvName.DEV], **chosen)
