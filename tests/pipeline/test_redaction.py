"""Redaction in a real collector: recall and false positives on the corpus, every place, and the content policies."""

import json
from collections import Counter
from pathlib import Path

import pytest
from support import otlp

from collector import redaction
from collector.redaction import PROD, ContentPolicy

CORPUS = Path(__file__).parents[1] / "corpus" / "redaction"
MAIL = "maria.garcia@example.com"
MASKED = "[redacted:email]"


@pytest.fixture(scope="module")
def redacting(through):
    return through(redaction.trace_processors())


@pytest.fixture(scope="module")
def redacting_logs(through):
    return through(redaction.log_processors())


def lines(name):
    return [json.loads(text) for text in (CORPUS / f"{name}.jsonl").read_text().splitlines()]


def traced(redacting, name):
    """What became of every corpus text as a span attribute, in the order of the corpus."""
    collector, capture = redacting
    corpus = lines(name)
    spans = [otlp.span(f"{name} row {row}", {"text": item["text"]}) for row, item in enumerate(corpus)]
    assert collector.send(otlp.traces(spans)).ok
    capture.wait(lambda c: sum(s["name"].startswith(f"{name} row") for s in c.spans), len(corpus))
    texts = {span["name"]: span["attributes"]["text"] for span in capture.spans}
    return [(item, texts[f"{name} row {row}"]) for row, item in enumerate(corpus)]


