"""The report: variables, joins, buckets and texts are right; what is empty or failed says so; nothing breaks out."""

import json
import re
from types import SimpleNamespace

import pytest

from alerts.source import Exemplar, Sample, Series
from collector.search import Call, LineSearch, LogLine, Op, Span, SpanSearch, Term, Trace
from collector.stores import GRAFANA, PERMISSIVE
from dashboards.boards import BOARDS
from dashboards.lib import variables
from dashboards.lib.model import (
    Board,
    BoardLink,
    Colour,
    Column,
    Format,
    Heatmap,
    LineQuery,
    LogList,
    NodeGraph,
    Prom,
    Section,
    ServiceGraph,
    Stat,
    StateTimeline,
    Step,
    Table,
    Text,
    TimeSeries,
    TraceById,
    TraceList,
    TraceQuery,
    TraceView,
)
from dashboards.lib.stores import adapted
from dashboards.report import Period, Sources, choices, numbers, render, traces
from dashboards.report.evaluate import Evaluation, legend
from dashboards.report.results import Nothing
from stacks.reporting import busiest

PERIOD = Period(1_000_000.0, 1_003_600.0)
EVIL = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(2)>"
SAID = {"description": "What it shows.", "no_data": "It means nothing happened."}


class StoreError(RuntimeError):
    """What the fake store raises."""


class Store:
    """Answers every query from a table of parts of queries; keeps what was asked."""

    def __init__(self, answers=()):
        self.answers = dict(answers)
        self.asked = []

    def _answer(self, query):
        self.asked.append(query)
        found = next((value for part, value in self.answers.items() if part in query), [])
        if isinstance(found, Exception):
            raise found
        return found

    def instant(self, query, at):  # noqa: ARG002 a protocol
        return self._answer(query)

    def range(self, query, start, end, step):  # noqa: ARG002 a protocol
        return self._answer(query)

    def exemplars(self, query, start, end):  # noqa: ARG002 a protocol
        return [Exemplar(EVIL, 0.2, start + 60)] if query in self.asked else []

    def lines(self, search, start, end, limit):  # noqa: ARG002 a protocol
        return self._answer(f"lines {search}")

    def find(self, search, start, end, limit):  # noqa: ARG002 a protocol
        return self._answer(f"traces {search}")

    def trace(self, trace_id):
        return self._answer(trace_id)

    def calls(self, search, start, end):  # noqa: ARG002 a protocol
        return self._answer("calls") or None


def board(*panels, choice=(variables.ENVIRONMENT, variables.AGENT, variables.KPI, variables.TRACE), slug="one"):
    sections = (Section(title="All", panels=panels),)
    return Board(slug=slug, title=slug.title(), question="What?", variables=choice, sections=sections)


def sources(store):
    return Sources(metrics=store, logs=store, traces=store, errors=(StoreError,))


def made(store, *panels, chosen=None, **rest):
    return render([board(*panels)], sources(store), PERIOD, chosen or {"environment": "prod"}, **rest)


def line(title="Line", expr="x", **rest):
    return TimeSeries(title=title, queries=(Prom(expr=expr, legend="{{agent_name}}"),), **SAID, **rest)


def span(name, **rest):
    given = {"trace_id": "0af7", "span_id": "1", "parent_id": "", "kind": "internal", "failed": True}
    times = {"start": PERIOD.start, "end": PERIOD.start + 1.0}
    return Span(**{**given, **times, "name": name, "attributes": {}, "resource": {"service.name": name}, **rest})


def points(labels, *values):
    return Series(labels, [(PERIOD.start + 15 * number, value) for number, value in enumerate(values)])


def data(page):
    return [
        json.loads(text) for text in re.findall(r'<script type="application/json" class="data">(.*?)</script>', page)
    ]


@pytest.mark.parametrize(
    ("value", "inside"), [("planner", "planner"), ('a"b', r"a\"b"), ("a.b", r"a\\.b"), ("x\\", "x\\\\\\\\")]
)
def test_a_chosen_value_matches_itself_and_cannot_leave_its_quotes(value, inside):
    query = choices.metrics('x{agent_name=~"$agent"}', board(line()), PERIOD, {"agent": value})
    assert query == f'x{{agent_name=~"{inside}"}}'


