"""Queries that are opened where a person goes on with them: whole, and nothing of them leaves the address."""

import json
from urllib.parse import parse_qs, urlsplit

from alerts.explore import LOCAL, Explorer, Place, queries

HARD = 'sum by (a) (x{b="$c",d=~".+ & #?%/"}[5m])'


def test_prometheus_opens_every_query_in_a_panel_of_its_own():
    address = urlsplit(LOCAL.address(["up", HARD]))
    assert (address.netloc, address.path) == ("127.0.0.1:9090", "/query")
    assert parse_qs(address.query) == {"g0.expr": ["up"], "g0.tab": ["1"], "g1.expr": [HARD], "g1.tab": ["1"]}


def test_grafana_opens_them_in_one_pane():
    explorer = Explorer(place=Place.GRAFANA, url="https://grafana.example.com/sub/")
    address = urlsplit(explorer.address(["up", HARD]))
    assert (address.netloc, address.path) == ("grafana.example.com", "/sub/explore")
    pane = json.loads(parse_qs(address.query)["panes"][0])["q"]
    assert [(each["refId"], each["expr"]) for each in pane["queries"]] == [("A", "up"), ("B", HARD)]
    assert pane["datasource"] == "agentobs-prometheus"


def test_no_sign_of_markdown_is_left():
    assert not set("()[]<> '\"*") & set(LOCAL.address([HARD]))


def test_a_text_holds_queries_with_an_empty_line_between():
    assert list(queries("# a comment\nup\n\n  \n# and\nx\n  + y\n\n# nothing\n")) == ["up", "x\n  + y"]
