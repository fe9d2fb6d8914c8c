"""Two tiers on real collectors: where spans meet, who is let in, and what the death of a member costs."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from support import otlp
from support.capture import Capture, capturing
from support.otelcol import Collector, transforming
from support.ports import free_ports

import toolchain
from collector import tiers
from collector.document import to_yaml
from collector.tiers import ClientTls, Ingress, Samplers, ServerTls, Token

TOKEN, NEXT = "synthetic-token-one", "synthetic-token-two"


@dataclass
class Door:
    """A running collector behind `tiers.receiver`; what it lets in is in `capture`."""

    collector: Collector
    grpc: str
    capture: Capture

    def call(self, *metadata: tuple[str, str]) -> grpc.StatusCode:
        with grpc.insecure_channel(self.grpc) as channel:
            try:
                TraceServiceStub(channel).Export(otlp.traces([otlp.span("rpc")]), metadata=metadata, timeout=10)
            except grpc.RpcError as error:
                return error.code()
        return grpc.StatusCode.OK


@contextmanager
def door(ingress: Ingress, folder: Path, **env: str) -> Iterator[Door]:
    http, health, rpc = free_ports(3)
    with capturing() as capture:
        config = transforming({}, capture.url, http, health)
        config["receivers"]["otlp"] = tiers.receiver(ingress, f"127.0.0.1:{rpc}", f"127.0.0.1:{http}")
        if ingress.token:
            config["extensions"]["bearertokenauth/door"] = ingress.token.extension()
            config["service"]["extensions"].append("bearertokenauth/door")
        collector = Collector(config, folder, http, health)
        try:
            yield Door(collector.start(env={**os.environ, **env}), f"127.0.0.1:{rpc}", capture)
        finally:
            collector.kill()


@contextmanager
def edge(samplers: Samplers, folder: Path, **env: str) -> Iterator[Collector]:
    http, health = free_ports(2)
    config = transforming({}, "http://127.0.0.1:1", http, health)
    config["exporters"] = {tiers.EXPORTER: tiers.exporter(samplers)}
    for pipeline in config["service"]["pipelines"].values():
        pipeline["exporters"] = [tiers.EXPORTER]
    if samplers.token:
        config["extensions"]["bearertokenauth/hop"] = samplers.token.extension()
        config["service"]["extensions"].append("bearertokenauth/hop")
    collector = Collector(config, folder, http, health)
    try:
        yield collector.start(env={**os.environ, **env})
    finally:
        collector.kill()


@dataclass
class Tiers:
    edge: Collector
    doors: list[Door]

    def send(self, count: int) -> list[str]:
        """`count` traces of three spans, each span in another request."""
        ids = [os.urandom(16) for _ in range(count)]
        for name in ("a", "b", "c"):
            assert self.edge.send(otlp.traces([otlp.span(name, trace_id=i) for i in ids])).ok
        return [i.hex() for i in ids]

    def stored(self) -> Counter[tuple[str, str]]:
        return Counter((span["trace"], span["name"]) for door in self.doors for span in door.capture.spans)

    def wait(self, spans: int, timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s
        while self.stored().total() < spans and time.monotonic() < deadline:
            time.sleep(0.1)


@pytest.fixture
def two(tmp_path) -> Iterator[Tiers]:
    with ExitStack() as stack:
        doors = [stack.enter_context(door(Ingress(), tmp_path / name)) for name in ("one", "two")]
        hop = Samplers(hosts=tuple(d.grpc for d in doors))
        yield Tiers(stack.enter_context(edge(hop, tmp_path / "edge")), doors)


def test_the_spans_of_a_trace_meet_at_one_sampler(two):
    two.send(200)
    two.wait(600)
    shares = [{span["trace"] for span in door.capture.spans} for door in two.doors]
    assert not shares[0] & shares[1]
    assert min(map(len, shares)) > 40
    assert set(two.stored().values()) == {1}
    assert two.stored().total() == 600


def test_log_records_cross_too(two):
    records = [otlp.record("e", {"n": n}, trace_id=os.urandom(16) if n % 2 else b"") for n in range(40)]
    assert two.edge.send(otlp.logs(records)).ok
    deadline = time.monotonic() + 10
    while sum(len(d.capture.records) for d in two.doors) < 40 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sorted(r["attributes"]["n"] for d in two.doors for r in d.capture.records) == list(range(40))


def test_a_killed_sampler_costs_nothing_that_waits_and_repeats_nothing(two):
    """The healthy sampler goes on meanwhile; the dead one's share waits at the edge and comes once."""
    before = two.send(50)
    two.wait(150)
    dead, healthy = two.doors
    dead.collector.kill()
    during = [i for _ in range(20) for i in two.send(10)]
    time.sleep(1)
    arrived = {span["trace"] for span in healthy.capture.spans}
    assert len(arrived & set(during)) > 60, "the healthy sampler is not held up"
    dead.collector.start()
    two.wait(750, timeout_s=30)
    expected = {(trace_id, name): 1 for trace_id in (*before, *during) for name in ("a", "b", "c")}
    assert two.stored() == expected


def test_a_stopped_edge_hands_over_what_it_took(two):
    two.send(100)
    two.edge.stop()
    two.wait(300)
    assert two.stored().total() == 300


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    (folder / "tokens").write_text(f"{TOKEN} team-a\n{NEXT} team-b\n")
    with door(Ingress(token=Token(file=str(folder / "tokens"))), folder) as opened:
        yield opened


