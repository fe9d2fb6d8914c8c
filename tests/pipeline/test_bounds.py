"""What one request may cost: its size in every encoding, how deep its values are nested, and who may send at all."""

import gzip
import json
import os
import subprocess
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from support import nested, otlp
from support.capture import Capture, capturing
from support.otelcol import PROTOBUF, Collector, transforming
from support.ports import free_ports
from support.whole import collector_of, eventually, local_profile, up

from collector import tiers
from collector.tiers import DOOR_MIB, MOST_DOOR_MIB, Ingress, Samplers, Token
from stacks.sizes import STAGING

MIB, TOKEN = 2**20, "synthetic-token-one"
JSON = {"Content-Type": "application/json"}
# A frame of zstd with a window of 512 MiB in its header and one block of one byte.
ZSTD_WINDOW = bytes.fromhex("28b52ffd 00 98 090000 0a")


@dataclass
class Door:
    """A collector that is a door and stores in `capture`."""

    collector: Collector
    grpc: str
    capture: Capture

    def post(self, body: bytes, signal: str = "traces", **headers: str) -> int:
        url = f"{self.collector.url}/v1/{signal}"
        return requests.post(url, data=body, headers={**PROTOBUF, **headers}, timeout=120).status_code

    def call(self, body: bytes, compression: grpc.Compression, *metadata: tuple[str, str]) -> grpc.StatusCode:
        with grpc.insecure_channel(self.grpc) as channel:
            export: Callable[..., object] = channel.unary_unary(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                request_serializer=bytes,
                response_deserializer=ExportTraceServiceResponse.FromString,
            )
            try:
                export(body, compression=compression, metadata=metadata, timeout=120)
            except grpc.RpcError as error:
                return error.code()
        return grpc.StatusCode.OK

    @property
    def cpu_s(self) -> float:
        """What the process has used so far."""
        times = self.collector.memory.cpu_times()
        return float(times.user + times.system)

    def serves(self) -> bool:
        """A good request is taken and stored by the process that was started."""
        before = sum(span["name"] == "good" for span in self.capture.spans)
        taken = eventually(lambda: self.collector.send(otlp.traces([otlp.span("good")])).ok, 60)
        assert self.collector.process is not None
        stored = eventually(lambda: sum(span["name"] == "good" for span in self.capture.spans) > before, 60)
        return taken and stored and self.collector.process.poll() is None


@contextmanager
def door(ingress: Ingress, folder: Path) -> Iterator[Door]:
    """What is nested is refused by nobody here, and dropped before the capture, which could not read it."""
    http, health, rpc = free_ports(3)
    deep = {"error_mode": "ignore", "trace_conditions": ['span.name == "nested"']}
    with capturing() as capture:
        config = transforming({"filter/deep": deep}, capture.url, http, health)
        config["receivers"]["otlp"] = tiers.receiver(ingress, f"127.0.0.1:{rpc}", f"127.0.0.1:{http}")
        config["service"]["pipelines"].pop("logs")
        if ingress.token:
            config["extensions"]["bearertokenauth/door"] = ingress.token.extension()
            config["service"]["extensions"].append("bearertokenauth/door")
        collector = Collector(config, folder, http, health)
        try:
            yield Door(collector.start(), f"127.0.0.1:{rpc}", capture)
        finally:
            collector.kill()


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[Door]:
    with door(Ingress(), tmp_path_factory.mktemp("door")) as made:
        yield made


@pytest.fixture(scope="module")
def widest(tmp_path_factory) -> Iterator[Door]:
    with door(Ingress(max_request_mib=MOST_DOOR_MIB), tmp_path_factory.mktemp("widest")) as made:
        yield made


@pytest.mark.parametrize("kind", nested.KINDS)
def test_values_nested_through_a_whole_request_end_no_collector(opened, kind):
    """Plain, packed, in JSON and over gRPC."""
    size = DOOR_MIB * MIB
    body = nested.protobuf(size, kind)
    assert size - 400 < len(body) <= size
    assert opened.post(body) == 200
    assert opened.post(gzip.compress(body, 1), **{"Content-Encoding": "gzip"}) == 200
    assert opened.post(zlib.compress(body, 1), **{"Content-Encoding": "deflate"}) == 200
    assert opened.post(nested.json(size, kind), **JSON) == 200
    assert opened.call(body, grpc.Compression.NoCompression) is grpc.StatusCode.OK
    assert opened.call(body, grpc.Compression.Gzip) is grpc.StatusCode.OK
    assert opened.serves()


