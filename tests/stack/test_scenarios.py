"""Every scenario leaves its own mark in Prometheus and in the stores, and `agentobs why` names what broke."""

import json
import re

import jsonschema
import pytest
import requests
from support.stores import TRACES

from alerts.catalogue import DIMENSIONS

# A mark: a query that is at least `threshold` after the scenario and below it after a healthy run.
MARKS = {
    "tool-regression": ('sum(agentic_tool_calls_total{%s,tool_version="4.0.0",error_class!="none"})', 10),
    "prompt-regression": ('sum(agentic_eval_results_total{%s,prompt_version="13",label="fail"})', 10),
    "model-swap": ('sum(agentic_llm_calls_total{%s,model="sim-xl-2"})', 50),
    "graph-change": ('sum(agentic_agent_calls_total{%s,graph_version="4",agent_name="critic"})', 60),
    "retry-storm": ('sum(agentic_tool_calls_total{%s,is_retry="true"})', 15),
    "timeouts": ('sum(agentic_tool_calls_total{%s,error_class="timeout"})', 10),
    "hallucination": ('sum(agentic_eval_results_total{%s,eval_name="hallucination",label="fail"})', 8),
    "policy-violation": ("sum(agentic_policy_violations_total{%s})", 15),
    "crash-loop": ("sum(agentic_process_starts_total{%s})", 6),
    "cost-spike": ("sum(agentic_cost_usd_total{%s}) / sum(agentic_task_calls_total{%s})", 0.04),
    "data-drift": ('sum(agentic_task_calls_total{%s,outcome="failure"})', 8),
}
SYMPTOMS = {
    "retry-storm": {"tool_success", "tool_retries"},
    "timeouts": {"tool_timeouts", "tool_success"},
    "hallucination": {"hallucination"},
    "policy-violation": {"policy_violations"},
    "crash-loop": {"tool_success"},
    "cost-spike": {"request_tokens", "model_cost"},
    "data-drift": {"task_success", "evaluation_pass"},
}
# Long enough for the slowest machine to have played all scenarios.
SINCE = "40m"
VERSIONED = ("tool-regression", "prompt-regression", "model-swap", "graph-change")
UNVERSIONED = tuple(SYMPTOMS)


def _mark(stack, query: str, environment: str) -> float:
    """Counters as they were last seen: what no longer counts is dropped after minutes."""
    here = query.replace("%s", f'environment="{environment}"')
    return stack.value(re.sub(r"\w+_total\{[^}]*\}", r"max_over_time(\g<0>[1h])", here))


@pytest.mark.usefixtures("truths")
@pytest.mark.parametrize("scenario", MARKS)
def test_a_scenario_leaves_its_mark_in_prometheus_and_a_healthy_run_does_not(stack, eventually, scenario):
    query, threshold = MARKS[scenario]
    assert eventually(lambda: _mark(stack, query, scenario), lambda value: value >= threshold) >= threshold
    assert _mark(stack, query, "healthy") < threshold


@pytest.mark.parametrize("scenario", MARKS)
def test_a_scenario_leaves_a_trace_and_its_lines(stack, truths, eventually, scenario):
    trace_id = truths[scenario]["trace_ids"][0]
    assert eventually(lambda: stack.trace(trace_id), bool)
    assert eventually(lambda: stack.lines(scenario, trace_id), bool)


def _why(stack, environment: str) -> dict:
    return dict(json.loads(stack.agentobs("why", "--json", "--since", SINCE, "-e", environment).stdout))