REFUSED = [
    {},
    {"Authorization": "Bearer wrong"},
    {"Authorization": TOKEN},
    {"Authorization": "Bearer "},
    {"X-Token": TOKEN},
]


@pytest.mark.parametrize("headers", REFUSED)
def test_without_a_right_token_nothing_is_stored(guarded, headers):
    before = len(guarded.capture.requests)
    assert guarded.collector.send(otlp.traces([otlp.span("http")]), **headers).status_code == 401
    assert guarded.collector.send(otlp.logs([otlp.record("e")]), **headers).status_code == 401
    lower = [(key.lower(), value) for key, value in headers.items()]
    assert guarded.call(*lower) is grpc.StatusCode.UNAUTHENTICATED
    time.sleep(0.3)
    assert len(guarded.capture.requests) == before


@pytest.mark.parametrize("token", [TOKEN, NEXT])
def test_every_token_of_the_file_opens_both_doors(guarded, token):
    before = len(guarded.capture.spans)
    assert guarded.collector.send(otlp.traces([otlp.span("http")]), Authorization=f"Bearer {token}").ok
    assert guarded.call(("authorization", f"Bearer {token}")) is grpc.StatusCode.OK
    guarded.capture.wait(lambda c: len(c.spans), before + 2)


def test_a_token_rotates_without_a_restart(tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN}\n")
    with door(Ingress(token=Token(file=str(tokens))), tmp_path / "c") as opened:
        assert opened.call(("authorization", f"Bearer {TOKEN}")) is grpc.StatusCode.OK
        tokens.write_text(f"{NEXT}\n")
        deadline = time.monotonic() + 10
        while opened.call(("authorization", f"Bearer {NEXT}")) is not grpc.StatusCode.OK:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert opened.call(("authorization", f"Bearer {TOKEN}")) is grpc.StatusCode.UNAUTHENTICATED


def test_a_token_from_the_environment(tmp_path):
    with door(Ingress(token=Token(variable="DOOR_TOKEN")), tmp_path, DOOR_TOKEN=TOKEN) as opened:
        assert opened.call(("authorization", f"Bearer {TOKEN}")) is grpc.StatusCode.OK
        assert opened.call(("authorization", "Bearer ")) is grpc.StatusCode.UNAUTHENTICATED


def test_an_unset_variable_does_not_open_the_door(tmp_path):
    with (
        pytest.raises(AssertionError, match="no bearer token provided"),
        door(Ingress(token=Token(variable="DOOR_TOKEN_THAT_NOBODY_SET")), tmp_path),
    ):
        pass


@pytest.fixture(scope="module")
def pki(tmp_path_factory) -> Path:
    """An authority and a certificate for 127.0.0.1, good for a day."""
    folder = tmp_path_factory.mktemp("pki")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1")
    for name in ("ca", "other"):
        openssl("req", "-x509", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    extension = ("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key")
    openssl("req", "-x509", *key, *signed, *extension, "-subj", "/CN=tls", "-keyout", "tls.key", "-out", "tls.pem")
    return folder


def test_the_hop_with_tls_both_ways_and_a_token(tmp_path, pki):
    path = {name: str(pki / name) for name in ("ca.pem", "other.pem", "tls.pem", "tls.key")}
    server = ServerTls(certificate=path["tls.pem"], key=path["tls.key"], client_ca=path["ca.pem"])
    client = ClientTls(ca=path["ca.pem"], certificate=path["tls.pem"], key=path["tls.key"])
    ingress = Ingress(token=Token(variable="HOP"), tls=server)
    with door(ingress, tmp_path / "sampler", HOP=TOKEN) as opened:
        right = Samplers(hosts=(opened.grpc,), token=Token(variable="HOP"), tls=client)
        refused = {
            "token": (right, NEXT),
            "authority": (replace(right, tls=replace(client, ca=path["other.pem"])), TOKEN),
            "no certificate": (replace(right, tls=ClientTls(ca=path["ca.pem"])), TOKEN),
            "a certificate of that authority, and no token": (replace(right, token=None), TOKEN),
        }
        for name, (samplers, token) in refused.items():
            with edge(samplers, tmp_path / name, HOP=token) as sender:
                assert sender.send(otlp.traces([otlp.span(name)])).ok, "taken into the queue"
                time.sleep(1)
        with edge(right, tmp_path / "right", HOP=TOKEN) as sender:
            assert sender.send(otlp.traces([otlp.span("right")])).ok
            opened.capture.wait(lambda c: len(c.spans), 1)
        assert [span["name"] for span in opened.capture.spans] == ["right"]


@pytest.mark.parametrize("found", [{"dns": "samplers.example:4317"}, {"kubernetes": "samplers.observability:4317"}])
def test_the_ways_to_find_samplers_in_a_cluster_are_accepted(tmp_path, found):
    config = transforming(tiers.kubernetes_attributes(), "http://127.0.0.1:1", *free_ports(2))
    config["exporters"] = {tiers.EXPORTER: tiers.exporter(Samplers(**found))}
    for pipeline in config["service"]["pipelines"].values():
        pipeline["exporters"] = [tiers.EXPORTER]
    path = tmp_path / "edge.yaml"
    path.write_text(to_yaml(config))
    binary = toolchain.require(["otelcol"])["otelcol"]
    checked = subprocess.run([str(binary), "validate", f"--config={path}"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"hosts": ("a:1",), "dns": "b:2"},
        {"hosts": ("a:1",), "token": Token(variable="HOP")},
    ],
)
def test_samplers_that_cannot_work_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match="Samplers: "):
        Samplers(**wrong)
