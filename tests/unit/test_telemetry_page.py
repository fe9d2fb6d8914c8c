"""The page of the telemetry check: how KPIs are fed, the score, what a newcomer reads, what CI is told, watching."""

import io
import json
from dataclasses import replace
from itertools import repeat

import pytest
from rich.console import Console
from support.sample_spans import AGENT, CHAT, GOOD, NOW, RESOURCE, SERVED, TASK, TOOL, span
from typer.testing import CliRunner

from agentobs.contract import Attr
from alerts.catalogue import CATALOGUE
from alerts.prometheus import PrometheusError
from alerts.source import Sample
from collector import check
from collector.check import NEEDS, OPTIONAL, VERDICTS, Report
from collector.check.feeding import score
from collector.search import Span as FoundSpan
from collector.search import Trace as FoundTrace
from stacks.cli import check as command
from stacks.cli import show_check
from stacks.telemetry import Scope, examine


def built(*traces, counted=None) -> Report:
    traces = check.with_aliases(traces)
    found = [
        *check.missing(traces), *check.unread(traces), *check.twice(traces), *check.unnamed(traces),
        *check.orphaned(traces, NOW), *check.untasked(traces),
    ]  # fmt: skip
    return check.build(traces, found, (0.0, NOW), "dev", counted)


def page(document: Report, link: str = "", *, everything: bool = False) -> str:
    out = Console(file=io.StringIO(), width=100)
    out.print(show_check.report(document, link, everything=everything))
    return out.file.getvalue()


def without(attributes, *keys):
    return {key: value for key, value in attributes.items() if key not in keys}


class TestScore:
    def test_all_that_kpis_need_is_100(self):
        document = built(GOOD)
        assert document.score == 100
        assert document.gaps == []
        assert {(row.service, row.agent) for row in document.fed} == {("desk", ""), ("desk", "planner")}

    def test_it_is_the_mean_of_columns_rounded_down(self):
        half = [span(TOOL, "1", "9"), span(without(TOOL, Attr.TOOL_VERSION), "2", "9")]
        (of_service, of_agent) = built(half).fed
        assert of_service.fed == {"named": 1.0, "program": 1.0}
        assert of_agent.fed == {"runs": 0.0, "tools": 1.0, "tool_version": 0.5}
        assert score([of_service, of_agent]) == 70

    def test_a_column_is_the_share_of_its_spans_and_a_service_does_not_hide_another(self):
        ten = [span(TOOL, str(number), "9") for number in range(9)] + [span({**TOOL, Attr.TOOL_VERSION: ""}, "x", "9")]
        assert score(built(ten).fed) == 78  # named 1, program 1, runs 0, tools 1, tool version 0.9
        other = [span(SERVED, kind="server", resource={**RESOURCE, Attr.SERVICE_NAME: "orders"})]
        assert score(built(ten, other).fed) == 89

    def test_a_call_without_an_agent_is_half_a_call(self):
        named, nameless = span(CHAT, "1", "9"), span(without(CHAT, Attr.AGENT_NAME), "2", "9")
        rows = built([named, nameless]).fed
        # named 0.5, program 1, runs 0; models, tokens, cost and prompt 0.75 each.
        assert score(rows) == int(100 * (0.5 + 1 + 0 + 4 * 0.75) / 7)

    def test_calls_without_an_agent_are_a_row_of_their_own(self):
        named, nameless = span(CHAT, "1", "9"), span(without(CHAT, Attr.AGENT_NAME), "2", "9")
        document = built([named, nameless])
        assert [row.agent for row in document.fed] == ["", "planner"]
        assert document.fed[0].fed["named"] == 0.5
        assert document.fed[0].fed["models"] == 1.0

    def test_an_unread_span_carries_nothing(self):
        old = {**without(CHAT, Attr.AGENT_NAME), Attr.OPERATION: "chat.completions"}
        (row,) = built([span(old)]).fed
        assert row.fed == {"named": 0.0, "program": 1.0, "models": 0.0, "tokens": 0.0, "cost": 0.0, "prompt": 0.0}

    def test_a_failed_call_needs_no_tokens_and_an_unpriced_one_has_no_cost(self):
        failed = span({**without(CHAT, Attr.INPUT_TOKENS), Attr.ERROR_TYPE: "504"}, "1", "9", failed=True)
        assert "tokens" not in built([failed]).fed[1].fed
        unpriced = span({**CHAT, Attr.COST_UNPRICED: True}, "1", "9")
        assert built([unpriced]).fed[1].fed["cost"] == 0.0

    def test_an_mcp_server_needs_to_say_who_it_is(self):
        (row,) = built([span(SERVED, kind="server", resource=without(RESOURCE, Attr.SERVICE_VERSION))]).fed
        assert row.fed == {"program": 0.0}

    def test_nothing_has_no_score(self):
        assert built().score is None
        assert built([span({"http.request.method": "GET"})]).score is None


