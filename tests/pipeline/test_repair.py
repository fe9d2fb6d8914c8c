"""What no store takes is repaired alone: text that is not UTF-8 and spans without ids, beside healthy ones of others.

The capture behind the collector is as strict as the strictest store: Python's protobuf reads no broken text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from google.protobuf.message import Message
from support import otlp
from support.capture import Capture, capturing
from support.otelcol import PROTOBUF, Collector
from support.whole import collector_of, local_profile, up

BROKEN = b"\xff\xc3"  # no character, and the first half of one
NEW = "\N{REPLACEMENT CHARACTER}" * 2
HEALTHY = {"gen_ai.usage.input_tokens": 5, "text": "Grüße", "list": [1, "x"], "share": 0.5}


@dataclass
class Site:
    collector: Collector
    store: Capture

    def post(self, message: Message, path: str) -> None:
        """With `~~` in it made of broken bytes of the same length."""
        body = message.SerializeToString().replace(b"~~", BROKEN)
        url = f"{self.collector.url}/v1/{path}"
        assert requests.post(url, data=body, headers=PROTOBUF, timeout=30).status_code == 200

    def span(self, name: str) -> dict[str, Any]:
        self.store.wait(lambda c: sum(span["name"] == name for span in c.spans), 1)
        return self.store.span(name)

    def records(self, service: str, count: int) -> list[dict[str, Any]]:
        def found(store: Capture) -> list[dict[str, Any]]:
            return [each for each in store.records if each["resource"]["service.name"] == service]

        self.store.wait(lambda c: len(found(c)), count)
        return found(self.store)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("repair")
    with capturing() as store:
        collector = collector_of(local_profile(folder, store.url, store), folder, store)
        with up(collector):
            yield Site(collector, store)


def test_every_text_of_a_span_is_repaired_and_its_neighbours_are_not_touched(site):
    bad = {"text": "cut ~~", "tokens": 5, "list": ["~~", 1], "map": {"k": "~~"}, "key ~~": "v", "flag": True}
    span = otlp.span("bad ~~", bad, status="error", message="m ~~", events=[("e ~~", {"stack": "~~"})])
    request = otlp.traces([otlp.span("before", HEALTHY), span], {"service.name": "cut ~~"}, "scope ~~")
    request.MergeFrom(otlp.traces([otlp.span("after", HEALTHY)], {"service.name": "neighbour"}))
    site.post(request, "traces")
    found = site.span(f"bad {NEW}")
    said = {key: value for key, value in found["attributes"].items() if not key.startswith("langfuse")}
    assert said.items() >= {
        "text": f"cut {NEW}", "tokens": 5, "list": [NEW, 1], "map": {"k": NEW}, f"key {NEW}": "v", "flag": True,
    }.items()  # fmt: skip
    assert (found["message"], found["scope"], found["resource"]["service.name"]) == (
        f"m {NEW}", f"scope {NEW}", f"cut {NEW}",
    )  # fmt: skip
    assert [(event["name"], event["attributes"]["stack"]) for event in found["events"]] == [(f"e {NEW}", NEW)]
    for name in ("before", "after"):
        kept = site.span(name)["attributes"]
        assert kept.items() >= HEALTHY.items()
        assert type(kept["gen_ai.usage.input_tokens"]) is int


def test_a_list_beside_a_nan_is_repaired_too(site):
    site.post(otlp.traces([otlp.span("nan", {"score": float("nan"), "list": ["~~", 1], "n": 5})]), "traces")
    found = site.span("nan")["attributes"]
    assert (found["list.0"], found["list.1"], found["n"]) == (NEW, 1, 5)


def test_a_character_that_only_looks_broken_stays(site):
    said = {"text": "\N{REPLACEMENT CHARACTER} \\ufffd", "list": ["\\ufffd"], "n": 5}
    site.post(otlp.traces([otlp.span("looks", said)]), "traces")
    found = site.span("looks")["attributes"]
    assert found["text"] == said["text"]
    assert found["list"] == said["list"]


def test_log_records_are_repaired(site):
    records = [
        otlp.record("event ~~", {"key": "~~"}, body="cut ~~"),
        otlp.record(body={"list": ["~~", "x"]}),
        otlp.record(body="good"),
        otlp.record(body=7),
    ]
    site.post(otlp.logs(records, {"service.name": "logger"}), "logs")
    found = site.records("logger", 4)
    assert [each["body"] for each in found] == [f"cut {NEW}", {"list": [NEW, "x"]}, "good", 7]
    assert (found[0]["event"], found[0]["attributes"]["key"]) == (f"event {NEW}", NEW)


def test_the_broken_span_of_one_sender_costs_another_nothing(site):
    """The case as it was seen: requests close together leave the collector as one."""
    for number in range(5):
        one = otlp.span("execute_tool", {"gen_ai.tool.name": "bad ~~", "gen_ai.operation.name": "execute_tool"})
        site.post(otlp.traces([one], {"service.name": "cutter"}), "traces")
        site.post(otlp.traces([otlp.span(f"healthy {number}")], {"service.name": "other"}), "traces")
    for number in range(5):
        assert site.span(f"healthy {number}")["resource"]["service.name"] == "other"


@pytest.mark.parametrize("missing", ["trace", "span", "both"])
def test_a_span_without_an_id_gets_one_of_its_own(site, missing):
    spans = [otlp.span(f"no {missing} {number}") for number in range(3)]
    for span, empty in zip(spans, (b"", bytes(16), b""), strict=True):
        if missing in {"trace", "both"}:
            span.trace_id = empty
        if missing in {"span", "both"}:
            span.span_id = empty[:8]
    kept = otlp.span(f"kept {missing}")
    site.post(otlp.traces([*spans, kept]), "traces")
    found = [site.span(span.name) for span in spans]
    for part in ("trace", "id"):
        ids = {span[part] for span in found}
        assert len(ids) == 3
        assert all(set(each) - {"0"} for each in ids)
    assert (site.span(kept.name)["trace"], site.span(kept.name)["id"]) == (kept.trace_id.hex(), kept.span_id.hex())
