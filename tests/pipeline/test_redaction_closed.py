"""Redaction fails closed: whatever a sender makes of keys, types and numbers, the original does not come out."""

import json
import math

import pytest
from support import otlp

from agentobs.contract import Attr
from collector import redaction
from collector.redaction import PROD, ContentPolicy

MAIL = "maria.garcia@example.com"
KEY = "sk-ant-api03-" + "Zx9" * 20
PASSWORD = "Synthabc123"  # noqa: S105 invented
SECRETS = (MAIL, PASSWORD, KEY, "maria", "Synth0123456789ab")
MASKED = "****"
NESTED = {"to": MAIL, "password": PASSWORD}
NUMBERS = (math.nan, math.inf, -math.inf)
# Each with what makes it hard: numbers that JSON has not, keys that JSON escapes, and depth.
ATTRIBUTES = {
    **{f"{number} beside a map": {"m": NESTED, "score": number} for number in NUMBERS},
    **{f"{number} beside a secret": {"password": PASSWORD, "score": number} for number in NUMBERS},
    **{f"{number} in a map": {"m": {**NESTED, "score": number}} for number in NUMBERS},
    **{f"{number} in a list": {"m": [MAIL, number]} for number in NUMBERS},
    **{f"key with {sign!r}": {f"R{sign}D": {"to": MAIL}} for sign in "&\"\\<>\n\u2028'\0\x1a\x1c\x1d"},
    "deep": {"m": {"a": [{"b": {"c": [f"x {MAIL}"]}}]}},
    "query in a map": {"m": {"url": "https://x.example/v1?a=1&api_key=Synth0123456789ab"}},
    "query in every element of a list": {"m": ["https://x.example/v1?a=1&api_key=Synth0123456789ab"] * 3},
    "query in a text": {"m": "https://x.example/v1?a=1&api_key=Synth0123456789ab"},
    "mail address as a key": {MAIL: "x"},
    "token as a key": {KEY: "x"},
    "mail address as a key of a map": {"m": {MAIL: "x"}},
    "scratch of the processors": {"agentobs.redact.name": MAIL, "agentobs.redact.body": MAIL},
    "summary of the processor": {"redaction.masked.keys": MAIL, "redaction.redacted.keys": [MAIL]},
    "marks of the processors": {"a": f"\x1a{MAIL}\x1d", "b": f"\x1cpassword={PASSWORD}\x1d"},
    "secret of another type": {"password": 123456, "api_key": [PASSWORD], "client_secret": PASSWORD.encode()},
    "many keys": {f"k{number}": MAIL for number in range(300)},
    "long text": {"m": "word " * 20_000 + MAIL},
}


@pytest.fixture(scope="module", params=ContentPolicy)
def redacting(request, through):
    return through(redaction.chain(request.param))


@pytest.fixture(scope="module", params=ContentPolicy)
def redacting_lines(request, through):
    return through(redaction.chain(request.param, lines=True))


@pytest.fixture(scope="module")
def dropping_lines(through):
    return through(redaction.chain(ContentPolicy.DROP, lines=True))


@pytest.fixture(scope="module")
def dropping(through):
    return through(redaction.chain(ContentPolicy.DROP))