class TestNeeds:
    def test_kpis_have_the_catalogue_s_titles(self):
        titles = {kpi.title for kpi in CATALOGUE}
        texts = [*(need.kpis for need in NEEDS), *OPTIONAL.values(), VERDICTS]
        named = {title for text in texts for title in text.split(", ")}
        assert {name for name in named if name[0].isupper()} - titles == {"Canary against stable"}
        # Where nothing of the kind happens there is nothing to feed them with.
        rare = {"Model calls to a fallback", "Policy violations per task", "Policy violations let through per task"}
        assert titles - named == rare

    def test_each_gap_has_a_line_that_mends_it(self):
        bare = [span({Attr.OPERATION: "chat"}, "1", "9"), span({Attr.OPERATION: "execute_tool"}, "2", "9")]
        found = {gap.need: gap.fix for gap in built(bare).gaps}
        assert set(found) == {need.key for need in NEEDS} - {"tasks", "graph", "runs", "cost", "program"}
        assert all(found.values())
        assert "agentobs.context.adopt()" in found["named"]


class TestPage:
    def test_what_is_good_is_short_and_says_so(self):
        counted = {"desk": {"tasks": 1, "agent_runs": 1, "model_calls": 1234, "tool_calls": 1}}
        said = page(built(GOOD, counted=counted))
        assert "Telemetry of dev" in said
        assert "Score 100 of 100" in said
        assert "1,234" in said
        assert "all good: desk" in said
        assert "\n  emit.evaluation(name, passed=..., source=...)  " in said
        assert "Mend first" not in said
        assert "How to feed the rest" not in said

    def test_what_was_counted_and_not_seen_is_not_called_good(self):
        """A task of hours began before the window, and stores find traces by their beginning."""
        said = page(built(GOOD, counted={"desk": {"tasks": 1}, "research": {"tasks": 10}}))
        assert "all good: desk\n" in said
        assert "none of its spans was found; look further back with --since: research" in said

    def test_it_reads_from_what_matters_to_what_mends_it(self):
        bad = [span(TASK), span(AGENT, "2", "1"), span({**CHAT, Attr.OPERATION: "chat.completions"}, "3", "2"),
               span(without(TOOL, Attr.TOOL_VERSION), "4", "2")]  # fmt: skip
        said = page(built(bad), "http://tempo/trace/")
        order = [
            "What arrived", "Mend first", "model calls that no KPI reads", "breaks  these calls", "mend ",
            "agentic.tool.version", "Which KPIs are fed", "How to feed the rest", "see 2 above", "Optional",
            "Evaluations passed",
        ]  # fmt: skip
        places = [said.index(words) for words in order]
        assert places == sorted(places)
        assert "http://tempo/trace/ID" in said
        assert "numbers are wrong, for 1 reason" in said
        assert max(len(line) for line in said.splitlines()) <= 100

    def test_case_27_fits_a_page(self):
        names = [f"worker_{number:012x}" for number in range(120)]
        bare = {Attr.OPERATION: "invoke_agent", Attr.SPAN_ROLE: "task"}
        said = page(built(*([span({**bare, Attr.AGENT_NAME: name}, end=NOW - 60)] for name in names)))
        assert "worker_* (120 names)" in said
        assert len(said.splitlines()) < 70

    def test_many_findings_are_five_and_a_list(self):
        agents = [{**without(CHAT, Attr.AGENT_NAME, Attr.PROMPT_VERSION, Attr.REQUEST_MODEL, Attr.INPUT_TOKENS)}]
        tools = [without(TOOL, Attr.TOOL_NAME, Attr.TOOL_VERSION, Attr.AGENT_NAME)]
        document = built([span(each, str(n), "9") for n, each in enumerate([*agents, *tools])])
        worth = [group for group in document.groups if group.severity != "recommended"]
        assert len(worth) > 5
        assert f"and {len(worth) - 5} more (--all shows how to mend them)" in page(document)
        assert "--all" not in page(document, everything=True)

    def test_names_are_whole_in_80_columns(self):
        counts = ("tasks", "agent_runs", "model_calls", "tool_calls", "served", "verdicts", "unread")
        named = {**RESOURCE, Attr.SERVICE_NAME: "refunds-crewai-1"}
        traces = [span(kind, "1", "9", resource=named) for kind in (CHAT, TOOL, AGENT)], GOOD
        out = Console(file=io.StringIO(), width=80)
        out.print(show_check.report(built(*traces, counted={"refunds-crewai-1": dict.fromkeys(counts, 9999)}), ""))
        said = out.file.getvalue()
        assert said.count("  refunds-crewai-1 ") == 2
        assert said.count("9,999") == len(counts)
        assert "  planner of desk " in said
        assert len(said[said.index("  planner of desk ") :].split("\n")[0].split()) == 3 + 7

    def test_names_from_outside_are_text(self):
        named = {**AGENT, Attr.AGENT_NAME: "[red]x[/red]\x1b[2J"}
        said = page(built([span(named, "2", "9")]))
        assert "[red]x[/red]" in said
        assert "\x1b" not in said