def test_nor_do_they_where_an_operator_allows_the_most(widest):
    """At 13 MiB the process ends: the stack of a goroutine is 1 GB at most."""
    body = nested.protobuf(MOST_DOOR_MIB * MIB, "lists")
    assert widest.post(body) == 200
    assert widest.call(body, grpc.Compression.NoCompression) is grpc.StatusCode.OK
    assert widest.serves()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Iterator[Door]:
    """All that a collector does, from the door to the stores, which are the capture."""
    folder = tmp_path_factory.mktemp("whole")
    with capturing() as store:
        profile = local_profile(folder, store.url, store)
        with up(collector_of(profile, folder, store)) as collector:
            yield Door(collector, profile.listen.otlp_grpc, store)


def _lists(levels: int) -> list[Any]:
    value: list[Any] = ["end"]
    for _ in range(levels - 1):
        value = [value]
    return value


def _maps(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"end": "end"}
    for _ in range(levels - 1):
        value = {"k": value, "beside": 1}
    return value


DEEP = {"maps": _maps(70), "lists": _lists(70), "a list of them": [_maps(70)], "a map of them": {"k": _lists(70)}}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_nested_too_deep_goes_and_all_beside_it_stays(whole, name):
    deep = DEEP[name]
    beside = {"text": "x", "number": 1, "share": 0.5, "flag": True}
    meant = {"list": ["a", 1], "schema": _maps(10), "lists": _lists(10), "parts": [{"a": ["b", {"c": 1}]}]}
    spans = [
        otlp.span(name, {**beside, "deep": deep}, events=[("e", {**beside, "deep": deep})]),
        otlp.span(f"beside {name}", {**beside, **meant}),
    ]
    assert whole.collector.send(otlp.traces(spans, {"service.name": name, "deep": deep})).ok
    assert whole.collector.send(otlp.logs([otlp.record(name, {**beside, "deep": deep}, body=deep)])).ok
    whole.capture.wait(lambda c: sum(name in span["name"] for span in c.spans), 2)
    span, neighbour = whole.capture.span(name), whole.capture.span(f"beside {name}")
    for left in (span["attributes"], span["events"][0]["attributes"]):
        assert left.items() >= beside.items()
        assert "deep" not in left
    assert span["resource"] == {"service.name": name}
    assert neighbour["attributes"].items() >= {**beside, **meant}.items()
    whole.capture.wait(lambda c: sum(record["event"] == name for record in c.records), 1)
    (record,) = [record for record in whole.capture.records if record["event"] == name]
    assert (record["attributes"], record["body"]) == ({**beside, "event_name": name}, "")


