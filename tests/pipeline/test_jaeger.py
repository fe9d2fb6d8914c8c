"""A real collector before a real Jaeger: whatever a sender makes of a span, it arrives, and so does what comes after.

Jaeger refuses what its index cannot hold as if it were away, so that one such span would block all others for ever.
"""

import time
from dataclasses import dataclass, replace

import pytest
from support import otlp
from support.otelcol import Collector, running
from support.ports import free_ports
from support.profiles import single
from support.real_stores import jaeger_at

from collector import redaction
from collector.pipeline import assemble
from collector.prices import load
from collector.search import Span, SpanSearch
from collector.stores import PERMISSIVE
from stacks.clients import Jaeger

LONG = "x" * 70_000  # a key of the index holds 65,000 bytes
BYTES = b"\xff" * 40_000  # as text twice as long
SERVICE = {"service.name": "agents", "service.version": "1.0.0"}
SPANS = {
    "a text": otlp.span("a text", {"said": LONG, "n": 7}),
    "letters of several bytes": otlp.span("letters of several bytes", {"m": "é€😀" * 20_000}),
    "a list": otlp.span("a list", {"l": ["a" * 40_000, "b" * 40_000], "n": 7}),
    "a deep map": otlp.span("a deep map", {"m": {"k" * 600: "v", "deep": {"x": [LONG, 1]}}}),
    "bytes": otlp.span("bytes", {"b": BYTES, "n": 7}),
    "a key": otlp.span("a key", {"k" * 70_000: "v", "n": 7}),
    "a message": otlp.span("a message", status="error", message=LONG),
    "an event": otlp.span("an event", events=[("e" * 70_000, {"exception.stacktrace": LONG, "b": BYTES})]),
    "many": otlp.span("many", {f"k{number}": "y" * 200 for number in range(2000)}),
    "several": otlp.span("several", {f"k{number}": LONG for number in range(5)}),
}


@dataclass
class Way:
    collector: Collector
    store: Jaeger
    began: float

    def found(self, wanted: int, timeout_s: float = 30) -> list[Span]:
        """Every span that arrived, as soon as there are so many."""
        deadline, found = time.monotonic() + timeout_s, []
        while len(found) < wanted and time.monotonic() < deadline:
            time.sleep(0.5)
            rows = self.store.find(SpanSearch(), self.began - 3600, time.time() + 60, 1000)
            found = [span for row in rows for span in self.store.trace(row.trace_id)]
        return found


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    folder, began = tmp_path_factory.mktemp("way"), time.time()
    http, health, nowhere = free_ports(3)
    with jaeger_at(folder / "jaeger") as jaeger:
        profile = single(folder, http=http, health=health, sink_http=nowhere, sink_grpc=jaeger.ports["jaeger-otlp"])
        backends = replace(profile.backends, stores=PERMISSIVE, langfuse_url=None)
        config = assemble(replace(profile, backends=backends, content=redaction.LOCAL), load())
        with running(config, folder / "collector", http, health) as collector:
            yield Way(collector, Jaeger(jaeger.url("jaeger")), began)


def test_no_span_is_too_long_to_arrive_and_none_holds_up_the_next(way):
    for span in SPANS.values():
        assert way.collector.send(otlp.traces([span], SERVICE)).ok
    long_name = otlp.span("n" * 70_000)
    assert way.collector.send(otlp.traces([long_name], SERVICE, scope="s" * 70_000)).ok
    wide = {"service.name": "s" * 70_000, "r": LONG, "b": BYTES * 2}
    assert way.collector.send(otlp.traces([otlp.span("of a program")], wide)).ok
    assert way.collector.send(otlp.traces([otlp.span("the next")], SERVICE)).ok

    found = {span.name: span for span in way.found(len(SPANS) + 3)}

    assert found.keys() == {*SPANS, "n" * 1024, "of a program", "the next"}
    assert found["a text"].attributes["n"] == 7
    assert len(found["a text"].attributes["said"]) == 32_000
    assert found["letters of several bytes"].attributes["m"].startswith("é€😀")
    assert found["a list"].attributes["l.0"].startswith("aaa")
    assert found["bytes"].attributes["b"] == "****", "redaction cannot look into bytes"
    assert found["a message"].failed
    assert len(found["many"].attributes) > 2000
    assert set(found["several"].attributes) > {f"k{number}" for number in range(5)}


def test_what_is_short_enough_arrives_as_it_was(way):
    sent = {"text": "a" * 31_000, "n": 7, "f": 0.5, "flag": True, "list": ["a", 1], "map": {"x": 'y"'}}
    assert way.collector.send(otlp.traces([otlp.span("short", sent)], SERVICE)).ok
    way.found(len(SPANS) + 4)
    (span,) = [span for span in way.found(1) if span.name == "short"]
    kept = {key: value for key, value in span.attributes.items() if key in sent}
    assert kept == {**sent, "list": '["a",1]', "map": '{"x":"y\\""}'}