def test_what_is_not_chosen_is_everything_and_times_are_filled_in():
    asked = 'rate(x{agent_name=~"$agent",kpi="$kpi"}[$__rate_interval]) + y[$__range]'
    assert choices.metrics(asked, board(line()), PERIOD, {}) == 'rate(x{agent_name=~".*",kpi=~".*"}[60s]) + y[3600s]'
    assert 'kpi="cost"' in choices.metrics(asked, board(line()), PERIOD, {"kpi": "cost"})


def test_rows_are_joined_on_their_labels_and_gaps_stay():
    one, two = {"agent_name": "planner"}, {"agent_name": "critic"}
    store = Store({"first": [Sample(one, 1.0)], "second": [Sample(one, 0.5), Sample(two, 0.9)]})
    columns = (Column(title="Agent", label="agent_name"), Column(title="A", query=0), Column(title="B", query=1))
    queries = (Prom(expr="first", instant=True), Prom(expr="second", instant=True))
    table = Table(title="T", queries=queries, columns=columns, **SAID)
    evaluation = Evaluation(board=board(table), sources=sources(store), period=PERIOD, chosen={})
    rows = evaluation.panel(table).rows
    assert [(row.labels["agent_name"], list(row.values)) for row in rows] == [
        ("planner", [1.0, 0.5]),
        ("critic", [None, 0.9]),
    ]


RECORDED = "last_over_time(kpi:tool_success:events1h[3600s])"
COUNTED = 'increase(agentic_tool_calls_total{error_class!="blocked"}[1h] anchored)'
MADE = "increase(agentic_tool_calls_total[1h] anchored)"


def tools(answers):
    asked = "sum by (tool_name) (last_over_time(kpi:tool_success:events1h[$__range]))"
    columns = (Column(title="Tool", label="tool_name"), Column(title="Events", query=0))
    table = Table(title="T", queries=(Prom(expr=asked, instant=True),), columns=columns, **SAID)
    found = Evaluation(board=board(table), sources=sources(Store(answers)), period=PERIOD, chosen={}).panel(table)
    return {row.labels["tool_name"]: row.values[0] for row in found.rows}


def test_a_table_fills_from_counters_before_a_rule_has_run():
    assert tools({COUNTED: [Sample({"tool_name": "search"}, 7.0)]}) == {"search": 7.0}


def test_counters_are_newer_than_what_was_recorded_and_what_has_stopped_stays():
    recorded = [Sample({"tool_name": "search"}, 3.0), Sample({"tool_name": "old"}, 9.0)]
    assert tools({RECORDED: recorded, COUNTED: [Sample({"tool_name": "search"}, 7.0)]}) == {"search": 7.0, "old": 9.0}


@pytest.mark.parametrize(("recorded", "shown"), [([], 7.0), ([points({}, 3.0)], 3.0)])
def test_a_line_is_drawn_from_counters_only_where_nothing_is_recorded(recorded, shown):
    panel = line(expr="kpi:tool_success:events1h")
    store = Store({COUNTED: [points({}, 7.0)], "kpi:tool_success:events1h": recorded})
    evaluation = Evaluation(board=board(panel), sources=sources(store), period=PERIOD, chosen={})
    assert evaluation.panel(panel).lines[0].last == shown


def test_lines_that_are_compared_come_from_the_same_place():
    """Else a young rule's half of the calls would stand beside all calls that were served."""
    called, served = "kpi:tool_calls:increase1h", "kpi:served_calls:increase1h"
    panel = TimeSeries(title="L", queries=(Prom(expr=called), Prom(expr=served)), **SAID)
    mcp = "increase(agentic_mcp_server_calls_total"
    store = Store({mcp: [points({}, 9.0)], MADE: [points({}, 8.0)], called: [points({}, 4.0)]})
    evaluation = Evaluation(board=board(panel), sources=sources(store), period=PERIOD, chosen={})
    assert [each.last for each in evaluation.panel(panel).lines] == [8.0, 9.0]


