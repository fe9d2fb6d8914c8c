"""Sampling on the real collector: which traces arrive whole, which in part, and which not."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import otlp
from support.capture import Capture, capturing
from support.otelcol import Collector, transforming
from support.ports import free_ports

from collector import sampling
from collector.sampling import Sampling, Watched

WAIT_S = 4  # undecided at most; the root shortens it to 1 s
NOTHING = Sampling(base_percent=0, slow_task_s=30, runaway_spans=50, undecided_wait_s=WAIT_S, after_root_s=1)
WATCHED = replace(NOTHING, watched=Watched(prompt=("41",), tool=("2.0.0",), graph=("g7",), model=("gpt-5.1",)))


def storing(sampled: Sampling, to: str, http_port: int, health_port: int) -> dict[str, Any]:
    """A collector that only samples; there is nothing to sample in logs."""
    config = transforming({"tail_sampling": sampling.processor(sampled)}, to, http_port, health_port)
    del config["service"]["pipelines"]["logs"]
    return config


@contextmanager
def sampling_by(sampled: Sampling, folder: Path, **env: str) -> Iterator[tuple[Collector, Capture]]:
    http_port, health_port = free_ports(2)
    with capturing() as capture:
        collector = Collector(storing(sampled, capture.url, http_port, health_port), folder, http_port, health_port)
        try:
            yield collector.start(env={**os.environ, **env}), capture
        finally:
            collector.kill()


def trace(marked: dict[str, Any] | None = None, *, resource: dict[str, Any] | None = None, **root: Any):
    """Three requests of one trace: a plain child, the span that may carry the reason, the root."""
    trace_id, root_id = os.urandom(16), os.urandom(8)
    child = otlp.span("child", trace_id=trace_id, parent=root_id)
    status = "error" if marked == {} else "unset"
    other = otlp.span("marked", marked or {}, status=status, trace_id=trace_id, parent=root_id)
    root_span = otlp.span("root", trace_id=trace_id, span_id=root_id, **{"attributes": ROOT, **root})
    resource = {**otlp.SERVICE, **(resource or {})}
    return trace_id.hex(), [otlp.traces([one], resource) for one in (child, other, root_span)]


ROOT = {"agentic.span.role": "task", "agentic.task.outcome": "success"}
PLAIN = {"error_class": "none", "agentic.rollout.track": "stable", "gen_ai.prompt.version": "40"}


@pytest.fixture(scope="module")
def sampled(tmp_path_factory) -> Iterator[tuple[Collector, Capture]]:
    with sampling_by(WATCHED, tmp_path_factory.mktemp("otelcol")) as running:
        yield running


def send(collector: Collector, requests) -> None:
    for request in requests:
        assert collector.send(request).ok


def names(capture, trace_id: str) -> list[str]:
    return sorted(span["name"] for span in capture.spans if span["trace"] == trace_id)


KEPT = {
    "error status": trace({}),
    "error class without error status": trace({"error_class": "timeout"}),
    "failed task": trace(PLAIN, attributes={**ROOT, "agentic.task.outcome": "needs_human"}),
    "slow task": trace(PLAIN, seconds=31),
    "slow root that no one marked": trace(PLAIN, attributes={}, seconds=31),
    "canary": trace({"agentic.rollout.track": "canary"}),
    "shadow process": trace(PLAIN, resource={"agentic.rollout.track": "shadow"}),
    "prompt": trace({"gen_ai.prompt.version": "41"}),
    "tool": trace({"agentic.tool.version": "2.0.0"}),
    "graph": trace({"agentic.graph.version": "g7"}),
    "model": trace({"gen_ai.request.model": "gpt-5.1"}),
    "evaluated": trace({"agentic.eval.sampled": True}),
    "evaluated by baggage": trace({"agentic.eval.sampled": "true"}),
}
LEFT = {
    "nothing special": trace(PLAIN),
    "task that is not slow": trace(PLAIN, seconds=29),
    "not evaluated": trace({"agentic.eval.sampled": False}),
    "other version": trace({"gen_ai.prompt.version": "411", "gen_ai.request.model": "gpt-5.10"}),
    "version of another dimension": trace({"agentic.tool.version": "41"}),
    "values of other types": trace({"gen_ai.prompt.version": ["41"], "agentic.rollout.track": 1}),
}


@pytest.mark.parametrize("reason", KEPT)
def test_a_reason_keeps_the_whole_trace(sampled, reason):
    collector, capture = sampled
    trace_id, requests = KEPT[reason]
    send(collector, requests)
    capture.wait(lambda c: len(names(c, trace_id)), 3, timeout_s=5)
    assert names(capture, trace_id) == ["child", "marked", "root"]


def test_without_a_reason_nothing_is_kept(sampled):
    collector, capture = sampled
    for _, requests in LEFT.values():
        send(collector, requests)
    time.sleep(WAIT_S)
    left = {reason: names(capture, trace_id) for reason, (trace_id, _) in LEFT.items()}
    assert left == {reason: [] for reason in LEFT}


def test_a_reason_sends_at_once_and_late_spans_follow(sampled):
    collector, capture = sampled
    trace_id, (child, marked, root) = trace({})
    send(collector, [child])
    sent = time.monotonic()
    send(collector, [marked])
    capture.wait(lambda c: len(names(c, trace_id)), 2, timeout_s=5)
    assert time.monotonic() - sent < 0.8, "a trace with a reason does not wait for the next decision tick"
    time.sleep(WAIT_S + 2)
    send(collector, [root])
    capture.wait(lambda c: len(names(c, trace_id)), 3, timeout_s=5)


def test_an_error_after_the_trace_was_given_up_is_kept_with_what_follows_it(sampled):
    collector, capture = sampled
    trace_id, (child, error, root) = trace({})
    send(collector, [child])
    time.sleep(WAIT_S + 2)
    send(collector, [error, root])
    capture.wait(lambda c: len(names(c, trace_id)), 2, timeout_s=5)
    assert names(capture, trace_id) == ["marked", "root"]


def test_a_late_span_without_a_reason_stays_out(sampled):
    collector, capture = sampled
    trace_id, (child, plain, root) = trace(PLAIN)
    send(collector, [child, root])
    time.sleep(WAIT_S)
    send(collector, [plain])
    time.sleep(WAIT_S + 2)
    assert names(capture, trace_id) == []


def test_a_trace_in_a_loop_is_kept_before_it_grows(sampled):
    collector, capture = sampled
    trace_id = os.urandom(16)
    for _ in range(NOTHING.runaway_spans + 10):
        assert collector.send(otlp.traces([otlp.span("step", trace_id=trace_id, parent=b"\1" * 8)])).ok
    capture.wait(lambda c: len(names(c, trace_id.hex())), NOTHING.runaway_spans + 10, timeout_s=5)


def test_the_base_rate_is_met_and_depends_on_the_trace_id_alone(tmp_path):
    """Two collectors of their own decide alike; of 2000 traces at 10 %, six standard deviations are 80."""
    ids = [os.urandom(16) for _ in range(2000)]
    kept = []
    for shards in (1, 4):
        with sampling_by(replace(NOTHING, base_percent=10, shards=shards), tmp_path / str(shards)) as (
            collector,
            capture,
        ):
            children = [otlp.span("child", trace_id=i, parent=b"\1" * 8) for i in ids]
            assert collector.send(otlp.traces(children)).ok
            time.sleep(WAIT_S + 2)
            assert collector.send(otlp.traces([otlp.span("late", trace_id=i) for i in ids])).ok
            collector.stop()
            kept += [{s["trace"] for s in capture.spans if s["name"] == name} for name in ("child", "late")]
    assert 120 < len(kept[0]) < 280
    assert kept == [kept[0]] * 4


@pytest.fixture
def own(tmp_path) -> Iterator[tuple[Collector, Capture]]:
    """A collector that the test may end."""
    with sampling_by(NOTHING, tmp_path) as running:
        yield running


def test_an_operator_watches_versions_by_a_variable(tmp_path):
    variables = {"AGENTOBS_WATCHED_PROMPT_VERSIONS": "42,1.0(rc", "AGENTOBS_WATCHED_MODEL_VERSIONS": "7"}
    with sampling_by(WATCHED, tmp_path, **variables) as (collector, capture):
        made = [
            trace({"gen_ai.prompt.version": "42"}),
            trace({"gen_ai.prompt.version": "1.0(rc"}),
            trace({"gen_ai.request.model": "7"}),
            trace({"gen_ai.prompt.version": "41"}),
        ]
        for _, requests in made:
            send(collector, requests)
        capture.wait(lambda c: len(c.spans), 12, timeout_s=5)
        assert {span["trace"] for span in capture.spans} == {trace_id for trace_id, _ in made}


def test_kill_9_loses_no_trace_whose_reason_had_arrived(own):
    collector, capture = own
    wanted = []
    for number in range(60):
        trace_id, (child, error, _) = trace({})
        send(collector, [child, error] if number % 2 else [child])
        wanted += [trace_id] if number % 2 else []
    capture.wait(lambda c: len(c.spans), 60, timeout_s=5)
    collector.kill()
    assert all(names(capture, trace_id) == ["child", "marked"] for trace_id in wanted)


def test_a_graceful_stop_leaves_no_trace_with_a_reason_behind(own):
    collector, capture = own
    made = [trace({}) for _ in range(30)]
    for _, (child, error, _) in made:
        send(collector, [child, error])
    collector.stop()
    assert all(names(capture, trace_id) == ["child", "marked"] for trace_id, _ in made)


def test_full_memory_gives_up_the_oldest_trace_without_a_reason_first(tmp_path):
    small = replace(NOTHING, undecided_mib=1, trace_kib=128)
    assert small.max_traces == 8
    with sampling_by(small, tmp_path) as (collector, capture):
        made = [trace({}) for _ in range(20)]
        for _, (child, _, _) in made:
            send(collector, [child])
        for _, (_, error, root) in reversed(made):
            send(collector, [error, root])
        capture.wait(lambda c: len(c.spans), 48, timeout_s=5)
        found = [names(capture, trace_id) for trace_id, _ in made]
    assert found == [["marked", "root"]] * 12 + [["child", "marked", "root"]] * 8
