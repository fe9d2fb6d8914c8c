"""Random searches of spans and lines with nasty values, asked of real stores: they find what plain Python finds."""

import random
import time
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from support import nasty, otlp
from support.nasty import Known
from support.real_stores import Running, jaeger_at, send_lines, send_spans, victorialogs_at

from stacks.clients import Jaeger, VictoriaLogs

SEED = 11
SEARCHES = 400
MANY = 1000


@dataclass
class Filled:
    """A store and all that is in it."""

    started: Running
    store: Any
    known: list[Known]
    now: float

    @property
    def period(self) -> tuple[float, float]:
        return self.now - 3600, self.now + 60


def _span(each: Known, number: int, now: float) -> Span:
    made = otlp.span(
        f"step {number}",
        each.attributes,
        status="error" if each.failed else "unset",
        trace_id=bytes.fromhex(each.group),
        span_id=(number + 1).to_bytes(8, "big"),
    )
    made.start_time_unix_nano = int((now - each.ago) * 1e6) * 1000
    made.end_time_unix_nano = made.start_time_unix_nano + round(each.seconds * 1e9)
    return made


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    rng, now = random.Random(SEED), time.time()
    known = [*nasty.spans(rng, 20)]
    with jaeger_at(tmp_path_factory.mktemp("jaeger")) as started:
        made = [otlp.traces([_span(each, number, now)], each.resource) for number, each in enumerate(known)]
        send_spans(started, made)
        yield Filled(started, Jaeger(started.url("jaeger")), known, now)


def _record(each: Known, now: float) -> LogRecord:
    made = otlp.record(each.event, each.attributes, body=each.group or None)
    made.time_unix_nano = int((now - each.ago) * 1e6) * 1000
    made.severity_number = each.severity
    return made


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    rng, now = random.Random(SEED), time.time()
    known = [*nasty.lines(rng, 40)]
    with victorialogs_at(tmp_path_factory.mktemp("victorialogs")) as started:
        for each in known:
            send_lines(started, otlp.logs([_record(each, now)], each.resource))
        yield Filled(started, VictoriaLogs(started.url("victorialogs")), known, now)


def test_jaeger_finds_the_traces_that_plain_python_finds_newest_first_and_no_more_than_asked(traces):
    rng, store, wrong, found_some = random.Random(SEED), traces.store, [], 0
    for _ in range(SEARCHES):
        search, limit = nasty.span_search(rng, traces.known), rng.choice((1, 3, MANY))
        wanted = nasty.wanted_spans(search, traces.known)[:limit]
        found = [trace.trace_id for trace in store.find(search, *traces.period, limit)]
        found_some += bool(wanted)
        if found != wanted:
            wrong.append((search, limit, wanted, found))
    assert wrong == []
    assert found_some > SEARCHES / 4


def test_victorialogs_finds_the_lines_that_plain_python_finds_newest_first_and_no_more_than_asked(lines):
    rng, store, wrong, found_some = random.Random(SEED), lines.store, [], 0
    for _ in range(SEARCHES):
        search, limit = nasty.line_search(rng, lines.known), rng.choice((1, 3, MANY))
        wanted = [pytest.approx(lines.now - ago, abs=1e-4) for ago in nasty.wanted_lines(search, lines.known)][:limit]
        found = [line.at for line in store.lines(search, *lines.period, limit)]
        found_some += bool(wanted)
        if found != wanted:
            wrong.append((search, limit, wanted, found))
    assert wrong == []
    assert found_some > SEARCHES / 4


@pytest.mark.parametrize("filled", ["traces", "lines"])
def test_a_store_writes_into_its_data_and_nowhere_else(filled, request):
    """So that the root of its pod can be read-only, without a folder for what need not be kept."""
    at = request.getfixturevalue(filled).started
    data = at.folder / "data" / at.workload.name
    assert at.written
    assert [path for path in at.written if not path.is_relative_to(data)] == []
