"""Input that no good client sends: what is counted of it, and that everything beside it is counted all the same.

All of it goes to one collector, each case as a service of its own, in one request with good traffic.
"""

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support import otlp
from support.capture import Capture, capturing
from support.otelcol import PROTOBUF, Collector
from support.prometheus import Prometheus, Series, prometheus_at
from support.truth import Key, Traffic, differences
from support.whole import collector_of, eventually, local_profile, own_metrics, total, up

from collector.self_metrics import SelfMetric

if TYPE_CHECKING:
    from pathlib import Path

# The local collector idles at 100 MiB; nothing of this may make it grow to more.
MAX_RSS_MIB = 400
GOOD = "agents"
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.agent.name": "a",
    "gen_ai.request.model": "m-1",
    "gen_ai.provider.name": "sim",
}
TOKENS_IN, TOKENS_OUT, COST = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "agentic.cost.usd"
LLM_TOKENS, LLM_COST = "agentic_llm_tokens_total", "agentic_cost_usd_total"
DOUBTFUL, UNREAD = "agentic_llm_doubtful_total", "agentic_unread_spans_total"


@dataclass
class Bench:
    """One collector, one Prometheus, and the truth about the good traffic."""

    prometheus: Prometheus
    store: Capture
    collector: Collector
    pid: int
    traffic: Traffic = field(default_factory=Traffic)
    truth: Counter[Key] = field(default_factory=Counter)

    def send(self, bad: Message | None = None) -> None:
        """One request with a good task and, behind it, the bad part."""
        request, adds = self.traffic.tasks(1)
        if bad is not None:
            request.MergeFrom(bad)
        assert self.collector.send(request).ok
        self.truth.update(adds)

    def post(self, body: bytes, path: str = "traces", **headers: str) -> int:
        url = f"{self.collector.url}/v1/{path}"
        return requests.post(url, data=body, headers={**PROTOBUF, **headers}, timeout=30).status_code

    def series(self, service: str) -> Series:
        found = self.prometheus.increases()
        return {key: value for key, value in found.items() if dict(key[1]).get("service") == service}

    def settled(self) -> None:
        """Good data is counted exactly."""
        eventually(lambda: not differences(self.truth, self.series(GOOD)))
        assert differences(self.truth, self.series(GOOD)) == []

    def unharmed(self) -> None:
        """Good data sent now is counted, exactly, by the same process, which is healthy and has not grown."""
        self.send()
        self.settled()
        assert self.collector.process is not None
        assert (self.collector.process.poll(), self.collector.process.pid) == (None, self.pid)
        assert self.collector.memory.memory_info().rss < MAX_RSS_MIB * 2**20


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Iterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("bad-input")
    with prometheus_at(folder / "prometheus") as prometheus, capturing() as store:
        collector = collector_of(local_profile(folder, prometheus.url, store), folder, store)
        with up(collector):
            assert collector.process is not None
            yield Bench(prometheus, store, collector, collector.process.pid)


def resource(service: str) -> dict[str, Any]:
    return {"service.name": service, "deployment.environment.name": "test"}


def chat(service: str, **attributes: Any) -> ExportTraceServiceRequest:
    return otlp.traces([otlp.span("chat", {**CHAT, **attributes}, kind="client")], resource(service))


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"k": value}
    return value


@dataclass(frozen=True)
class Case:
    """A model call with `attributes`; `labels` it is then counted under; `adds` beside the call and its duration."""

    attributes: dict[str, Any]
    labels: dict[str, str] = field(default_factory=dict)
    adds: dict[str, float] = field(default_factory=dict)


