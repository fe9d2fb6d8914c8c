"""The demo as a user runs it, against a real OTLP receiver: its truth must equal what the telemetry says."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from agentobs import contract
from agentobs.contract import Attr, Event, Label, Metric
from collector.prices import load as load_prices

DEMO = [sys.executable, "-m", "demo"]
FAST = ["--rate", "0", "--time-scale", "0"]
ERROR_CLASS = {"TimeoutError": "timeout", "timeout": "timeout", "429": "rate_limited", "tool_error": "tool_error",
               "cancelled": "cancelled", None: "none"}  # fmt: skip
LABEL_OF = {
    Label.AGENT: Attr.AGENT_NAME,
    Label.PROMPT: Attr.PROMPT_NAME,
    Label.PROMPT_VERSION: Attr.PROMPT_VERSION,
    Label.GRAPH_VERSION: Attr.GRAPH_VERSION,
    Label.TOOL: Attr.TOOL_NAME,
    Label.TOOL_VERSION: Attr.TOOL_VERSION,
    Label.MODEL: Attr.REQUEST_MODEL,
    Label.TRACK: Attr.TRACK,
    Label.WORKFLOW: Attr.WORKFLOW_NAME,
    Label.OUTCOME: Attr.TASK_OUTCOME,
    Label.TASK_TYPE: Attr.TASK_TYPE,
    Label.PROVIDER: Attr.PROVIDER,
    Label.MCP_METHOD: Attr.MCP_METHOD,
    Label.EVALUATION: Attr.EVALUATION_NAME,
    Label.EVALUATION_SOURCE: Attr.EVALUATION_SOURCE,
    Label.EVALUATION_LABEL: Attr.EVALUATION_LABEL,
    Label.POLICY: Attr.POLICY_ID,
    Label.POLICY_ACTION: Attr.POLICY_ACTION,
}


class Derived:
    """Counts per series derived from spans and log records, as the contract says the collector does."""

    def __init__(self) -> None:
        self.rows: defaultdict[str, Counter[tuple[tuple[str, str], ...]]] = defaultdict(Counter)

    def add(self, metric: Metric, item: Mapping[str, Any], value: float = 1, *, series: str = "", **extra: str) -> None:
        attributes, resource = item["attributes"], item["resource"]
        labels = {label.value: str(attributes.get(key, "none")) for label, key in LABEL_OF.items()}
        labels |= {
            Label.ENVIRONMENT: resource[Attr.ENVIRONMENT],
            Label.SERVICE: resource[Attr.SERVICE_NAME],
            Label.IS_RETRY: "true" if attributes.get(Attr.RETRY_ATTEMPT, 0) > 0 else "false",
            Label.IS_FALLBACK: "true" if attributes.get(Attr.FALLBACK) else "false",
            Label.ERROR_CLASS: ERROR_CLASS.get(attributes.get(Attr.ERROR_TYPE), "other"),
            **extra,
        }
        key = tuple((label.value, labels[label.value]) for label in metric.labels)
        self.rows[series or metric.series][key] += value  # type: ignore[assignment]

    def observe(self, metric: Metric, item: Mapping[str, Any], value: float) -> None:
        self.add(metric, item, series=metric.count)
        self.add(metric, item, value, series=metric.sum)

    def span(self, span: Mapping[str, Any]) -> None:
        attributes = span["attributes"]
        operation = attributes.get(Attr.OPERATION)
        if attributes.get(Attr.SPAN_ROLE) == contract.ROLE_TASK:
            self._task(span)
        elif operation == "invoke_agent":
            self.add(contract.AGENT_CALLS, span)
        elif operation == "chat":
            self._chat(span)
        elif operation == "execute_tool" and span["kind"] == 1:
            self.add(contract.TOOL_CALLS, span)
        elif Attr.MCP_METHOD in attributes and span["kind"] == 2:
            self.add(contract.MCP_SERVER_CALLS, span, tool_version=span["resource"][Attr.SERVICE_VERSION])

    def log(self, record: Mapping[str, Any]) -> None:
        if record["event"] == Event.EVALUATION:
            self.add(contract.EVAL_RESULTS, record)
            self.observe(contract.EVAL_SCORE, record, record["attributes"][Attr.EVALUATION_SCORE])
        elif record["event"] == Event.POLICY_VIOLATION:
            self.add(contract.POLICY_VIOLATIONS, record)
        elif record["event"] == Event.PROCESS_START:
            self.add(contract.PROCESS_STARTS, record)

    def _task(self, span: Mapping[str, Any]) -> None:
        attributes = span["attributes"]
        self.add(contract.TASK_CALLS, span)
        if Attr.TASK_TOKENS in attributes:
            self.observe(contract.TASK_COST, span, attributes[Attr.TASK_COST])
            self.observe(contract.TASK_TOKENS, span, attributes[Attr.TASK_TOKENS])
        if Attr.PLAN_PLANNED in attributes:
            self.add(contract.PLAN_STEPS, span, attributes[Attr.PLAN_PLANNED], state="planned")
            self.add(contract.PLAN_STEPS, span, attributes[Attr.PLAN_COMPLETED], state="completed")

    def _chat(self, span: Mapping[str, Any]) -> None:
        attributes = span["attributes"]
        self.add(contract.LLM_CALLS, span)
        if Attr.INPUT_TOKENS not in attributes:
            return
        given = {"input": Attr.INPUT_TOKENS, "output": Attr.OUTPUT_TOKENS, "cache_read": Attr.CACHE_READ_TOKENS,
                 "reasoning": Attr.REASONING_TOKENS}  # fmt: skip
        for kind, key in given.items():
            if key in attributes:
                self.add(contract.LLM_TOKENS, span, attributes[key], token_type=kind)
        tokens = attributes[Attr.INPUT_TOKENS], attributes[Attr.OUTPUT_TOKENS]
        self.observe(contract.REQUEST_TOKENS, span, sum(tokens))
        cost = load_prices().cost_usd(attributes[Attr.REQUEST_MODEL], *tokens)
        assert cost is not None
        self.add(contract.COST, span, cost)


def _run(endpoint: str, folder: Path, *arguments: str) -> dict[str, Any]:
    truth = folder / "truth.json"
    command = [*DEMO, "run", "--endpoint", endpoint, "--truth", str(truth), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(truth.read_text())
    return document


@pytest.fixture
def run(otlp, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    return lambda *arguments: _run(otlp.endpoint, tmp_path, *arguments)


@pytest.fixture(scope="module")
def regression(otlp_for_module, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Any]:
    """One run that several tests look at: its truth, and the receiver of its telemetry."""
    folder = tmp_path_factory.mktemp("regression")
    return _run(
        otlp_for_module.endpoint, folder, "--scenario", "tool-regression", "--tasks", "40", *FAST
    ), otlp_for_module


def _assert_same(truth: Mapping[str, Any], otlp) -> None:
    derived = Derived()
    for span in otlp.spans:
        derived.span(span)
    for record in otlp.logs:
        derived.log(record)
    said = {
        series: {tuple(row["labels"].items()): row["value"] for row in rows} for series, rows in truth["counts"].items()
    }
    found = {series: dict(rows) for series, rows in derived.rows.items()}
    assert set(said) == set(found)
    for series, rows in said.items():
        assert found[series] == pytest.approx(rows), series
    assert truth["telemetry_lost"] == 0


@pytest.mark.parametrize("scenario", ["timeouts", "crash-loop", "graph-change"])
def test_the_truth_of_a_run_equals_its_telemetry_series_by_series(run, otlp, scenario: str) -> None:
    truth = run("--scenario", scenario, "--tasks", "40", *FAST)
    assert truth["tasks"]["total"] == 40
    assert truth["changed_at"] is not None
    _assert_same(truth, otlp)


def test_a_regression_is_told_truthfully_too(regression) -> None:
    truth, otlp = regression
    assert truth["started_at"] < truth["changed_at"] < truth["ended_at"]
    assert 0 < len(truth["trace_ids"]) <= 20
    assert set(truth["trace_ids"]) <= {span["trace"] for span in otlp.spans}
    _assert_same(truth, otlp)


def test_two_workers_do_together_what_one_does_alone(run, otlp, regression) -> None:
    truth = run("--scenario", "tool-regression", "--tasks", "40", "--workers", "2", *FAST)
    _assert_same(truth, otlp)
    workers = {span["resource"][Attr.SERVICE_INSTANCE_ID] for span in otlp.spans if "invoke_agent" in span["name"]}
    assert len(workers) == 2
    planned, alone = (_tokens_of(document, "planner") for document in (truth, regression[0]))
    assert planned == alone, "requests and plans depend on the seed alone"


def test_a_task_is_one_trace_from_workflow_to_tool_server(regression) -> None:
    _, otlp = regression
    spans = {span["id"]: span for span in otlp.spans}
    served = [span for span in spans.values() if span["name"].startswith("tools/call")]
    assert served
    for call in served:
        tool = call["attributes"][Attr.TOOL_NAME]
        path = [call]
        while path[-1]["parent"]:
            path.append(spans[path[-1]["parent"]])
        assert [span["name"] for span in path] == [
            f"tools/call {tool}",
            f"MCP send tools/call {tool}",
            f"execute_tool {tool}",
            "invoke_agent executor",
            "invoke_workflow support",
        ]
        assert {span["trace"] for span in path} == {call["trace"]}
        assert {span["attributes"][Attr.CONVERSATION_ID] for span in path} == {
            path[0]["attributes"][Attr.CONVERSATION_ID]
        }
    assert {span["resource"][Attr.SERVICE_NAME] for span in served} <= {"knowledge", "orders", "backoffice"}


def test_one_tool_attempt_is_one_internal_span_with_its_servers_version(run, otlp) -> None:
    truth = run("--scenario", "retry-storm", "--tasks", "40", *FAST)
    attempts = [s for s in otlp.spans if s["attributes"].get(Attr.OPERATION) == "execute_tool" and s["kind"] == 1]
    assert len(attempts) == truth["totals"]["agentic_tool_calls_total"]
    versions = {(s["attributes"][Attr.TOOL_NAME], s["attributes"][Attr.TOOL_VERSION]) for s in attempts}
    assert versions >= {("kb_search", "1.4.2"), ("order_lookup", "3.1.0"), ("archive_search", "0.9.5")}
    failed = [s for s in attempts if s["failed"]]
    assert failed
    assert {s["attributes"][Attr.ERROR_TYPE] for s in failed} == {"tool_error"}
    assert any(s["attributes"][Attr.RETRY_ATTEMPT] == 2 for s in attempts)
    fallbacks = [s["attributes"] for s in attempts if s["attributes"].get(Attr.FALLBACK)]
    assert {(a[Attr.TOOL_NAME], a[Attr.FALLBACK_FROM]) for a in fallbacks} == {("archive_search", "kb_search")}


def test_a_new_tool_version_is_a_new_server_process_and_nothing_else_is(regression) -> None:
    truth, otlp = regression
    starts = Counter((row["labels"]["service"], row["labels"]["tool_version"]) for row in
                     truth["counts"]["agentic_process_starts_total"])  # fmt: skip
    assert starts == Counter(
        [
            ("support-desk", "none"),
            ("knowledge", "1.4.2"),
            ("backoffice", "0.9.5"),
            ("orders", "3.1.0"),
            ("orders", "4.0.0"),
        ]
    )
    called = {s["attributes"][Attr.TOOL_VERSION] for s in otlp.spans if s["name"].startswith("execute_tool order")}
    assert called == {"3.1.0", "4.0.0"}
    assert truth["culprit"] == {
        "agent": "executor", "tool": "order_lookup", "dimension": "tool_version", "version": "4.0.0",
        "previous": "3.1.0",
    }  # fmt: skip


def test_prompts_and_answers_are_recorded_only_when_asked_for(run, otlp, regression) -> None:
    run("--tasks", "4", "--content", *FAST)
    for text in ("known kinds", "order_id"):
        assert text in str([span["attributes"] for span in otlp.spans])
    without = str([{k: v for k, v in s["attributes"].items() if "definitions" not in k} for s in regression[1].spans])
    assert "known kinds" not in without
    assert "order_id" not in without


def _tokens_of(document: Mapping[str, Any], agent: str) -> list[float]:
    rows = document["counts"][contract.LLM_TOKENS.series]
    return [row["value"] for row in rows if row["labels"]["agent_name"] == agent]