@pytest.fixture
def looked(monkeypatch):
    """What the command sees, without stores."""

    class Stores:
        metrics = traces = None
        trace_link = ""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def answers(document):
        documents = iter(document) if isinstance(document, list) else repeat(document)

        def examine(*_):
            found = next(documents)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(command, "resolve_for_metrics", lambda *_: Stores())
        monkeypatch.setattr(command, "examine", examine)
        monkeypatch.setattr(command, "senders", lambda *_: ["desk of dev"])
        monkeypatch.setattr(command.time, "sleep", lambda _: None)

    return answers


LACKS = built([span(without(TOOL, Attr.TOOL_VERSION), "1", "9")])


class TestCommand:
    @pytest.mark.parametrize(
        ("document", "arguments", "code"),
        [
            (built(GOOD), ["--strict"], 0),
            (LACKS, [], 0),
            (LACKS, ["--strict"], 1),
            (LACKS, ["--strict", "--json"], 1),
            (built(), [], 0),
            (built(), ["--strict"], 2),
            (PrometheusError("no Prometheus answers"), ["--strict"], 2),
            ([built(), built(), LACKS], ["--strict"], 1),
            (LACKS, ["--since", "soon"], 2),
            (LACKS, ["--watch", "--json"], 2),
            (LACKS, ["--watch", "--strict"], 2),
        ],
    )
    def test_what_ci_is_told(self, looked, document, arguments, code):
        looked(document)
        assert CliRunner().invoke(command.app, arguments).exit_code == code

    def test_a_name_that_nobody_has_is_answered_with_those_that_there_are(self, looked):
        looked(built())
        assert "What is there: desk of dev" in CliRunner().invoke(command.app, ["--service", "dsek"]).stderr
        assert "What is there" not in CliRunner().invoke(command.app, []).stderr

    def test_a_store_that_is_away_stays_the_common_failure_without_strict(self, looked):
        looked(PrometheusError("no Prometheus answers"))
        assert isinstance(CliRunner().invoke(command.app, []).exception, PrometheusError)

    def test_the_document_and_its_schema(self, looked):
        looked(LACKS)
        said = json.loads(CliRunner().invoke(command.app, ["--json"]).stdout)
        assert said["score"] == LACKS.score
        assert said["groups"][0]["breaks"]
        schema = json.loads(CliRunner().invoke(command.app, ["--schema"]).stdout)
        assert set(schema["properties"]) == set(said)

    def test_watching_draws_again_survives_a_store_and_ends_quietly(self):
        pages = iter([show_check.report(LACKS, ""), PrometheusError("no Prometheus answers"), "third"])
        pauses, console = [], Console(file=io.StringIO(), width=100)

        def draw():
            page = next(pages, None)
            if page is None:
                raise KeyboardInterrupt
            if isinstance(page, Exception):
                raise page
            return page

        command.watching(draw, console, pauses.append)
        said = console.file.getvalue()
        assert [said.index(words) for words in ("Mend first", "no Prometheus answers", "third")]
        assert len(pauses) == 3


