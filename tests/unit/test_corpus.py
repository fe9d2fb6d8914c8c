"""Recordings sent again: whatever JSON they were written in, with times of now and ids of their own."""

import base64
import json
import lzma
import time

import pytest
from support import otlp
from support.corpus import Recording, recordings

BEGAN = 1_000 * 10**9
IDS = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "parentSpanId": "00f067aa0ba902b7"}


def _base64(ids):
    return {key: base64.b64encode(bytes.fromhex(value)).decode() for key, value in ids.items()}


def _span(ids, kind):
    return {
        **ids, "name": "step", "kind": kind, "startTimeUnixNano": str(BEGAN), "endTimeUnixNano": str(BEGAN + 10**9),
        "events": [{"name": "e", "timeUnixNano": str(BEGAN + 5 * 10**8)}], "links": [ids],
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
    }  # fmt: skip


def _resource(**groups):
    return {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "desk"}}]}, **groups}


@pytest.fixture
def recording(tmp_path):
    folder = tmp_path / "framework.own"
    folder.mkdir()
    spans = [_span(IDS, 3), _span(_base64(IDS), "SPAN_KIND_CLIENT")]
    log = {"traceId": IDS["traceId"], "timeUnixNano": str(BEGAN), "body": {"stringValue": "x"}}
    point = {"timeUnixNano": str(BEGAN), "startTimeUnixNano": str(BEGAN), "asInt": "1"}
    rows = [
        {"path": "/v1/traces", "request": {"resourceSpans": [_resource(scopeSpans=[{"spans": spans}])]}},
        {"path": "/v1/logs", "request": {"resourceLogs": [_resource(scopeLogs=[{"logRecords": [log]}])]}},
        {
            "path": "/v1/metrics",
            "request": {
                "resourceMetrics": [
                    _resource(scopeMetrics=[{"metrics": [{"name": "m", "sum": {"dataPoints": [point]}}]}])
                ]
            },
        },
    ]
    with lzma.open(folder / "otlp.jsonl.xz", "wt") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    (folder / "truth.json").write_text('{"framework": "own"}')
    return Recording(folder)


def test_both_writings_of_an_id_are_one(recording):
    first, second = otlp.spans_of(recording.requests()[0])
    assert first["trace"] == second["trace"] == IDS["traceId"]
    assert (first["id"], first["parent"], first["kind"]) == (IDS["spanId"], IDS["parentSpanId"], "client")
    assert (recording.name, recording.truth) == ("framework.own", {"framework": "own"})


def test_everything_ends_a_moment_ago_and_keeps_its_distances(recording):
    traces, logs, metrics = recording.now(ended_ago=2)
    span = traces.resource_spans[0].scope_spans[0].spans[0]
    assert span.end_time_unix_nano == pytest.approx(time.time_ns() - 2 * 10**9, abs=10**9)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 10**9
    assert span.events[0].time_unix_nano - span.start_time_unix_nano == 5 * 10**8
    assert logs.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano == span.start_time_unix_nano
    point = metrics.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0]
    assert point.time_unix_nano == point.start_time_unix_nano == span.start_time_unix_nano


def test_ids_are_new_and_still_fit_together(recording):
    once, again = (recording.now() for _ in range(2))
    span, other = (made[0].resource_spans[0].scope_spans[0].spans[0] for made in (once, again))
    assert len({span.trace_id, other.trace_id, bytes.fromhex(IDS["traceId"])}) == 3
    assert span.links[0].span_id == span.span_id
    assert once[1].resource_logs[0].scope_logs[0].log_records[0].trace_id == span.trace_id


def test_environment_and_service_are_what_the_caller_says(recording):
    (span, _) = otlp.spans_of(recording.now(environment="dev", service="corpus")[0])
    assert span["resource"] == {"service.name": "corpus-desk", "deployment.environment.name": "dev"}
    (span, _) = otlp.spans_of(recording.now()[0])
    assert span["resource"] == {"service.name": "desk"}


def test_recordings_are_found_by_folder(recording):
    assert [each.name for each in recordings(recording.folder.parent)] == ["framework.own"]
