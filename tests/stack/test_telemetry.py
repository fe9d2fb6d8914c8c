"""OTLP in, KPIs, traces and logs out: what the agents did is what the backends say, to the last call."""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import requests
from support.stores import LOGS, TRACES

ENVIRONMENT = "exactness"
_OURS = ("__name__", "job", "instance")


@pytest.fixture(scope="module")
def truth(stack, eventually):
    """What a run with faults did, once Prometheus has counted all of its tasks."""
    truth = stack.demo("tool-regression", ENVIRONMENT, tasks=60, rate=10)
    wanted = sum(row["value"] for row in truth["counts"]["agentic_task_calls_total"])
    counted = f'sum(agentic_task_calls_total{{environment="{ENVIRONMENT}"}})'
    assert eventually(lambda: stack.value(counted), lambda value: value >= wanted) == wanted
    return truth


def _by_labels(rows: list[tuple[dict[str, str], float]]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for labels, value in rows:
        found[json.dumps({k: v for k, v in labels.items() if k not in _OURS}, sort_keys=True)] += value
    return dict(found)


def test_no_telemetry_was_lost_on_the_way_out(truth):
    assert truth["telemetry_lost"] == 0


def test_every_kpi_counts_exactly_what_the_agents_did_on_the_full_label_set(stack, truth, eventually):
    assert len(truth["counts"]) >= 15

    def measured(series: str) -> dict[str, float]:
        result = stack.query(f'{series}{{environment="{ENVIRONMENT}"}}')
        return _by_labels([(row["metric"], float(row["value"][1])) for row in result])

    for series, rows in truth["counts"].items():
        wanted = _by_labels([(row["labels"], row["value"]) for row in rows])
        got = eventually(lambda s=series: measured(s), lambda answer, w=wanted: answer == pytest.approx(w))
        assert got == pytest.approx(wanted), series


def test_one_tool_call_over_mcp_counts_once_though_it_makes_several_spans(stack, truth):
    calls = sum(row["value"] for row in truth["counts"]["agentic_tool_calls_total"])
    assert stack.value(f'sum(agentic_tool_calls_total{{environment="{ENVIRONMENT}"}})') == calls


def test_the_id_of_a_failed_task_is_found_as_trace_and_in_the_logs(stack, truth, eventually):
    trace_id = truth["trace_ids"][0]
    spans = eventually(lambda: stack.trace(trace_id), bool)
    names = {span.name for span in spans}
    assert "invoke_workflow support" in names
    assert any(name.startswith("invoke_agent ") for name in names)
    assert any(name.startswith("tools/call ") for name in names), "the tool server's span is in the same trace"
    assert eventually(lambda: stack.lines(ENVIRONMENT, trace_id), bool)


def test_exemplars_of_failed_tool_calls_lead_to_traces(stack, truth, eventually):
    assert truth["trace_ids"]
    params = {
        "query": f'agentic_span_calls_total{{environment="{ENVIRONMENT}",family="tool",error_class!="none"}}',
        "start": str(truth["started_at"] - 60),
        "end": str(truth["ended_at"] + 60),
    }
    answer = requests.get(f"{stack.url('prometheus')}/api/v1/query_exemplars", params=params, timeout=10).json()
    found = [item["labels"]["trace_id"] for row in answer["data"] for item in row["exemplars"]]
    assert found
    for trace_id in found[:5]:
        assert eventually(lambda t=trace_id: stack.trace(t), bool), trace_id


def test_the_example_of_the_readme_is_counted(stack, eventually):
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    here = example.replace('environment="local"', f'environment="readme", endpoint="{stack.url("otlp-http")}"')
    assert here != example
    stack.run(sys.executable, "-c", here)
    for series in ("agentic_task_calls_total", "agentic_llm_calls_total", "agentic_tool_calls_total"):
        query = f'sum({series}{{environment="readme"}})'
        assert eventually(lambda q=query: stack.value(q), lambda value: value >= 1) == 1, series


def test_prometheus_scrapes_every_backend(stack, eventually):
    up = eventually(lambda: {r["metric"]["job"]: r["value"][1] for r in stack.query("up")}, lambda u: len(u) == 6)
    assert up == dict.fromkeys(("collector", "prometheus", "alertmanager", "release-controller", LOGS, TRACES), "1")


def test_the_watchdog_reaches_alertmanager(stack, eventually):
    def alerts() -> list[str]:
        answer = requests.get(f"{stack.url('alertmanager')}/api/v2/alerts", timeout=10)
        return [alert["labels"]["alertname"] for alert in answer.json()]

    assert "Watchdog" in eventually(alerts, lambda names: "Watchdog" in names)


def test_bad_otlp_is_refused_and_the_collector_stays_up(stack):
    for body in (
        b"",
        b"not json",
        b'{"resourceSpans": 7}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 1}]}]}]}',
    ):
        answer = requests.post(
            f"{stack.url('otlp-http')}/v1/traces", data=body, headers={"Content-Type": "application/json"}, timeout=10
        )
        assert answer.status_code == 400, body
    assert requests.get(stack.url("collector-health"), timeout=5).status_code == requests.codes.ok
