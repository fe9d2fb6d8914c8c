"""Whose telemetry it is, on a real collector: the token says so, and nothing that a sender writes."""

import os
from collections.abc import Iterator

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from support import otlp
from support.capture import Capture, capturing
from support.otelcol import Collector, transforming
from support.ports import free_ports

from collector import tenant, tiers
from collector.tiers import Ingress, Token

KEY = "agentic.tenant"
CLAIM = {KEY: "somebody-else"}
TOKENS = {
    "team-a~0123": "team-a",
    "Team-B~0123": None,  # no name of ours
    "0123456789": None,
    "team-a": None,
    "~0123": None,
    f"{'x' * 64}~0123": None,
}
"""Token -> the tenant that it names."""


@pytest.fixture(scope="module")
def door(tmp_path_factory) -> Iterator[tuple[Collector, str, Capture]]:
    """A collector that asks for one of `TOKENS`, its gRPC address, and what it lets through."""
    folder = tmp_path_factory.mktemp("door")
    (folder / "tokens").write_text("\n".join(TOKENS) + "\n")
    http, health, rpc = free_ports(3)
    token = Token(file=str(folder / "tokens"))
    with capturing() as capture:
        config = transforming({"transform/tenant": tenant.processor(named=True)}, capture.url, http, health)
        config["receivers"]["otlp"] = tiers.receiver(Ingress(token=token), f"127.0.0.1:{rpc}", f"127.0.0.1:{http}")
        config["extensions"]["bearertokenauth/door"] = token.extension()
        config["service"]["extensions"].append("bearertokenauth/door")
        config["service"]["pipelines"]["metrics"] = config["service"]["pipelines"]["traces"]
        collector = Collector(config, folder, http, health)
        try:
            yield collector.start(env={**os.environ}), f"127.0.0.1:{rpc}", capture
        finally:
            collector.kill()


def _claiming(name: str):
    """Spans, records and a point that say at every level that they are somebody else's."""
    resource = {**otlp.SERVICE, **CLAIM}
    return (
        otlp.traces([otlp.span(name, CLAIM)], resource),
        otlp.logs([otlp.record(name, CLAIM)], resource),
        otlp.counter(name, 1, resource),
    )


@pytest.mark.parametrize("token", TOKENS)
def test_the_token_names_the_tenant_and_claims_are_dropped(door, token):
    collector, _, capture = door
    before = [len(capture.spans), len(capture.records), len(capture.points)]
    for message in _claiming("claim"):
        assert collector.send(message, Authorization=f"Bearer {token}").ok
    for which, count in zip(("spans", "records", "points"), before, strict=True):
        capture.wait(lambda c, w=which: len(getattr(c, w)), count + 1)
        found = getattr(capture, which)[-1]
        assert found["resource"].get(KEY) == TOKENS[token]
        assert KEY not in str({key: value for key, value in found.items() if key != "resource"})
        assert "0123" not in str(found), "a token is stored nowhere"


def test_over_grpc_the_token_counts_too(door):
    _, address, capture = door
    with grpc.insecure_channel(address) as channel:
        request = otlp.traces([otlp.span("rpc", CLAIM)], {**otlp.SERVICE, **CLAIM})
        TraceServiceStub(channel).Export(request, metadata=[("authorization", "Bearer team-a~0123")], timeout=30)
    capture.wait(lambda c: sum(span["name"] == "rpc" for span in c.spans), 1)
    assert capture.span("rpc")["resource"][KEY] == "team-a"


def test_a_token_of_no_file_is_refused_whomever_it_names(door):
    collector, _, _ = door
    assert collector.send(_claiming("refused")[0], Authorization="Bearer team-a~9999").status_code == 401


def test_where_no_token_is_asked_for_nobody_is_named(tmp_path):
    http, health = free_ports(2)
    with capturing() as capture:
        config = transforming({"transform/tenant": tenant.processor(named=False)}, capture.url, http, health)
        collector = Collector(config, tmp_path, http, health)
        try:
            collector.start()
            assert collector.send(_claiming("open")[0], Authorization="Bearer team-a~0123").ok
            capture.wait(lambda c: len(c.spans), 1)
        finally:
            collector.kill()
    assert KEY not in capture.span("open")["resource"]