class Metrics:
    """Series that count: five tool calls of `desk`, and what nobody reads."""

    def instant(self, query, at):  # noqa: ARG002 it says the same at any time
        for name, labels, value in (
            ("agentic_tool_calls_total", {"service": "desk"}, 5.2),
            ("agentic_unread_spans_total", {"service": "desk", "scope": "litellm"}, 3.0),
        ):
            if f"increase({name}" in query:
                return [Sample(labels, value)]
        return []


class Traces:
    """A store of one trace, in which two instrumentations report one call."""

    def __init__(self):
        chat = without(CHAT, Attr.AGENT_NAME)
        self.spans = [
            found(AGENT, "2", "", "x"), found(chat, "3", "2", "openinference.instrumentation.langchain"),
            found(chat, "4", "3", "opentelemetry.instrumentation.openai_v2"),
        ]  # fmt: skip

    def services(self, *_):
        return ["desk"]

    def find(self, *_):
        return [FoundTrace(trace_id="abc", service="desk", name="step", start=0, duration_s=1)]

    def trace(self, _):
        return self.spans


def found(attributes, number, parent, scope):
    return FoundSpan(
        trace_id="abc", span_id=number, parent_id=parent, name="step", kind="internal", failed=False, start=NOW - 61,
        end=NOW - 60, attributes=attributes, resource=RESOURCE, scope=scope,
    )  # fmt: skip


def test_what_both_stores_hold_is_one_document():
    document = examine(Metrics(), Traces(), Scope(start=NOW - 3600, end=NOW), lambda *_: None)
    (service,) = document.services
    assert (service.name, service.spans, service.tool_calls, service.unread) == ("desk", 3, 5, 3)
    kinds = [(group.kind, group.count) for group in document.groups if group.kind is not check.Kind.MISSING]
    assert kinds == [("unread_spans", 3), ("counted_twice", 1), ("no_task", 1), ("no_agent", 1)]
    assert document.score is not None


def test_a_program_whose_clock_is_ahead_is_found_and_told():
    class Ahead(Traces):
        """As stores do: a trace is found by its own clock."""

        def find(self, _, start, end, *__):
            return super().find() if start <= NOW + 5 * 3600 <= end else []

        def trace(self, _):
            return [replace(each, start=each.start + 5 * 3600, end=each.end + 5 * 3600) for each in self.spans]

    document = examine(Metrics(), Ahead(), Scope(start=NOW - 3600, end=NOW), lambda *_: None)
    assert "spans of the future" in {group.what for group in document.groups}
