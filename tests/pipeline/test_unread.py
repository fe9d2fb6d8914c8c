"""Spans that promise a call and that no KPI reads are counted by service and scope; wrappers are not."""

import time
from collections import Counter

import pytest
from support import corpus, otlp
from support.capture import capturing
from support.profiles import collector_for
from support.prometheus import prometheus_at

from agentobs import contract
from collector import normalise, unread

SETTLE_S = 25
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "render_pdf"}
# (service, scope, kind, attributes, the label where it is unread)
UNREAD = (
    ("an operation nobody knows", "my.own.sdk", "client", {**CHAT, "gen_ai.operation.name": "chit_chat"}, "other"),
    ("its library is known", "litellm", "internal", {**CHAT, "gen_ai.operation.name": "chit_chat"}, "litellm"),
    ("no operation", "", "client", {"gen_ai.request.model": "m"}, "other"),
    ("tokens alone", "x", "client", {"gen_ai.usage.input_tokens": 9}, "other"),
    ("a tool without an operation", "smolagents", "internal", {"gen_ai.tool.name": "lookup"}, "smolagents"),
    ("a tool in unknown words", "x", "client", {**TOOL, "gen_ai.operation.name": "use_tool"}, "other"),
    (
        "an instrumentation", "openinference.instrumentation.new_thing", "internal",
        {"openinference.span.kind": "LLM", "gen_ai.operation.name": "reason"},
        "openinference.instrumentation.new_thing",
    ),
    ("a scope per run", "run-4711", "internal", {"gen_ai.request.model": "m"}, "other"),
)  # fmt: skip
NOT_UNREAD = (
    ("counted model", "x", "client", CHAT),
    ("counted tool", "x", "internal", TOOL),
    ("counted agent", "x", "internal", {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m"}),
    ("http", "opentelemetry.instrumentation.requests", "client", {"http.request.method": "GET"}),
    ("http of an agent", "x", "client", {"http.request.method": "GET", "gen_ai.agent.name": "planner"}),
    ("an inner span of one call", "x", "client", {**CHAT, "gen_ai.operation.name": contract.NESTED_CHAT}),
    ("embeddings", "x", "client", {**CHAT, "gen_ai.operation.name": "embeddings"}),
    ("an agent made", "x", "client", {**CHAT, "gen_ai.operation.name": "create_agent"}),
    ("a hand-off", "x", "internal", {**TOOL, "gen_ai.tool.name": "transfer_to_billing"}),
    ("a node", "openinference.instrumentation.langchain", "internal", {"openinference.span.kind": "CHAIN"}),
    ("a node named agent", "openinference.instrumentation.langchain", "internal", {"openinference.span.kind": "AGENT"}),
    ("a turn", "strands.telemetry.tracer", "internal", {"gen_ai.operation.name": "execute_event_loop_cycle"}),
    ("said twice", "gcp.vertex.agent", "internal", {**CHAT, "gen_ai.operation.name": "chat"}),
    ("a step", "gen_ai", "internal", {"gen_ai.operation.name": "agent_step", "gen_ai.agent.name": "a"}),
    ("a tool's server", "x", "server", TOOL),
    ("the protocol", "mcp-python-sdk", "client", {"mcp.method.name": "tools/call", "gen_ai.tool.name": "lookup"}),
)


def _sent(collector, spans):
    """Send (service, scope, kind, attributes), each below a parent: a root may become a task."""
    for service, scope, kind, attributes in spans:
        name = "call_llm" if service == "said twice" else "step"
        made = otlp.span(name, attributes, kind=kind, parent=b"12345678")
        assert collector.send(otlp.traces([made], {**otlp.SERVICE, "service.name": service}, scope)).ok


@pytest.fixture(scope="module")
def counting(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unread")
    with prometheus_at(folder / "prometheus") as prometheus, capturing() as store:
        collector = collector_for(folder / "collector", prometheus.url, store, "collector-0")
        try:
            collector.start()
            _sent(collector, [case[:4] for case in UNREAD])
            _sent(collector, NOT_UNREAD)
            yield prometheus, collector
        finally:
            collector.kill()


def _series(prometheus, enough):
    query = f"sum by (environment, service, scope) ({contract.UNREAD_SPANS.series})"
    deadline = time.monotonic() + SETTLE_S
    while True:
        found = {
            (row["metric"]["service"], row["metric"]["scope"]): float(row["value"][1])
            for row in prometheus.query(query)
        }
        if len(found) >= enough or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def test_unread_spans_are_counted_by_service_and_scope(counting):
    prometheus, _ = counting
    found = _series(prometheus, len(UNREAD))
    assert found == {(service, label): 1.0 for service, *_, label in UNREAD}


def test_what_is_unread_is_in_no_other_series(counting):
    prometheus, collector = counting
    _series(prometheus, len(UNREAD))
    deadline = time.monotonic() + SETTLE_S
    counted = Counter()
    while not counted["counted tool"] and time.monotonic() < deadline:
        rows = prometheus.query(f"{contract.SPAN_CALLS.series}")
        counted = Counter(row["metric"]["service"] for row in rows)
        time.sleep(0.5)
    assert set(counted) >= {"counted model", "counted tool", "counted agent"}
    assert not set(counted) & {"none", "", *(case[0] for case in UNREAD)}
    assert "failed to execute" not in collector.log


@pytest.mark.parametrize("case", UNREAD, ids=lambda case: case[0])
def test_whoever_holds_spans_says_the_same(case):
    _, scope, kind, attributes, label = case
    assert unread.is_unread(attributes, kind, scope)
    assert unread.scope_label(scope) == label


@pytest.mark.parametrize("case", [case for case in NOT_UNREAD if case[0] != "a hand-off"], ids=lambda case: case[0])
def test_whoever_holds_spans_says_the_same_of_others(case):
    _, scope, kind, attributes = case
    assert not unread.is_unread(attributes, kind, scope)


def test_the_series_and_the_rule_agree_on_real_telemetry(counting, through):
    prometheus, collector = counting
    normalising, capture = through({"transform/normalise": normalise.processor()})
    sent, truth = 0, Counter()
    for recording in corpus.recordings():
        made = [r for r in recording.now(service=recording.name) if hasattr(r, "resource_spans")]
        sent += corpus.post(normalising.url, made)
        corpus.post(collector.url, made)
    capture.wait(lambda c: len(c.spans), sent)
    for span in capture.spans:
        if unread.is_unread(span["attributes"], span["kind"], span["scope"]):
            truth[span["resource"]["service.name"], unread.scope_label(span["scope"])] += 1
    found = _series(prometheus, len(UNREAD) + len(truth))
    assert truth
    assert {key: found.get(key, 0) for key in truth} == truth