def texts(value):
    """Every text in a value at any depth, keys too."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value if isinstance(value, str) else repr(value)]


def assert_closed(found):
    left = [text for text in texts(found) if any(secret in text for secret in SECRETS)]
    assert left == []


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_nothing_of_a_span_comes_out(redacting, name):
    collector, capture = redacting
    attributes = ATTRIBUTES[name]
    sent = otlp.span(f"{name} {MAIL}", attributes, events=[(f"event of {MAIL}", attributes)])
    beside = otlp.span(f"beside {name}", {Attr.AGENT_NAME: "planner"})
    before = len(capture.spans)
    assert collector.send(otlp.traces([sent, beside], {"service.name": "closed", **attributes}, scope=KEY)).ok
    capture.wait(lambda c: len(c.spans), before + 2)
    span, neighbour = capture.spans[before:]
    assert_closed([span, neighbour])
    assert neighbour["attributes"] == {Attr.AGENT_NAME: "planner"}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_nothing_of_a_log_record_comes_out(redacting_lines, name):
    collector, capture = redacting_lines
    attributes = ATTRIBUTES[name]
    sent = [
        otlp.record(MAIL, attributes, body=attributes),
        otlp.record("", attributes, body=attributes),
        otlp.record("", attributes, body=[attributes, MAIL]),
        otlp.record("", attributes, body=json.dumps(attributes, default=bytes.decode)),
    ]
    for each in sent:
        each.severity_text = MAIL
    before = len(capture.records)
    assert collector.send(otlp.logs(sent, {"service.name": "closed", **attributes})).ok
    capture.wait(lambda c: len(c.records), before + len(sent))
    records = capture.records[before:]
    assert_closed(records)
    assert {record["severity"] for record in records} == {MASKED}


@pytest.mark.parametrize("value", [MAIL.encode(), b"\xff" * 40, b"abc"])
def test_bytes_are_masked(redacting, value):
    collector, capture = redacting
    name = f"{len(value)} bytes"
    assert collector.send(otlp.traces([otlp.span(name, {Attr.AGENT_NAME: value, "b": value})])).ok
    capture.wait(lambda c: sum(s["name"] == name for s in c.spans), 1)
    assert capture.span(name)["attributes"].pop(Attr.AGENT_NAME) == MASKED
    assert set(capture.span(name)["attributes"].values()) == {MASKED}


CONTENT = "patient has cancer"
KEPT = {
    "agentic.tenant": "team-a",
    "gen_ai.operation.name": "chat",
    "gen_ai.agent.name": "planner",
    "gen_ai.prompt.name": "p",
    "gen_ai.prompt.version": "7",
    "gen_ai.usage.input_tokens": 3,
    "agentic.cost.usd": 0.4666666666666667,
    "agentic.fallback": True,
    "gen_ai.response.finish_reasons": ["stop", "tool_calls"],
    "error.type": "TimeoutError",
    "error_class": "timeout",
    "event_name": "gen_ai.evaluation.result",
    "exception.type": "TimeoutError",
    "openinference.span.kind": "LLM",
    "ai.operationId": "ai.generateText.doGenerate",
}
# What instrumentations of the last years call prompts, answers, arguments and results; and what nobody knows yet.
DROPPED = (
    "ai.prompt.messages", "ai.prompt", "ai.response.text", "ai.response.object", "ai.toolCall.args",
    "ai.toolCall.result", "ai.prompt.tools", "gen_ai.prompt", "gen_ai.completion", "gen_ai.prompt.0.content",
    "gen_ai.completion.12.role", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
    "gen_ai.tool.definitions", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.message",
    "gen_ai.evaluation.explanation", "tool.parameters", "tool.description", "input.value", "output.value", "input",
    "output", "metadata", "llm.input_messages.0.message.content", "llm.output_messages.0.message.content",
    "llm.prompts", "llm.invocation_parameters", "llm.prompt_template.variables", "retrieval.documents.0.document.id",
    "embedding.embeddings.0.embedding.text", "traceloop.entity.input", "traceloop.entity.output",
    "langfuse.observation.input", "langfuse.observation.output", "langfuse.observation.metadata.k",
    "langfuse.trace.input", "gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args", "all_messages_events",
    "events", "tool_arguments", "tool_response", "logfire.msg", "haystack.component.output", "db.query.text",
    "exception.message", "exception.stacktrace", "url.full",
    "http.request.body", "spring.ai.chat.client.input", "mcp.note", "of.tomorrow",
)  # fmt: skip


def test_content_is_all_that_is_not_on_the_list(dropping):
    collector, capture = dropping
    both = {**dict.fromkeys(DROPPED, CONTENT), **KEPT}
    before = len(capture.records)
    assert collector.send(otlp.traces([otlp.span("s", both, events=[("e", both)])], {"service.name": "x", **both})).ok
    assert collector.send(otlp.logs([otlp.record("e", both)])).ok
    capture.wait(lambda c: sum(s["name"] == "s" for s in c.spans) + len(c.records) - before, 2)
    span, record = capture.span("s"), capture.records[before]
    assert CONTENT not in str([span, record])
    assert span["attributes"] == record["attributes"] == KEPT
    listed = {key: value for key, value in KEPT.items() if key != "gen_ai.response.finish_reasons"}
    assert span["events"][0]["attributes"] == listed
    assert span["resource"] == {"service.name": "x", **listed}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("TimeoutError", "TimeoutError"),
        ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
        (f"openai.RateLimitError: {CONTENT}\n{CONTENT}", "openai.RateLimitError"),
        (f"ValueError({CONTENT!r})", "ValueError"),
        (CONTENT, ""),
        (f"{CONTENT}: {CONTENT}", ""),
        (f": {CONTENT}", ""),
        (f"\n{CONTENT}", ""),
        ("x" * 200, ""),
        (f"{'x' * 200}: y", ""),
    ],
)
def test_a_failure_tells_its_class_and_nothing_of_what_it_failed_on(dropping, said, left):
    collector, capture = dropping
    before = sum(s["name"] == "failed" for s in capture.spans)
    assert collector.send(otlp.traces([otlp.span("failed", status="error", message=said)])).ok
    capture.wait(lambda c: sum(s["name"] == "failed" for s in c.spans), before + 1)
    assert [s for s in capture.spans if s["name"] == "failed"][before]["message"] == left


def test_what_is_no_number_does_not_hide_under_the_name_of_one(dropping):
    collector, capture = dropping
    wrong = [CONTENT, {"a": CONTENT}, [CONTENT], CONTENT.encode(), "x" * 200, " ".join(CONTENT)]
    sent = [otlp.span(f"number {n}", {"gen_ai.usage.input_tokens": value}) for n, value in enumerate(wrong)]
    sent += [
        otlp.span(f"list {n}", {"gen_ai.response.finish_reasons": value})
        for n, value in enumerate([CONTENT, [CONTENT], [{"a": CONTENT}], ["x" * 200], {"stop": CONTENT}, [math.nan]])
    ]
    assert collector.send(otlp.traces(sent)).ok
    capture.wait(lambda c: sum(s["name"].startswith(("number", "list")) for s in c.spans), len(sent))
    found = [s["attributes"] for s in capture.spans if s["name"].startswith(("number", "list"))]
    assert {str(value) for attributes in found for value in attributes.values()} <= {MASKED, "['NaN']"}


@pytest.mark.parametrize("body", [CONTENT, {"content": CONTENT}, [{"content": CONTENT}], CONTENT.encode(), 7])
def test_events_keep_no_body_where_no_content_may_stay(dropping_lines, body):
    """Whether the name stands where it belongs or in an attribute, as older instrumentations have it."""
    collector, capture = dropping_lines
    sent = [
        otlp.record("gen_ai.user.message", body=body),
        otlp.record("", {"event.name": "gen_ai.user.message"}, body=body),
    ]
    before = len(capture.records)
    assert collector.send(otlp.logs(sent)).ok
    capture.wait(lambda c: len(c.records), before + len(sent))
    assert [record["body"] for record in capture.records[before:]] == ["", ""]


def test_a_line_stays_as_text_and_masked_where_no_content_may_stay(dropping_lines):
    collector, capture = dropping_lines
    before = len(capture.records)
    sent = [otlp.record("", body=f"login of {MAIL} failed"), otlp.record("", body={"content": CONTENT})]
    assert collector.send(otlp.logs(sent)).ok
    capture.wait(lambda c: len(c.records), before + len(sent))
    assert [record["body"] for record in capture.records[before:]] == [f"login of {MASKED} failed", ""]


def test_policies_of_the_environments():
    assert (PROD.traces, PROD.logs, PROD.langfuse) == (ContentPolicy.DROP, ContentPolicy.DROP, ContentPolicy.KEEP)
    kept, dropped = (redaction.chain(policy) for policy in ContentPolicy)
    assert set(redaction.chain(ContentPolicy.KEEP, lines=True)) == {*kept} - {"redaction/bytes"}
    assert {*dropped} - {*kept} == {"transform/redact_contract", "redaction/contract", "redaction/numbers"}