def test_a_page_about_the_past_says_when_it_was_made_and_counts_from_then():
    columns = (Column(title="Tool", label="tool_name"), Column(title="Seen", query=0, format=Format.AGO))
    table = Table(title="T", queries=(Prom(expr="rows!", instant=True),), columns=columns, **SAID)
    store = Store({"rows!": [Sample({"tool_name": "search"}, PERIOD.end * 1000)]})
    page = made(store, table, made=PERIOD.end + 7200).html
    assert "2 h ago" in page
    assert f"Made {numbers.moment(PERIOD.end + 7200)} UTC" in page


@pytest.mark.parametrize("form", [Format.COUNT, Format.PER_SECOND, Format.BYTES])
def test_an_axis_has_no_thousandths_that_look_like_metres_or_millions(form):
    assert numbers.axis(form, 0.8)["tickformat"] == ".3~g"
    assert numbers.axis(form, 80_000)["tickformat"] == ".3~s"
    assert numbers.axis(Format.SECONDS, 0.8)["tickformat"] == ".3~s"


def test_a_threshold_is_not_hidden_by_the_grid():
    steps = (Step(None, Colour.GOOD), Step(0.5, Colour.BAD))
    (found,) = data(made(Store({"x": [points({}, 0, 1)]}), line(steps=steps)).html)
    (figure,) = found["figures"].values()
    assert [shape["layer"] for shape in figure["layout"]["shapes"]] == ["above"]


def test_folders_of_a_path_do_not_hide_what_tells_names_apart():
    labels = {"rule_group": "/etc/prometheus/rules/recording.yaml;kpi-tasks", "url": "http://a/b"}
    assert legend("{{rule_group}} {{url}}", labels) == "recording.yaml;kpi-tasks http://a/b"


def test_the_environment_is_chosen_by_what_was_counted():
    """What rules record of the first minute comes a minute late."""
    said = [Sample({"environment": "quiet"}, 2.0), Sample({"environment": "busy"}, 9.0)]
    store = Store({"increase(agentic_task_calls_total[3600s]": said, "increase(agentic_task_calls_total[1h]": said})
    assert busiest(SimpleNamespace(metrics=store), PERIOD) == ["busy", "quiet"]
    assert not [query for query in store.asked if "kpi:" in query]


def test_buckets_are_cumulative_and_cells_are_not():
    store = Store({"x": [points({"le": "+Inf"}, 9, 9), points({"le": "0.5"}, 2, 4), points({"le": "1"}, 5, 4)]})
    panel = Heatmap(title="H", queries=(Prom(expr="x"),), format=Format.SECONDS, **SAID)
    cells = Evaluation(board=board(panel), sources=sources(store), period=PERIOD, chosen={}).panel(panel)
    assert cells.buckets == ["500 ms", "1 s", "more"]
    assert [row[:2] for row in cells.counts] == [[2, 4], [3, 0], [4, 5]]


def test_a_gap_in_a_series_stays_a_gap():
    series = Series({}, [(PERIOD.start, 1.0), (PERIOD.start + 45, 2.0), (PERIOD.start + 60, float("nan"))])
    evaluation = Evaluation(board=board(line()), sources=sources(Store({"x": [series]})), period=PERIOD, chosen={})
    assert list(evaluation.panel(line()).lines[0].values)[:5] == [1.0, None, None, 2.0, None]


def test_an_empty_panel_says_why_and_a_failed_one_with_what():
    report = made(Store({"bad": StoreError("the store is away")}), line("Empty"), line("Failed", "bad"))
    assert (report.panels, report.with_data, report.failed, report.empty) == (2, 0, 1, (("one", "Empty"),))
    assert "No data. It means nothing happened." in report.html
    assert "Not evaluated: the store is away" in report.html


def test_an_error_that_nobody_declared_ends_the_report():
    with pytest.raises(ZeroDivisionError):
        made(Store({"x": ZeroDivisionError()}), line())


