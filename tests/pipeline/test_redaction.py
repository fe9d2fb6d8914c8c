"""Redaction in a real collector: recall and false alarms on the corpus, and every place. Bad input: `closed`."""

import json
from collections import Counter
from pathlib import Path

import pytest
from support import otlp

from collector import redaction
from collector.redaction import ContentPolicy

CORPUS = Path(__file__).parents[1] / "corpus" / "redaction"
MAIL = "maria.garcia@example.com"
MASKED = "****"


@pytest.fixture(scope="module")
def redacting(through):
    return through(redaction.chain(ContentPolicy.KEEP))


@pytest.fixture(scope="module")
def redacting_logs(through):
    return through(redaction.chain(ContentPolicy.KEEP, lines=True))


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
    return MASKED in text and not any(part in text for part in parts)


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
        "session_id": "s-1234-5678",
        "gen_ai.usage.input_tokens": 1234,
        "gen_ai.response.finish_reasons": ["stop"],
        "ratio": 0.5,
        "similarity": 0.4666666666666667,
        "flag": True,
        "empty": "",
    }
    sent = otlp.span(f"places {MAIL}", attributes, status="error", message=MAIL, events=[(f"e {MAIL}", {"m": MAIL})])
    sent.trace_state = f"vendor={MAIL}"
    assert collector.send(otlp.traces([sent], {"service.name": "places", "owner": MAIL}, scope=f"scope of {MAIL}")).ok
    capture.wait(lambda c: sum(s["name"].startswith("places") for s in c.spans), 1)
    span = capture.span(f"places {MASKED}")
    assert span["message"] == MASKED
    assert span["scope"] == f"scope of {MASKED}"
    assert span["state"] == f"vendor={MASKED}"
    assert span["resource"] == {"service.name": "places", "owner": MASKED}
    assert span["events"] == [{"name": f"e {MASKED}", "attributes": {"m": MASKED}}]
    assert span["attributes"] == {
        **attributes,
        "text": f"to {MASKED}",
        "list": f'["<{MASKED}>","plain"]',
        "map": f'{{"deep":{{"p{MASKED}","to":["{MASKED}"]}}}}',
        "json": json.dumps({"args": json.dumps({"to": MASKED, "api_key": MASKED})}),
        "http.request.header.authorization": MASKED,
        "password": MASKED,
    }
    assert type(span["attributes"]["gen_ai.usage.input_tokens"]) is int


def test_a_span_without_anything_to_hide_is_not_touched(redacting):
    collector, capture = redacting
    attributes = {
        "text": "a", "number": 2**53 + 1, "ratio": 0.5, "list": ["x", 1], "map": {"k": 1}, "": "",
        "id": "0af7651916cd43dd8448eb211c80319c", "word": "abcd", "small": 1e-7, "infinite": float("-inf"), "no": False,
        "time_to_first_token": 0.25, "gen_ai.usage.details.max_tokens": 7,
    }  # fmt: skip
    sent = otlp.span("clean span", attributes, events=[("clean event", attributes)])
    assert collector.send(otlp.traces([sent], {"service.name": "clean", **attributes}, scope="")).ok
    capture.wait(lambda c: sum(s["name"] == "clean span" for s in c.spans), 1)
    span = capture.span("clean span")
    assert span["attributes"] == attributes
    assert span["events"] == [{"name": "clean event", "attributes": attributes}]
    assert span["resource"] == {"service.name": "clean", **attributes}
    assert (span["scope"], span["message"]) == ("", "")


def test_every_place_of_a_log_record(redacting_logs):
    collector, capture = redacting_logs
    cards = ["4111 1111 1111 1111", "card 4111111111111111"]
    nested = {"to": [MAIL], "note": f"for {MAIL}", "password": "Synth-1234", "count": 3, "cards": cards}
    sent = [
        otlp.record("string", {"a": MAIL, "n": 5}, body=f"mail {MAIL}"),
        otlp.record("map", body=nested),
        otlp.record("list", body=[nested, MAIL]),
        otlp.record("clean", {"n": 5}, body={"count": 3}),
        otlp.record("empty", {"n": 5}, body=""),
        otlp.record(f"event of {MAIL}", body=0.4666666666666667),
    ]
    assert collector.send(otlp.logs(sent)).ok
    capture.wait(lambda c: len(c.records), len(sent))
    found = {record["event"]: record for record in capture.records}
    masked = {
        "to": [MASKED],
        "note": f"for {MASKED}",
        "password": MASKED,
        "count": 3,
        "cards": [MASKED, f"card{MASKED}"],
    }
    assert found["string"]["attributes"] == {"a": MASKED, "n": 5}
    assert {event: record["body"] for event, record in found.items()} == {
        "string": f"mail {MASKED}",
        "map": masked,
        "list": [masked, MASKED],
        "clean": {"count": 3},
        "empty": "",
        f"event of {MASKED}": 0.4666666666666667,
    }
