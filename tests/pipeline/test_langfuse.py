"""The Langfuse branch on a real collector, judged by what Langfuse makes of the captured spans.

A case of `MENDED` must also come out wrong without the branch: what it protects is then real.
"""

import os
from datetime import datetime
from typing import Any

import pytest
import requests
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support import langfuse_model, otlp
from support.capture import capturing
from support.langfuse_cases import AGENT, BAGGAGE, CHAT, KEPT, MENDED, PAIRS, TALK, TOOL, USED, Case
from support.langfuse_model import PoisonError
from support.otelcol import Collector, transforming
from support.ports import free_ports

from collector import langfuse, normalise
from collector.tiers import Token


@pytest.fixture(scope="module")
def captured(through):
    """All cases in one request through the branch: their spans as Langfuse gets them."""
    collector, capture = through(langfuse.processors())
    request = ExportTraceServiceRequest()
    for case in (*MENDED, *KEPT):
        span = otlp.span(case.id, case.attributes, **case.options)
        request.MergeFrom(otlp.traces([span], {**otlp.SERVICE, **case.resource}))
    assert collector.send(request).ok
    capture.wait(lambda c: len(c.spans), len(MENDED) + len(KEPT))
    assert "failed to execute" not in collector.log
    return {span["name"]: span for span in capture.spans}


def matches(row: dict[str, Any], want: dict[str, Any]) -> bool:
    def same(key: str, value: Any) -> bool:
        if key == "metadata":
            return value.items() <= row[key].items()
        return bool(row[key]) if value is True else row[key] == value

    return all(same(key, value) for key, value in want.items())


def untouched(case: Case) -> dict[str, Any]:
    span = otlp.span(case.id, case.attributes, **case.options)
    (found,) = otlp.spans_of(otlp.traces([span], {**otlp.SERVICE, **case.resource}))
    return found


@pytest.mark.parametrize("case", [*MENDED, *KEPT], ids=lambda case: case.id)
def test_langfuse_shows(captured, case) -> None:
    row = langfuse_model.observe(captured[case.id])
    assert matches(row, case.want), {key: row[key] for key in case.want}


@pytest.mark.parametrize("case", MENDED, ids=lambda case: case.id)
def test_without_the_branch_langfuse_would_not_show(case) -> None:
    try:
        row = langfuse_model.observe(untouched(case))
    except PoisonError:
        return
    assert not matches(row, case.want), "the case protects nothing"


def test_no_rival_key_is_left_on_any_span(captured) -> None:
    rivals = {key for pair in PAIRS for key in pair} | {"model"}
    for span in captured.values():
        keys = span["attributes"].keys()
        assert not rivals & keys, span["name"]
        assert not [k for k in keys if k.startswith("gen_ai.usage.cost.") or "cache_write" in k], span["name"]
        assert [] not in span["attributes"].values(), span["name"]


def test_only_what_belongs_to_spans_comes_down_from_a_resource(captured) -> None:
    span = captured["session, user and tags of the resource reach the span"]
    assert not {"service.name", "deployment.environment.name"} & span["attributes"].keys()
    given = {*otlp.SERVICE, "session.id", "user.id", "langfuse.trace.tags", "langfuse.trace.name"}
    assert span["resource"].keys() == given | {"langfuse.environment"}


def test_infrastructure_and_broken_spans_stay_away_and_the_rest_of_the_request_arrives(through) -> None:
    collector, capture = through(langfuse.processors())
    broken = otlp.span("no id", TALK)
    broken.span_id = b""
    traceless = otlp.span("no trace", TALK)
    traceless.trace_id = bytes(16)
    nullish = otlp.span("null value", TALK)
    nullish.attributes.add().key = "nothing"
    sent = [
        otlp.span("GET /", {"http.request.method": "GET", **BAGGAGE}, kind="server"),
        otlp.span("SELECT", {"db.system.name": "postgresql", **BAGGAGE}, kind="client"),
        otlp.span("http send", {"asgi.event.type": "http.response.start"}),
        otlp.span("own step", BAGGAGE),
        broken,
        traceless,
        nullish,
        otlp.span("talk", TALK),
    ]
    assert collector.send(otlp.traces(sent)).ok
    capture.wait(lambda c: len(c.spans), 3)
    assert {span["name"] for span in capture.spans} == {"own step", "null value", "talk"}
    (raw,) = [ExportTraceServiceRequest.FromString(request.body) for request in capture.requests]
    values = [a for r in raw.resource_spans for s in r.scope_spans for span in s.spans for a in span.attributes]
    assert all(attribute.HasField("value") for attribute in values), "a missing value makes Langfuse lose the file"


