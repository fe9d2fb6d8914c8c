"""`agentobs telemetry check` on a running stack: silent about good telemetry, exact about bad one."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.protobuf.message import Message
from support import otlp
from support.stores import CHOSEN, TRACES

from collector.stores import TITLES

GOOD, BAD, SERVICE = "check-good", "check-bad", "careless"
AGE_S = 60  # old enough for a trace to count as complete
USERS = 30
SLICES = {"gen_ai.agent.name": "planner", "gen_ai.prompt.version": "3", "gen_ai.conversation.id": "c"}
TASK = {
    "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "w", "agentic.span.role": "task",
    "agentic.graph.version": "7",
}  # fmt: skip
AGENT = {**SLICES, "gen_ai.operation.name": "invoke_agent"}
CHAT = {
    **SLICES, "gen_ai.operation.name": "chat", "gen_ai.request.model": "nobody-priced-me", "gen_ai.provider.name": "p",
    "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5,
}  # fmt: skip
TOOL = {**SLICES, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "agentic.tool.version": "1"}


def _without(attributes: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if key not in keys}


def _careless() -> Message:
    """What a careless program sends: each thing that a check finds, in traces of their own."""
    resource = {"service.name": SERVICE, "deployment.environment.name": BAD}
    spans = []

    def trace(*children: dict[str, Any], root: dict[str, Any] = TASK, root_arrives: bool = True) -> None:
        trace_id, top = os.urandom(16), os.urandom(8)
        if root_arrives:
            spans.append(otlp.span("root", root, trace_id=trace_id, span_id=top, ended_ago=AGE_S, seconds=2))
        spans.extend(
            otlp.span("child", child, trace_id=trace_id, parent=top, ended_ago=AGE_S, seconds=1) for child in children
        )

    for user in range(USERS):
        trace({**AGENT, "gen_ai.agent.name": f"helper of user-{1000 + user}"})
    for _ in range(4):
        trace(AGENT, CHAT, TOOL)
    trace(_without(CHAT, "gen_ai.agent.name", "gen_ai.prompt.version"), _without(TOOL, "agentic.tool.version"))
    trace(AGENT, root=_without(TASK, "agentic.graph.version"))
    trace(TOOL, TOOL, root_arrives=False)
    trace(AGENT, root={"http.request.method": "POST"})
    served = {"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup"}
    spans.append(otlp.span("tools/call lookup", served, kind="server", ended_ago=AGE_S))
    return otlp.traces(spans, resource)


Check = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def check(stack) -> Check:
    def run(*arguments: str) -> dict[str, Any]:
        return dict(json.loads(stack.agentobs("telemetry", "check", "--json", *arguments).stdout))

    return run


@pytest.fixture(scope="module")
def careless(stack, check, eventually) -> dict[str, Any]:
    """The report about the careless program, once all of it can be read."""
    request = _careless()
    count = len(otlp.spans_of(request))
    answer = requests.post(
        f"{stack.url('otlp-http')}/v1/traces", data=request.SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"}, timeout=10,
    )  # fmt: skip
    assert answer.status_code == requests.codes.ok

    def is_all_there(report: dict[str, Any]) -> bool:
        kinds = {finding["kind"] for finding in report["findings"]}
        return report["spans"] == count and "exploding_label" in kinds

    report = eventually(lambda: check("-e", BAD, "--service", SERVICE), is_all_there)
    assert report["spans"] == count
    return dict(report)


def _told(report: dict[str, Any], kind: str, severity: str) -> set[tuple[str, str, int, int]]:
    return {
        (f["subject"], f["agent"], f["count"], f["of"])
        for f in report["findings"]
        if f["kind"] == kind and f["severity"] == severity
    }


@pytest.fixture(scope="module")
def good(stack, check, eventually) -> dict[str, Any]:
    truth = stack.demo("tool-regression", GOOD, tasks=30, rate=10)
    return dict(eventually(lambda: check("-e", GOOD), lambda report: report["traces"] >= truth["tasks"]["total"]))


def test_the_demo_lacks_nothing_that_is_required(good):
    assert good["traces"] >= 30
    assert {service["name"] for service in good["services"]} >= {"support-desk", "knowledge", "orders"}
    assert [f["what"] for f in good["findings"] if f["severity"] == "required"] == []
    ours = [f for f in good["findings"] if f["service"] != "(collector)"]
    assert [f["what"] for f in ours if f["severity"] == "problem"] == []


def test_every_missing_attribute_is_told_with_its_agent_and_share(careless):
    spans = careless["spans"]
    # The HTTP root is no span of ours and needs nothing; the others all lack the version of the program.
    assert _told(careless, "missing_attribute", "required") == {
        ("service.version", "", spans - 1, spans - 1),
        ("gen_ai.agent.name", "", 1, 1),
        ("gen_ai.prompt.version", "", 1, 1),
        ("agentic.tool.version", "planner", 1, 7),
        ("agentic.graph.version", "", 1, USERS + 6),
    }


def test_torn_traces_are_told_by_what_tore_them(careless):
    assert _told(careless, "orphaned_spans", "problem") == {("parent", "planner", 2, 17)}
    assert _told(careless, "detached_spans", "problem") == {("traceparent", "", 1, 1)}
    assert _told(careless, "no_task", "required") == {("agentic.span.role", "", 1, USERS + 6)}


def test_a_user_id_in_the_name_of_an_agent_is_told(careless):
    assert ("agent_name", "", USERS + 1, 0) in _told(careless, "exploding_label", "problem")
    (fix,) = {f["fix"] for f in careless["findings"] if f["kind"] == "exploding_label"}
    assert "agentic.task.id" in fix


def test_what_no_kpi_reads_is_told_with_the_library_that_made_it(stack, check, eventually):
    old = {**_without(CHAT, "gen_ai.agent.name"), "gen_ai.operation.name": "chit_chat"}
    spans = [otlp.span("chit_chat m", old, kind="client", ended_ago=AGE_S) for _ in range(3)]
    request = otlp.traces(spans, {"service.name": "old", "deployment.environment.name": "check-old"}, "litellm")
    answer = requests.post(
        f"{stack.url('otlp-http')}/v1/traces", data=request.SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"}, timeout=10,
    )  # fmt: skip
    assert answer.status_code == requests.codes.ok

    def is_all_there(report: dict[str, Any]) -> bool:
        return report["spans"] == len(spans) and any(service["unread"] for service in report["services"])

    report = eventually(lambda: check("-e", "check-old"), is_all_there)
    assert [(service["name"], service["unread"]) for service in report["services"]] == [("old", 3)]
    first = report["groups"][0]
    assert (first["kind"], first["count"], first["scopes"]) == ("unread_spans", 3, ["litellm"])
    assert first["example"] == "chit_chat m"
    assert stack.trace(first["trace_id"])[0].scope == "litellm"


def test_findings_lead_to_a_trace(stack, careless):
    for finding in careless["findings"]:
        if finding["kind"] in {"missing_attribute", "orphaned_spans", "detached_spans", "no_task"}:
            assert stack.trace(finding["trace_id"]), finding


@pytest.mark.usefixtures("careless", "good")
def test_strict_fails_on_what_is_required_only(stack):
    assert stack.agentobs("telemetry", "check", "-e", BAD, "--strict", ok=False).returncode == 1
    assert stack.agentobs("telemetry", "check", "-e", GOOD, "--strict").returncode == 0
    assert stack.agentobs("telemetry", "check", "-e", "nobody-sends", "--strict", ok=False).returncode == 2


@pytest.mark.usefixtures("good")
def test_a_person_reads_what_and_how_to_mend_it(stack, careless):
    bad = stack.agentobs("telemetry", "check", "-e", BAD, "--all").stdout
    assert f"{careless['spans']} spans" in bad
    assert f"Score {careless['score']} of 100" in bad
    assert bad.index("label agent_name has ids in its values") < bad.index("no agentic.tool.version")
    assert "OTEL_RESOURCE_ATTRIBUTES" in bad
    fine = stack.agentobs("telemetry", "check", "-e", GOOD).stdout
    assert "support-desk" in fine.split("all good: ")[1]
    assert "Score 100 of 100" in fine
    nothing = stack.agentobs("telemetry", "check", "-e", "nobody-sends-from-here")
    assert "No spans" in nothing.stderr


def test_a_store_that_is_down_is_named_with_the_fix(stack):
    failed = stack.agentobs("telemetry", "check", f"--{TRACES}", "http://127.0.0.1:9", ok=False)
    assert failed.returncode == 1
    assert f"no {TITLES[CHOSEN.traces]} answers at http://127.0.0.1:9" in failed.stderr
    assert f"--{TRACES}" in failed.stderr
    strict = stack.agentobs("telemetry", "check", "--strict", f"--{TRACES}", "http://127.0.0.1:9", ok=False)
    assert (strict.returncode, strict.stderr) == (2, failed.stderr)