CASES: dict[str, Case] = {
    "int prompt version": Case({"gen_ai.prompt.version": 7}, {"prompt_version": "7"}),
    "list agent name": Case({"gen_ai.agent.name": ["a", "b"]}, {"agent_name": '["a","b"]'}),
    "map model": Case({"gen_ai.request.model": {"x": 1}}, {"model": '{"x":1}'}),
    "empty agent name": Case({"gen_ai.agent.name": ""}, {"agent_name": "none"}),
    "agent name without value": Case({"gen_ai.agent.name": None}, {"agent_name": "none"}),
    "bytes agent name": Case({"gen_ai.agent.name": b"\xff\x00"}, {"agent_name": "ff00"}),
    "control characters": Case({"gen_ai.agent.name": "a\x00b\nc\x7f"}, {"agent_name": "a\x00b\nc\x7f"}),
    "agent with the name of nothing": Case({"gen_ai.agent.name": "<nil>"}, {"agent_name": "none"}),
    "digits as tokens": Case({TOKENS_IN: "12", TOKENS_OUT: "x"}, adds={LLM_TOKENS: 12, DOUBTFUL: 1}),
    "digits as cost": Case({COST: "0.5"}),
    "bool cost": Case({COST: True}),
    "NaN cost": Case({COST: float("nan")}),
    "infinite cost": Case({COST: float("inf")}),
    "negative cost": Case({COST: -1.0}),
    "NaN tokens": Case({TOKENS_IN: float("nan"), TOKENS_OUT: 1}, adds={LLM_TOKENS: 1, DOUBTFUL: 1}),
    "infinite tokens": Case({TOKENS_IN: float("inf"), TOKENS_OUT: float("inf")}, adds={DOUBTFUL: 1}),
    "negative tokens": Case({TOKENS_IN: -5, TOKENS_OUT: 5}, adds={LLM_TOKENS: 5, DOUBTFUL: 1}),
    "tokens at the end of int64": Case({TOKENS_IN: 2**63 - 1, TOKENS_OUT: 2**63 - 1}, adds={DOUBTFUL: 1}),
    "text as flags": Case({"agentic.fallback": "true", "agentic.retry.attempt": "1"}, {"is_fallback": "false"}),
    "1 MiB message": Case({"gen_ai.input.messages": "x" * 2**20}),
    "text of 10,000 brackets": Case({"gen_ai.input.messages": "[" * 10_000 + "]" * 10_000}),
    "map 60 deep": Case({"gen_ai.input.messages": nested(60)}),
    "unknown attributes": Case({f"k{n}": n for n in range(2000)}),
    "empty keys": Case({"": "x", "\x1f": "y"}),
}