def test_a_status_in_words_and_a_null_value_from_a_json_client_are_understood(through) -> None:
    collector, capture = through(langfuse.processors())
    span = {
        "traceId": os.urandom(16).hex(),
        "spanId": os.urandom(8).hex(),
        "parentSpanId": "0" * 16,
        "name": "json",
        "status": {"code": "STATUS_CODE_ERROR"},
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "nothing", "value": None},
        ],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert requests.post(f"{collector.url}/v1/traces", json=body, timeout=30).ok
    capture.wait(lambda c: len(c.spans), 1)
    row = langfuse_model.observe(capture.span("json"))
    assert (row["level"], row["root"]) == ("ERROR", True)


def test_one_mcp_call_is_one_tool(through) -> None:
    """The five spans of one call: the agent's, FastMCP's and the SDK's on both sides."""
    collector, capture = through(langfuse.processors())
    call = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "search"}
    sdk = otlp.traces(
        [
            otlp.span("execute_tool search", TOOL),
            otlp.span("MCP send tools/call search", call, kind="client"),
            otlp.span("tools/call search", {**TOOL, **call}, kind="server"),
        ]
    )
    sdk.MergeFrom(otlp.traces([otlp.span("fastmcp client", {**TOOL, **call}, kind="client")], scope="fastmcp"))
    sdk.MergeFrom(otlp.traces([otlp.span("fastmcp server", call)], scope="fastmcp"))
    assert collector.send(sdk).ok
    capture.wait(lambda c: len(c.spans), 5)
    rows = [langfuse_model.observe(span) for span in capture.spans]
    assert sorted(row["type"] for row in rows) == ["SPAN", "SPAN", "SPAN", "SPAN", "TOOL"]
    assert [row["name"] for row in rows if row["type"] == "TOOL"] == ["search"]


def test_a_trace_keeps_its_sums_its_root_and_its_session(through) -> None:
    """An HTTP span on top, a plan and an agent that repeat their model call's usage, one tool."""
    collector, capture = through(langfuse.processors())
    cost = {"agentic.cost.usd": 0.0045}
    http, task, agent, plan = (os.urandom(8) for _ in range(4))
    trace = os.urandom(16)

    def span(name: str, attributes: dict[str, Any], **options: Any) -> Message:
        return otlp.span(name, {**BAGGAGE, **attributes}, trace_id=trace, **options)

    spans = [
        span("POST /v1/tasks", {}, kind="server", span_id=http),
        span(
            "invoke_workflow support",
            {"gen_ai.operation.name": "invoke_workflow", "agentic.span.role": "task", **USED},
            span_id=task,
            parent=http,
        ),
        span("invoke_agent planner", {**AGENT, **USED, **cost}, span_id=agent, parent=task),
        span("plan planner", {**CHAT, **USED, "gen_ai.operation.name": "plan"}, span_id=plan, parent=agent),
        span("chat gpt-4o", {**TALK, **USED, **cost}, parent=plan, kind="client"),
        span("execute_tool search", TOOL, parent=agent),
    ]
    assert collector.send(otlp.traces(spans)).ok
    capture.wait(lambda c: len(c.spans), 5)
    rows = [langfuse_model.observe(found) for found in capture.spans]
    assert sum(row["usage"].get("total", 0) for row in rows) == 1200
    assert sum(row["cost"] or 0 for row in rows) == pytest.approx(0.0045)
    assert [row["name"] for row in rows if row["root"]] == ["invoke_workflow support"]
    root = capture.span("invoke_workflow support")["attributes"]
    assert root["langfuse.internal.is_app_root"] is True
    assert root["langfuse.trace.name"] == "invoke_workflow support"
    assert {row["session"] for row in rows} == {"c-1"}
    assert all("prompt_version" in row["metadata"] for row in rows)
    ids = {found["id"] for found in capture.spans}
    assert all(found["parent"] in ids or not found["parent"] for found in capture.spans)