@pytest.mark.parametrize("kind", nested.KINDS)
@pytest.mark.parametrize("place", [place for place in nested.PLACES if place != "link"])
def test_nesting_costs_by_its_size_wherever_it_stands_and_reaches_no_store(whole, place, kind):
    """By its square it would cost sixteen times as much for four times the size. Links no statement can look at."""
    costs = []
    for size in (DOOR_MIB * MIB // 4, DOOR_MIB * MIB):
        before, seen = whole.cpu_s, len(whole.capture.requests)
        assert whole.post(nested.protobuf(size, kind, place), nested.PLACES[place]) == 200
        assert whole.serves()
        costs.append(whole.cpu_s - before)
        # No store is asked to read it.
        largest = max(len(request.body) for request in whole.capture.requests[seen:])
        assert largest < MIB // 10
    assert costs[1] < 8 * costs[0] + 1


def _text(size: int) -> bytes:
    body = otlp.traces([otlp.span("large", {"text": ""})]).ByteSize()
    return otlp.traces([otlp.span("large", {"text": "x" * (size - body - 20)})]).SerializeToString()


def test_a_request_of_the_size_that_the_contract_names_is_taken(opened):
    body = _text(DOOR_MIB * MIB)
    assert DOOR_MIB * MIB - 30 < len(body) <= DOOR_MIB * MIB
    assert opened.post(body) == 200
    assert opened.post(gzip.compress(body, 1), **{"Content-Encoding": "gzip"}) == 200
    assert opened.call(body, grpc.Compression.Gzip) is grpc.StatusCode.OK


def test_a_larger_one_is_refused_in_every_encoding_and_costs_nobody_else(opened):
    body = _text(DOOR_MIB * MIB + 100)
    as_json = json.dumps({"resourceSpans": [], "x": "x" * DOOR_MIB * MIB}).encode()
    assert opened.post(body) in {400, 413}
    assert opened.post(gzip.compress(body), **{"Content-Encoding": "gzip"}) in {400, 413}
    assert opened.post(zlib.compress(body), **{"Content-Encoding": "deflate"}) in {400, 413}
    assert opened.post(as_json, **JSON) in {400, 413}
    assert opened.post(gzip.compress(bytes(2**30), 1), **{"Content-Encoding": "gzip"}) in {400, 413}
    assert opened.call(body, grpc.Compression.NoCompression) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert opened.call(body, grpc.Compression.Gzip) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert opened.serves()


@pytest.mark.parametrize("encoding", ["zstd", "snappy", "x-snappy-framed", "lz4", "br"])
def test_an_encoding_that_no_sdk_speaks_is_refused_before_it_is_unpacked(opened, encoding):
    before = opened.collector.memory.memory_info().rss
    assert {opened.post(ZSTD_WINDOW, **{"Content-Encoding": encoding}) for _ in range(50)} == {400}
    assert opened.collector.memory.memory_info().rss < before + 100 * MIB
    assert opened.serves()


def test_grpc_with_windows_of_512_mib_costs_nobody_else(opened, tmp_path):
    """gRPC cannot be told which encodings to refuse."""
    (tmp_path / "frame").write_bytes(b"\x01" + len(ZSTD_WINDOW).to_bytes(4, "big") + ZSTD_WINDOW)
    url = f"http://{opened.grpc}/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    headers = [f"-H{name}" for name in ("content-type: application/grpc", "te: trailers", "grpc-encoding: zstd")]
    sent = ["curl", "-s", "--http2-prior-knowledge", *headers, "--data-binary", f"@{tmp_path / 'frame'}", url]
    for running in [subprocess.Popen(sent, stdout=subprocess.DEVNULL) for _ in range(16)]:
        assert running.wait(60) == 0
    assert opened.serves()


def test_a_stranger_s_body_is_not_read_over_http_and_bounded_over_grpc(tmp_path):
    (tmp_path / "tokens").write_text(f"{TOKEN}\n")
    with door(Ingress(token=Token(file=str(tmp_path / "tokens"))), tmp_path / "door") as guarded:
        body, huge = nested.protobuf(DOOR_MIB * MIB, "lists"), bytes(64 * MIB)
        before = guarded.collector.memory.memory_info().rss
        # 401 and not 400: nobody looked at what is in it.
        assert guarded.post(b"\xff" * 100) == 401
        assert guarded.post(body) == 401
        assert guarded.collector.memory.memory_info().rss < before + 50 * MIB
        assert guarded.call(body, grpc.Compression.NoCompression) is grpc.StatusCode.UNAUTHENTICATED
        assert guarded.call(huge, grpc.Compression.Gzip) is grpc.StatusCode.RESOURCE_EXHAUSTED
        metadata = ("authorization", f"Bearer {TOKEN}")
        assert guarded.call(_text(MIB), grpc.Compression.NoCompression, metadata) is grpc.StatusCode.OK
        assert guarded.collector.process is not None
        assert guarded.collector.process.poll() is None


def test_strangers_are_many_and_others_are_served_within_the_smallest_memory_of_a_guarded_edge(tmp_path):
    """gRPC reads each of them whole before it asks for the token."""
    (tmp_path / "tokens").write_text(f"{TOKEN}\n")
    body, metadata = _text(DOOR_MIB * MIB), ("authorization", f"Bearer {TOKEN}")
    with door(Ingress(token=Token(file=str(tmp_path / "tokens"))), tmp_path / "door") as guarded:
        with ThreadPoolExecutor(32) as strangers:
            calls = [strangers.submit(guarded.call, body, grpc.Compression.NoCompression) for _ in range(200)]
            served = guarded.call(_text(MIB), grpc.Compression.NoCompression, metadata)
            assert {call.result() for call in calls} == {grpc.StatusCode.UNAUTHENTICATED}
        assert served is grpc.StatusCode.OK
        peak = Path(f"/proc/{guarded.collector.memory.pid}/status").read_text().split("VmHWM:")[1].split()[0]
        size = STAGING["collector"]
        assert int(peak) / 1024 < size.memory_mib * size.memory_burst


def test_a_sampler_takes_what_its_edge_took(tmp_path):
    """The edge adds to what it takes, so the door behind it is wider."""
    with door(tiers.limited(Ingress(), DOOR_MIB, hop=True), tmp_path / "sampler") as sampler:
        http, health = free_ports(2)
        wide = {"trace_statements": [{"statements": [f'set(span.attributes["added"], "{"x" * 500}")']}]}
        config = transforming({"transform/wide": wide}, "http://127.0.0.1:1", http, health)
        config["exporters"] = {tiers.EXPORTER: tiers.exporter(Samplers(hosts=(sampler.grpc,)))}
        config["service"]["pipelines"].pop("logs")
        config["service"]["pipelines"]["traces"]["exporters"] = [tiers.EXPORTER]
        edge = Collector(config, tmp_path / "edge", http, health)
        one = os.urandom(16)
        request = otlp.traces(otlp.span("s", {"text": "x" * 900}, trace_id=one) for _ in range(4000))
        assert 3.7 * MIB < request.ByteSize() < DOOR_MIB * MIB
        try:
            assert edge.start().send(request).ok
            sampler.capture.wait(lambda c: len(c.spans), 4000, 60)
        finally:
            edge.kill()
