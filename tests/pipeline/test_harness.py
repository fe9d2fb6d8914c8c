"""The harness itself: what goes in comes out."""

from support import otlp


def test_spans_and_records_pass(through):
    collector, capture = through({})
    attributes = {"text": "a", "number": 1, "ratio": 0.5, "flag": True, "list": ["x", 1], "map": {"k": "v"}}
    assert collector.send(otlp.traces([otlp.span("one", attributes, status="error", message="m")])).ok
    assert collector.send(otlp.logs([otlp.record("event", {"k": "v"}, body="text")])).ok
    capture.wait(lambda c: len(c.spans) + len(c.records), 2)
    assert capture.span("one")["attributes"] == attributes
    assert capture.span("one")["status"] == "error"
    assert capture.records[0]["event"] == "event"