def test_nothing_that_telemetry_says_breaks_out_of_its_place():
    labels = {"agent_name": EVIL}
    store = Store({
        "lines": [LogLine(at=PERIOD.start, text=EVIL, severity=EVIL, attributes={"severity_text": EVIL})],
        "0af7": [span(EVIL)],
        "x": [points(labels, 1, 0)], "rows!": [Sample(labels, 1.0)],
    })  # fmt: skip
    link = BoardLink(title=EVIL, board="one", variables={"agent": "agent_name"})
    report = made(
        store,
        TimeSeries(title="L", queries=(Prom(expr="x", legend="{{agent_name}}", exemplars=True),), **SAID),
        StateTimeline(
            title="S", queries=(Prom(expr="x", legend="{{agent_name}}"),), states={1: ("on", Colour.BAD)}, **SAID
        ),
        Table(
            title="T",
            queries=(Prom(expr="rows!", instant=True),),
            columns=(Column(title="A", label="agent_name", link=link),),
            **SAID,
        ),
        LogList(title="G", queries=(LineQuery(LineSearch()),), **SAID),
        TraceView(title="W", queries=(TraceById("$trace"),), **SAID),
        Text(title="P", markdown=f"{EVIL} [x](javascript:alert(3))", **SAID),
        chosen={"environment": "prod", "trace": "0af7"},
    )
    assert report.with_data == 6
    ours = report.html.count("<script")
    assert ours == made(Store(), line()).html.count("<script")
    assert "<img src=x" not in report.html
    assert 'href="javascript' not in report.html
    (found,) = data(report.html)
    assert all("<" not in trace["name"] for figure in found["figures"].values() for trace in figure["data"])


def test_the_page_asks_nothing_of_any_network():
    page = made(Store({"x": [points({}, 1, 2)]}), line()).html
    own = page.split("<script>")[0]
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', own) == []
    assert "@import" not in own
    assert "url(" not in own


def test_colours_have_signs_and_links_carry_what_was_clicked():
    steps = (Step(None, Colour.BAD), Step(0.9, Colour.GOOD))
    link = BoardLink(title="Why", board="one", variables={"agent": "agent_name", "tool": "tool_name"})
    columns = (
        Column(title="Agent", label="agent_name", link=link),
        Column(title="OK", query=0, format=Format.SHARE, steps=steps),
    )
    table = Table(title="T", queries=(Prom(expr="rows!", instant=True),), columns=columns, **SAID)
    page = made(Store({"rows!": [Sample({"agent_name": "a b"}, 0.5)]}), table).html
    assert 'href="#one?agent=a%20b"' in page
    assert re.search(r'class="bad"[^>]*><span class="mark" aria-label="bad">✖</span> 50 %', page)


def test_a_table_shows_the_titles_of_keys_and_its_links_carry_the_keys():
    link = BoardLink(title="Which", board="one", variables={"kpi": "kpi"})
    columns = (Column(title="KPI", label="kpi", link=link), Column(title="Worse by", query=0))
    table = Table(title="T", queries=(Prom(expr="rows!", instant=True),), columns=columns, **SAID)
    page = made(Store({"rows!": [Sample({"kpi": "tool_success"}, 0.5)]}), table).html
    assert '<a href="#one?kpi=tool_success">Tool call success</a>' in page


def test_a_number_shows_its_last_value_and_its_course():
    panel = Stat(title="N", queries=(Prom(expr="x"),), format=Format.USD, **SAID)
    page = made(Store({"x": [points({}, 1, 3, 2.5)]}), panel).html
    assert "$2.50" in page
    assert "<polyline" in page


WRITTEN = [
    (None, Format.SHARE, "-"),
    (0.973, Format.SHARE, "97.3 %"),
    (1, Format.SHARE, "100 %"),
    (1.24, Format.SECONDS, "1.24 s"),
    (0.0652, Format.SECONDS, "65.2 ms"),
    (0, Format.SECONDS, "0 s"),
    (0.0031, Format.USD, "$0.0031"),
    (1234.5, Format.USD, "$1,234.50"),
    (12_345, Format.COUNT, "12.3 k"),
    (3, Format.COUNT, "3"),
    (2**30, Format.BYTES, "1.07 GB"),
    (0.5, Format.PER_SECOND, "0.5 /s"),
    (4.178, Format.SCORE, "4.18"),
    ((PERIOD.end - 300) * 1000, Format.AGO, "5 min ago"),
    (0, Format.MOMENT, "1970-01-01 00:00:00"),
]


@pytest.mark.parametrize(("value", "form", "text"), WRITTEN)
def test_values_are_short_and_have_their_unit(value, form, text):
    assert numbers.text(value, form, PERIOD.end) == text


