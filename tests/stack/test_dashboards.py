"""Boards on the running stack: what they ask for exists, every panel that something feeds shows it."""

import re
import time

import requests
from support.series import AT_FIRST_TROUBLE, names
from support.stores import SHOWN

from alerts.promql import tree
from collector.search.model import filled as filled_search
from collector.self_metrics import SelfMetric
from dashboards.lib.model import LineQuery, Prom, TraceQuery

# No scenario of minutes can feed these.
UNFED = {
    ("versions", "Worse than last week"): "needs traffic of a week ago",
    ("versions", "Worse than the baseline"): "needs a recorded baseline",
    ("cost", "Against last week"): "needs spend of a week ago",
    ("cost", "Task cost against an hour ago"): "needs the tasks of more than ten minutes ago",
    ("cost", "Tokens per call against an hour ago"): "needs the calls of more than ten minutes ago",
} | {
    ("langfuse", title): "this stack sends to no Langfuse"
    for title in ("Queue to Langfuse", "Spans sent to Langfuse", "Spans that Langfuse will not get")
} | {
    (board, title): "the scenarios run without releases"
    for board, titles in {
        "platform": ("Agents by revision", "Decisions about canaries", "Deaf agents", "Canary without an answer"),
        "versions": ("Versions that nobody pinned",),
    }.items()
    for title in titles
}  # fmt: skip
NEED_HISTORY = {"kpi:week_worsening1h", "kpi:baseline_worsening1h", "kpi:spend:week_ratio1h"}


def queries(kind):
    return [
        (board, panel, query)
        for board in SHOWN
        for panel in board.panels()
        for query in panel.queries
        if isinstance(query, kind)
    ]


def filled(query: str) -> str:
    """Without variables: everything is chosen."""
    return re.sub(r"\$\{?\w+\}?", ".*", re.sub(r"\$__(range|rate_interval)\b", "5m", query))


def test_every_series_exists(stack, truths):  # noqa: ARG001 they feed them
    known = names(stack.url("prometheus"))
    asked = {
        selector.name for _, _, query in queries(Prom) for selector in tree.selectors(tree.parse(filled(query.expr)))
    }
    assert len(asked) > 100
    assert asked - known - AT_FIRST_TROUBLE - NEED_HISTORY <= {"track:canary_z1h", "track:value1h", "track:needed_z1h"}


def test_every_label_that_is_matched_exists(stack, truths):  # noqa: ARG001 they feed them
    asked: dict[str, set[str]] = {}
    for _, _, query in queries(Prom):
        for selector in tree.selectors(tree.parse(filled(query.expr))):
            asked.setdefault(selector.name, set()).update(matcher.name for matcher in selector.matchers.matchers)
    unknown = {}
    for name, labels in asked.items():
        url = f"{stack.url('prometheus')}/api/v1/labels"
        there = set(requests.get(url, params={"match[]": name}, timeout=30).json()["data"])
        if there and labels - there:
            unknown[name] = labels - there
    # The label that tells lost points from taken ones comes with the first lost one.
    assert unknown == {SelfMetric.SERIES_POINTS: {"error"}}


def test_prometheus_takes_every_query(stack):
    refused = []
    for board, panel, query in queries(Prom):
        body = {"query": filled(query.expr)}
        answer = requests.post(f"{stack.url('prometheus')}/api/v1/query", data=body, timeout=30).json()
        if answer["status"] != "success":
            refused.append((board.slug, panel.title, answer["error"]))
    assert refused == []


CHOSEN_IN_PAGE = {"environment": "healthy", "agent": ".*", "slower": "1s", "trace": "0" * 32}


def test_the_stores_take_every_search(stack):
    now = time.time()
    lines = [query.search for _, _, query in queries(LineQuery)]
    spans = [query.search for _, _, query in queries(TraceQuery)]
    assert lines
    assert spans
    for search in lines:
        stack.logs.lines(filled_search(search, CHOSEN_IN_PAGE), now - 3600, now, 5)
    for search in spans:
        stack.traces.find(filled_search(search, CHOSEN_IN_PAGE), now - 3600, now, 5)


def test_every_panel_that_something_feeds_has_data(reports):
    empty = set.intersection(*(set(report.empty) for report in reports.values()))
    panels = [(board.slug, panel.title) for board in SHOWN for panel in board.panels()]
    unfed = {panel for panel in panels if panel in empty}
    assert unfed <= UNFED.keys()


def test_no_panel_shows_an_error(reports):
    assert {environment: report.failed for environment, report in reports.items() if report.failed} == {}