def gone(hidden, text):
    """Masked, and no recognisable part of it is left over."""
    size = max(5, len(hidden) // 4)
    parts = (hidden[start : start + size] for start in range(max(1, len(hidden) - size + 1)))
    return "[redacted:" in text and not any(part in text for part in parts)


def shares(rows, good):
    """Share of good rows: of all, of the held-out third, and per class; printed for the reader of the run."""
    total, right = Counter(), Counter()
    for item, text in rows:
        for group in ("all", "held out" if item["held_out"] else "open", item["class"]):
            total[group] += 1
            right[group] += good(item, text)
    for group, count in total.items():
        print(f"{group:20} {right[group]:4} of {count:4}  {right[group] / count:.2%}")  # noqa: T201 the figures of the corpus
    return {group: right[group] / count for group, count in total.items()}


@pytest.mark.parametrize(("name", "wanted", "least"), [("secrets", 0.99, 250), ("personal", 0.95, 250)])
def test_recall(redacting, name, wanted, least):
    rows = traced(redacting, name)
    assert len(rows) >= least
    found = shares(rows, lambda item, text: gone(item["hidden"], text))
    assert found["all"] >= wanted
    assert found["held out"] >= wanted


def test_false_positives(redacting):
    rows = traced(redacting, "clean")
    assert len(rows) >= 400
    left_alone = shares(rows, lambda item, text: text == item["text"])
    assert left_alone["all"] >= 0.99
    assert left_alone["held out"] >= 0.99


@pytest.mark.parametrize("name", ["secrets", "personal"])
def test_json_stays_json(redacting, name):
    def parses(text):
        try:
            return isinstance(json.loads(text), list | dict)
        except ValueError:
            return False

    broken = [item["text"] for item, text in traced(redacting, name) if parses(item["text"]) and not parses(text)]
    assert broken == []


def test_every_place_of_a_span(redacting):
    collector, capture = redacting
    attributes = {
        "text": f"to {MAIL}",
        "list": [f"<{MAIL}>", "plain"],
        "map": {"deep": {"to": [MAIL], "password": "Synth-1234"}},
        "json": json.dumps({"args": json.dumps({"to": MAIL, "api_key": "Synth-1234"})}),
        "http.request.header.authorization": ["Bearer Synth1234Synth"],
        "password": "short1",
        "gen_ai.usage.input_tokens": 1234,
        "gen_ai.response.finish_reasons": ["stop"],
        "ratio": 0.5,
        "flag": True,
    }
    sent = otlp.span(f"places {MAIL}", attributes, status="error", message=MAIL, events=[(f"e {MAIL}", {"m": MAIL})])
    assert collector.send(otlp.traces([sent], {"service.name": "places", "owner": MAIL})).ok
    capture.wait(lambda c: sum(s["name"].startswith("places") for s in c.spans), 1)
    span = capture.span(f"places {MASKED}")
    assert span["message"] == MASKED
    assert span["resource"] == {"service.name": "places", "owner": MASKED}
    assert span["events"] == [{"name": f"e {MASKED}", "attributes": {"m": MASKED}}]
    assert span["attributes"] == {
        **attributes,
        "text": f"to {MASKED}",
        "list": [f"<{MASKED}>", "plain"],
        "map": {"deep": {"to": [MASKED], "password": "[redacted:secret]"}},
        "json": json.dumps({"args": json.dumps({"to": MASKED, "api_key": "[redacted:secret]"})}),
        "http.request.header.authorization": ["[redacted:secret]"],
        "password": "[redacted:secret]",
    }
    assert type(span["attributes"]["gen_ai.usage.input_tokens"]) is int


def test_a_span_without_anything_to_hide_is_not_touched(redacting):
    collector, capture = redacting
    attributes = {"text": "a", "number": 2**53 + 1, "ratio": 0.5, "list": ["x", 1], "map": {"k": 1}, "bytes": b"\0\1"}
    assert collector.send(otlp.traces([otlp.span("clean span", attributes)])).ok
    capture.wait(lambda c: sum(s["name"] == "clean span" for s in c.spans), 1)
    assert capture.span("clean span")["attributes"] == attributes


def test_every_place_of_a_log_record(redacting_logs):
    collector, capture = redacting_logs
    nested = {"to": [MAIL], "note": f"for {MAIL}", "password": "Synth-1234", "count": 3}
    sent = [
        otlp.record("string", {"a": MAIL, "n": 5}, body=f"mail {MAIL}"),
        otlp.record("map", body=nested),
        otlp.record("list", body=[nested, MAIL]),
        otlp.record("clean", {"n": 5}, body={"count": 3}),
    ]
    assert collector.send(otlp.logs(sent)).ok
    capture.wait(lambda c: len(c.records), 4)
    found = {record["event"]: record for record in capture.records}
    masked = {"to": [MASKED], "note": f"for {MASKED}", "password": "[redacted:secret]", "count": 3}
    assert found["string"]["attributes"] == {"a": MASKED, "n": 5}
    assert {event: record["body"] for event, record in found.items()} == {
        "string": f"mail {MASKED}",
        "map": masked,
        "list": [masked, MASKED],
        "clean": {"count": 3},
    }


CONTENT = {
    "gen_ai.input.messages": "x",
    "gen_ai.output.messages": "x",
    "gen_ai.system_instructions": "x",
    "gen_ai.tool.definitions": "x",
    "gen_ai.tool.call.arguments": "x",
    "gen_ai.tool.call.result": "x",
    "gen_ai.prompt.0.content": "x",
    "gen_ai.completion.12.role": "x",
    "input.value": "x",
    "output.value": "x",
    "llm.input_messages.0.message.content": "x",
    "llm.output_messages.0.message.content": "x",
    "traceloop.entity.input": "x",
    "traceloop.entity.output": "x",
    "langfuse.observation.input": "x",
    "langfuse.observation.output": "x",
}
KEPT = {
    "gen_ai.prompt.name": "p",
    "gen_ai.prompt.version": "7",
    "gen_ai.usage.input_tokens": 3,
    "exception.message": "e",
}


def test_dropped_content_leaves_names_and_numbers(through):
    config = redaction.content_processor(ContentPolicy.DROP)
    assert config is not None
    collector, capture = through({"transform/content": config})
    both = {**CONTENT, **KEPT}
    assert collector.send(otlp.traces([otlp.span("s", both, events=[("e", both)])])).ok
    assert collector.send(otlp.logs([otlp.record("e", both)])).ok
    capture.wait(lambda c: len(c.spans) + len(c.records), 2)
    span = capture.span("s")
    assert span["attributes"] == span["events"][0]["attributes"] == capture.records[0]["attributes"] == KEPT


def test_policies_of_the_environments():
    assert redaction.content_processor(ContentPolicy.KEEP) is None
    assert (PROD.traces, PROD.logs, PROD.langfuse) == (ContentPolicy.DROP, ContentPolicy.DROP, ContentPolicy.KEEP)