def test_progress_is_told_panel_by_panel():
    told = []
    made(Store(), line("A"), line("B"), progress=lambda *each: told.append(each))
    assert told == [("One", 1, 2), ("One", 2, 2)]


def test_without_logs_and_traces_their_panels_say_so():
    explore = next(each for each in BOARDS if each.slug == "explore")
    report = render([explore], Sources(metrics=Store(), errors=(StoreError,)), PERIOD, {"environment": "prod"})
    assert report.failed == 0
    assert "No store of logs was given to this report." in report.html
    assert "No store of traces was given to this report." in report.html


def test_every_board_can_be_asked_about_an_empty_store():
    report = render(BOARDS, sources(Store()), PERIOD, {"environment": "prod"})
    assert report.failed == 0
    texts = sum(isinstance(panel, Text) for each in BOARDS for panel in each.panels())
    assert report.with_data == texts


ASKED = SpanSearch(terms=(Term("gen_ai.agent.name", Op.MATCHES, "$agent"), Term("agentic.track", Op.EQUAL, "$kpi")))


def test_a_search_is_filled_with_what_is_chosen_and_nothing_in_it_becomes_a_condition():
    chosen = {"agent": 'a.b" || true', "kpi": "$agent"}
    found = choices.search(ASKED, board(line()), chosen)
    assert [term.value for term in found.terms] == [r'a\.b" \|\| true', "$agent"]
    assert choices.search(ASKED, board(line()), {}).terms[0].value == ".*"


def test_a_chain_of_steps_may_be_longer_than_pythons_stack():
    chain = [span(f"s{n}", span_id=str(n), parent_id=str(n - 1) if n else "", start=float(n)) for n in range(3000)]
    shown = traces.waterfall("0af7", [*chain[1:], chain[0], span("other", span_id="o", parent_id="0", start=0.5)])
    assert [(step.span.name, step.depth) for step in shown.steps[:3]] == [("s0", 0), ("other", 1), ("s1", 1)]
    assert len(shown.steps) == 3001
    assert max(step.depth for step in shown.steps) == 2999


GRAPH = NodeGraph(title="N", queries=(ServiceGraph(where='{env="$environment"}'),), **SAID)


def test_who_calls_whom_is_said_by_the_store_or_by_series():
    """Jaeger counts calls itself, Tempo writes series."""
    names = {"client": "agents", "server": "tools"}
    of_series = Store({"traces_service_graph_request_total": [Sample(names, 7.0)]})
    of_store = Store({"calls": [Call("agents", "tools", 7.0)]})
    graphs = []
    for store in (of_series, of_store):
        evaluation = Evaluation(board=board(GRAPH), sources=sources(store), period=PERIOD, chosen={})
        graphs.append(evaluation.panel(GRAPH))
    assert graphs[0] == graphs[1]
    assert not isinstance(graphs[0], Nothing)


def test_the_first_trace_that_is_found_is_shown():
    row = Trace(trace_id="0af7", service="agents", name="task", start=PERIOD.start, duration_s=1.0)
    store = Store({"traces": [row], "0af7": [span("step")]})
    searched = TraceList(title="F", queries=(TraceQuery(SpanSearch(failed=True)),), **SAID)
    report = made(store, searched, TraceView(title="W", queries=(TraceById("$trace"),), **SAID))
    assert report.with_data == 2
    assert "0af7" in store.asked


@pytest.mark.parametrize("stores", [GRAFANA, PERMISSIVE], ids=["tempo, loki", "jaeger, victorialogs"])
def test_every_board_as_it_is_for_a_pair_of_stores_can_be_asked_about_an_empty_one(stores):
    shown = [adapted(each, stores) for each in BOARDS]
    report = render(shown, sources(Store()), PERIOD, {"environment": "prod"})
    assert report.failed == 0
    titles = {panel.title for each in shown for panel in each.panels()}
    (other,) = {GRAFANA, PERMISSIVE} - {stores}
    for mine, theirs in ((stores.traces, other.traces), (stores.logs, other.logs)):
        assert {panel.title for each in BOARDS for panel in each.panels() if panel.store == mine} <= titles
        assert not [panel for each in shown for panel in each.panels() if panel.store == theirs]