@pytest.mark.parametrize("scenario", VERSIONED)
def test_why_names_agent_tool_dimension_version_and_since_when(stack, truths, scenario):
    truth, found = truths[scenario], _why(stack, scenario)
    assert found["verdict"] == "regression", found
    culprit, wanted = found["culprit"], truth["culprit"]
    labels = {dimension.key: dimension.version for dimension in DIMENSIONS}
    assert labels[culprit["dimension"]] == wanted["dimension"]
    assert (culprit["version"], culprit["previous"]) == (wanted["version"], wanted["previous"])
    # A looping graph runs all agents of the loop more often: which of them sends work back, only a trace tells.
    assert wanted["agent"] in (culprit["agents"] if culprit["dimension"] == "graph" else culprit["agents"][:1])
    if wanted["tool"]:
        # One server release renews all of its tools; the one with the strongest evidence is named.
        tools = {row["labels"]["tool_name"] for row in truth["counts"]["agentic_tool_calls_total"]
                 if row["labels"]["tool_version"] == wanted["version"]}  # fmt: skip
        assert culprit["tool"] in tools
    # A version shows when the first call that used it has ended.
    assert -1 < culprit["since"] - truth["changed_at"] < 20
    assert found["evidence"][0]["z"] > 3
    assert found["trace"]["url"].startswith(stack.url(TRACES))
    assert requests.get(found["trace"]["url"], timeout=10).status_code == 200


@pytest.mark.parametrize("scenario", UNVERSIONED)
def test_why_blames_no_version_where_none_changed_but_sees_the_symptom(stack, truths, scenario):
    found = _why(stack, scenario)
    assert found["verdict"] == "symptom_without_version_change", found
    assert found["culprit"] is None
    # The moment is known to one of two dozen buckets, and a fault shows when the first task it spoils has ended.
    bucket = (truths[scenario]["ended_at"] - truths[scenario]["started_at"] + 30) / 24
    assert SYMPTOMS[scenario] & {evidence["kpi"] for evidence in found["evidence"]}, found
    assert min(abs(e["since"] - truths[scenario]["changed_at"]) for e in found["evidence"]) < 10 + 2 * bucket


@pytest.mark.usefixtures("truths")
def test_why_finds_nothing_in_a_healthy_run(stack):
    found = _why(stack, "healthy")
    assert found["culprit"] is None
    # A machine that others use too may get slower half way, and that would be a true finding.
    assert {evidence["kpi"] for evidence in found["evidence"] if not evidence["kpi"].endswith("_latency")} == set()


@pytest.mark.usefixtures("truths")
def test_why_and_status_keep_to_their_published_schemas(stack):
    for command in ("why", "status"):
        schema = json.loads(stack.agentobs(command, "--schema").stdout)
        document = json.loads(stack.agentobs(command, "--json", "-e", "tool-regression").stdout)
        jsonschema.validate(document, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({}, schema)


@pytest.mark.usefixtures("truths")
def test_status_shows_both_versions_of_the_tool_side_by_side(stack):
    shown = stack.agentobs("status", "-e", "tool-regression", "--since", SINCE).stdout
    document = json.loads(stack.agentobs("status", "-e", "tool-regression", "--since", SINCE, "--json").stdout)
    tools = next(table for table in document["tables"] if table["key"] == "tools")
    success = {
        row["labels"]["tool_version"]: row["kpis"]["tool_success"]
        for row in tools["rows"]
        if row["labels"]["tool_name"] == "order_lookup"
    }
    assert success["3.1.0"] > 0.9
    assert success["4.0.0"] < 0.7
    assert "order_lookup" in shown
    assert "4.0.0" in shown


@pytest.mark.usefixtures("truths")
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("tool-regression", ("regression", "executor", "the tool changed from 3.1.0 to 4.0.0", "api/traces/")),
        ("model-swap", ("the model changed from sim-large-1 to sim-xl-2", "Cost per model call")),
        ("timeouts", ("no version to blame", "no version change explains it", "order_lookup")),
        ("healthy", ("No other version changed",)),
        ("no-such-environment", ("No tasks in this window",)),
    ],
)
def test_why_reads_well_for_a_person(stack, environment, words):
    shown = stack.agentobs("why", "-e", environment, "--since", SINCE).stdout
    for word in words:
        assert word in shown