@pytest.fixture(scope="module")
def cases(bench) -> dict[str, Series]:
    """All cases sent, each with good traffic, and twice, so that a sum that overflows has its chance."""
    for name, case in CASES.items():
        for _ in range(2):
            bench.send(chat(name, **case.attributes))
    bench.unharmed()
    found = bench.prometheus.increases()
    return {name: {k: v for k, v in found.items() if dict(k[1])["service"] == name} for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_a_call_with_odd_values_is_counted(cases, name):
    case, by_metric = CASES[name], Counter[str]()
    for (metric, labels), value in cases[name].items():
        by_metric[metric] += value
        expected = {"environment": "test", "agent_name": "a", "model": "m-1", "provider": "sim", **case.labels}
        assert expected.items() <= dict(labels).items()
    assert by_metric.pop("agentic_llm_calls_total") == 2
    assert by_metric.pop("agentic_llm_duration_seconds_count") == 2
    assert by_metric.pop("agentic_llm_duration_seconds_sum") == pytest.approx(0.2)
    by_metric.pop("agentic_llm_unpriced_total", None)
    assert dict(by_metric) == {metric: 2 * value for metric, value in case.adds.items()}


def test_a_tool_with_a_bool_for_a_name_is_counted(bench):
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": True}
    bench.send(otlp.traces([otlp.span("tool", attributes)], resource("bool tool")))
    bench.unharmed()
    found = {(n, dict(labels)["tool_name"]): v for (n, labels), v in bench.series("bool tool").items()}
    assert found["agentic_tool_calls_total", "true"] == 1


def test_an_operation_that_is_no_text_is_stored_and_counted_as_unread(bench):
    bench.send(chat("int operation", **{"gen_ai.operation.name": 5}))
    bench.unharmed()
    assert {name: value for (name, _), value in bench.series("int operation").items()} == {UNREAD: 1}
    eventually(lambda: any(s["resource"]["service.name"] == "int operation" for s in bench.store.spans))
    assert [
        s["attributes"]["gen_ai.operation.name"]
        for s in bench.store.spans
        if s["name"] == "chat" and s["resource"]["service.name"] == "int operation"
    ] == [5]


@pytest.mark.parametrize(
    ("name", "value", "label"), [("1 MiB", "x" * 2**20, "oversized"), ("separator", "a\x1fb", "malformed")]
)
def test_a_label_value_that_cannot_be_one_costs_the_labels_and_not_the_call(bench, name, value, label):
    """It must neither fill the tables nor push the other labels under wrong names; all labels then say why."""
    bench.send(chat(name, **{"gen_ai.agent.name": value}))
    bench.unharmed()
    assert bench.series(name) == {}
    found = {key: v for key, v in bench.series(label).items() if key[0] == "agentic_llm_calls_total"}
    assert list(found.values()) == [1]
    ((_, labels),) = found
    assert {v for _, v in labels} == {label}


def test_text_that_is_not_utf8_is_counted_and_stored(bench):
    """The stores get a replacement for each broken byte, so that they refuse nothing."""
    bad = chat("not utf8", **{"gen_ai.agent.name": "bad~~name", "note": "~~"}).SerializeToString()
    assert bench.post(bad.replace(b"~~", b"\xff\xfe")) == 200
    record = otlp.logs([otlp.record(body="bad~~body")], resource("not utf8")).SerializeToString()
    assert bench.post(record.replace(b"~~", b"\xff\xfe"), "logs") == 200
    new = "\N{REPLACEMENT CHARACTER}" * 2
    assert eventually(lambda: any(s["attributes"].get("note") == new for s in bench.store.spans))
    assert eventually(lambda: any(r["body"] == f"bad{new}body" for r in bench.store.records))
    bench.unharmed()
    found = {n: v for (n, _), v in bench.series("not utf8").items()}
    assert found["agentic_llm_calls_total"] == 1


TRACE = chat("malformed request").SerializeToString()
MALFORMED = {
    "garbage": (b"\xff" * 100, {}),
    "truncated protobuf": (TRACE[:-7], {}),
    "garbage JSON": (b"{]", {"Content-Type": "application/json"}),
    "truncated JSON": (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"', {"Content-Type": "application/json"}),
    "JSON that is a number": (b"7", {"Content-Type": "application/json"}),
    "JSON nested 10,000 deep": (b"[" * 10_000, {"Content-Type": "application/json"}),
    "gzip that is none": (TRACE, {"Content-Encoding": "gzip"}),
    "truncated gzip": (gzip.compress(TRACE)[:-9], {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("path", ["traces", "logs", "metrics"])
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused(bench, name, path):
    body, headers = MALFORMED[name]
    assert bench.post(body, path, **headers) == 400


def test_after_malformed_requests_all_is_well(bench):
    bench.unharmed()
    assert bench.series("malformed request") == {}


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_request_of_20_mib_is_refused(bench, encoding):
    body = chat("huge", **{"gen_ai.input.messages": "x" * 20 * 2**20}).SerializeToString()
    sent = gzip.compress(body) if encoding == "gzip" else body
    assert bench.post(sent, **{"Content-Encoding": encoding}) in {400, 413}
    bench.unharmed()
    assert bench.series("huge") == {}


HOUR = 3600 * 10**9
# Start and end in nanoseconds, given the time of now, and the seconds that are counted.
CLOCKS: dict[str, tuple[Callable[[int], tuple[int, int]], float]] = {
    "started in the future": (lambda now: (now + 3 * HOUR, now + 3 * HOUR + 10**9), 1),
    "ended yesterday": (lambda now: (now - 25 * HOUR, now - 25 * HOUR + 10**9), 1),
    "ended before it started": (lambda now: (now, now - 3 * HOUR), 0),
    "took no time": (lambda now: (now, now), 0),
    "no start": (lambda now: (0, now), 0),
    "no end": (lambda now: (now, 0), 0),
    "ended a month ago": (lambda now: (now - 720 * HOUR, now - 720 * HOUR + 10**9), 1),
    "no times": (lambda _: (0, 0), 0),
    "start that is negative as int64": (lambda now: (2**63, now), 0),
    "start at the end of uint64": (lambda now: (2**64 - 1, now), 0),
    "end at the end of uint64": (lambda now: (now, 2**64 - 1), 0),
}


@pytest.fixture(scope="module")
def clocks(bench) -> None:
    """For each clock three calls, each in a batch of its own; the first and last take 2 s, so a fall would show."""
    for number in range(3):
        for name, (times, _) in CLOCKS.items():
            request = chat(name)
            span = request.resource_spans[0].scope_spans[0].spans[0]
            now = time.time_ns()
            span.start_time_unix_nano, span.end_time_unix_nano = times(now) if number == 1 else (now - 2 * 10**9, now)
            bench.send(request)
        time.sleep(1.5)
    bench.unharmed()


@pytest.mark.usefixtures("clocks")
@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_that_is_wrong_makes_no_negative_duration(bench, name):
    found = {metric: value for (metric, _), value in bench.series(name).items()}
    assert found["agentic_llm_calls_total"] == found["agentic_llm_duration_seconds_count"] == 3
    assert found["agentic_llm_duration_seconds_sum"] == pytest.approx(4 + CLOCKS[name][1])
    (resets,) = bench.prometheus.query(f'sum(resets(agentic_llm_duration_seconds_sum{{service="{name}"}}[10m]))')
    assert resets["value"][1] == "0"


def test_a_request_sent_twice_is_counted_twice(bench):
    """The collector keeps no span ids; a client that repeats what was answered with 200 counts it again."""
    request, adds = bench.traffic.tasks(2)
    for _ in range(2):
        assert bench.collector.send(request).ok
        bench.truth.update(adds)
    bench.unharmed()


def test_spans_in_any_order_are_counted_exactly(bench):
    """Every span in a request of its own, children and parents mixed."""
    request, adds = bench.traffic.tasks(6)
    spans = list(request.resource_spans[0].scope_spans[0].spans)
    random.Random(7).shuffle(spans)
    for span in spans:
        assert bench.collector.send(otlp.traces([span], bench.traffic.resource)).ok
    bench.truth.update(adds)
    bench.unharmed()


@pytest.mark.parametrize(
    ("given", "service", "environment"),
    [
        ({"service.name": "no environment"}, "no environment", "none"),
        ({"deployment.environment.name": "no-service"}, "none", "no-service"),
        ({}, "none", "none"),
        ({"service.name": 5, "deployment.environment.name": ["odd"]}, "5", '["odd"]'),
    ],
)
def test_a_resource_that_says_little(bench, given, service, environment):
    bench.send(otlp.traces([otlp.span("chat", CHAT)], given))
    bench.unharmed()
    found = {
        dict(labels)["environment"]: v
        for (n, labels), v in bench.series(service).items()
        if n.endswith("llm_calls_total")
    }
    assert found[environment] == 1


def test_spans_without_ids_are_counted(bench):
    span = otlp.span("chat", CHAT)
    span.trace_id = span.span_id = b""
    bench.send(otlp.traces([span], resource("no ids")))
    bench.unharmed()
    assert {v for (n, _), v in bench.series("no ids").items() if n == "agentic_llm_calls_total"} == {1}


def test_an_id_of_a_wrong_length_refuses_the_request(bench):
    span = otlp.span("chat", CHAT)
    span.trace_id = b"short"
    assert bench.post(otlp.traces([span], resource("short id")).SerializeToString()) == 400
    bench.unharmed()


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -1.0, "high", [1], None])
def test_an_evaluation_with_a_score_that_is_none(bench, score):
    """The verdict counts, the score does not."""
    service = f"score {score}"
    record = otlp.record(
        "gen_ai.evaluation.result", {"gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": score}
    )
    assert bench.collector.send(otlp.logs([record], resource(service))).ok
    bench.unharmed()
    assert {n: v for (n, _), v in bench.series(service).items()} == {"agentic_eval_results_total": 1}


@pytest.mark.parametrize("body", [None, nested(60), ["x", 1], b"\x00\xff", "[" * 10_000, float("nan")])
def test_a_log_record_with_an_odd_body_is_stored(bench, body):
    service = f"body {type(body).__name__} {str(body)[:3]}"
    assert bench.collector.send(otlp.logs([otlp.record(body=body)], resource(service))).ok
    eventually(lambda: any(r["resource"]["service.name"] == service for r in bench.store.records))
    (stored,) = [r["body"] for r in bench.store.records if r["resource"]["service.name"] == service]
    # Redaction cannot tell a body that is absent from one that it could not read: it comes out as an empty text.
    assert json.dumps(stored, default=str) == json.dumps("" if body is None else body, default=str)


def test_a_log_record_that_is_too_long_is_cut(bench):
    assert bench.collector.send(otlp.logs([otlp.record(body="x" * 2**20)], resource("long body"))).ok
    assert eventually(lambda: any(r["body"] == "x" * 250_000 for r in bench.store.records))


def test_ten_thousand_prompt_versions_fill_the_table_and_nothing_else(tmp_path):
    """What is over `max_series` is lost, and says so; the series that exist go on exactly."""
    with prometheus_at(tmp_path / "prometheus") as prometheus, capturing() as store:
        profile = replace(local_profile(tmp_path, prometheus.url, store), max_series=1000)
        collector = collector_of(profile, tmp_path, store)
        collector.config["connectors"]["span_metrics/exemplars"]["aggregation_cardinality_limit"] = 1000
        with up(collector):
            assert collector.process is not None
            bench = Bench(prometheus, store, collector, collector.process.pid)
            request, adds = bench.traffic.tasks(30)
            assert collector.send(request).ok
            bench.truth.update(adds)
            bench.settled()
            flood = [{**CHAT, "gen_ai.prompt.version": f"v{n}"} for n in range(10_000)]
            for at in range(0, len(flood), 500):
                spans = [otlp.span("chat", attributes, kind="client") for attributes in flood[at : at + 500]]
                assert collector.send(otlp.traces(spans, resource("flood"))).ok
            # Two series per version, calls and duration, and each beyond the limit is one refused point.
            assert eventually(lambda: _over_the_limit(collector) > 19_000)
            assert total(own_metrics(collector), SelfMetric.SERIES_TRACKED) == 1000
            kept = [name for name, _ in bench.series("flood")]
            assert 0 < len(kept) < 3 * 1000
            assert eventually(lambda: prometheus.query('agentic_span_calls_total{otel_metric_overflow="true"}'))
            for _ in range(5):
                assert collector.send(request).ok
                bench.truth.update(adds)
            bench.settled()
            assert collector.process.poll() is None
            assert collector.memory.memory_info().rss < MAX_RSS_MIB * 2**20


def _over_the_limit(collector: Collector) -> float:
    return total(own_metrics(collector), SelfMetric.SERIES_POINTS, error="limit")