def test_the_exporter_sends_the_version_and_the_key_from_its_file(tmp_path) -> None:
    http_port, health_port = free_ports(2)
    with capturing() as capture:
        config = transforming(langfuse.processors(), capture.url, http_port, health_port)
        keys = tmp_path / "keys"
        keys.write_text("c3ludGhldGljOmtleQ==\n")
        config["exporters"] = {"otlp_http/langfuse": langfuse.exporter(f"{capture.url}/")}
        config["extensions"] |= langfuse.keys(Token(file=str(keys)))
        config["service"]["extensions"] = [*config["extensions"]]
        config["service"]["pipelines"] = {
            "traces": {**config["service"]["pipelines"]["traces"], "exporters": ["otlp_http/langfuse"]}
        }
        collector = Collector(config, tmp_path, http_port, health_port)
        try:
            collector.start()
            assert collector.send(otlp.traces([otlp.span("talk", TALK)])).ok
            capture.wait(lambda c: len(c.requests), 1)
        finally:
            collector.kill()
    (request,) = capture.requests
    assert request.path == "/api/public/otel/v1/traces"
    assert request.headers["Authorization"] == "Basic c3ludGhldGljOmtleQ=="
    assert request.headers["X-Langfuse-Ingestion-Version"] == "4"


def test_across_the_internet_it_is_compressed() -> None:
    assert langfuse.exporter("https://langfuse.example.com")["compression"] == "gzip"


@pytest.mark.parametrize(
    "url", ["langfuse:3000", "ftp://langfuse", "https://langfuse/api/public/otel", "https://pk:sk@langfuse"]
)
def test_an_address_that_is_none_is_refused_with_the_fix(url) -> None:
    with pytest.raises(ValueError, match="expected http") as refused:
        langfuse.exporter(url)
    assert url not in str(refused.value), "an address may hold a key"


def test_the_first_chunk_came_when_the_model_said(captured) -> None:
    span = captured["the first chunk's time is kept"]
    told = datetime.fromisoformat(span["attributes"]["langfuse.observation.completion_start_time"])
    assert told.timestamp() == pytest.approx(span["start"] / 1e9 + 0.25, abs=0.002)


def test_what_the_normaliser_leaves_of_other_vocabularies_is_mapped_too(through) -> None:
    collector, capture = through({"transform/normalise": normalise.processor(), **langfuse.processors()})
    written = {"gen_ai.usage.cache_creation.input_tokens": 300, "gen_ai.usage.prompt_tokens": 1000}
    openinference = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 1000,
        "llm.token_count.completion": 200,
        "llm.token_count.total": 1200,
        "input.value": "hi",
        "output.value": "ho",
        **BAGGAGE,
    }
    traceloop = {
        "gen_ai.system": "openai",
        "llm.request.type": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "hi",
        "gen_ai.completion.0.content": "ho",
        "llm.usage.total_tokens": 7,
        "gen_ai.usage.completion_tokens": 200,
        **written,
        **BAGGAGE,
    }
    own = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt-4o",
        "langfuse.observation.usage_details": '{"input":600,"input_cached_tokens":400,"output":200}',
        "langfuse.observation.input": '"hi"',
        "langfuse.observation.output": '"ho"',
    }
    call = {"mcp.method.name": "tools/call"}
    sent = otlp.traces([otlp.span("openinference", openinference, kind="client")])
    scope = "opentelemetry.instrumentation.openai.v1"
    sent.MergeFrom(otlp.traces([otlp.span("traceloop", traceloop, kind="client")], scope=scope))
    sent.MergeFrom(otlp.traces([otlp.span("own", own)], scope="langfuse-sdk"))
    mcp = otlp.span("MCP send tools/call search", call, kind="client", parent=b"toolspan")
    sent.MergeFrom(otlp.traces([mcp], scope="mcp-python-sdk"))
    assert collector.send(sent).ok
    capture.wait(lambda c: len(c.spans), 4)
    rows = {span["name"]: langfuse_model.observe(span) for span in capture.spans}
    assert (rows["openinference"]["input"], rows["openinference"]["output"]) == ("hi", "ho")
    assert rows["openinference"]["usage"] == {"input": 1000, "output": 200, "total": 1200}
    assert rows["openinference"]["prompt"] == ("planner", 3)
    assert rows["traceloop"]["input"] == {".0.role": "user", ".0.content": "hi"}
    assert rows["traceloop"]["usage"] == {"input": 700, "input_cache_creation": 300, "output": 200, "total": 1200}
    assert rows["own"]["usage"] == {"input": 600, "input_cached_tokens": 400, "output": 200, "total": 1200}
    assert {rows[name]["type"] for name in ("openinference", "traceloop", "own")} == {"GENERATION"}
    protocol = rows["MCP send tools/call search"]
    assert (protocol["type"], protocol["name"]) == ("SPAN", "MCP send tools/call search")
    assert protocol["metadata"]["tool_name"] == "search"
