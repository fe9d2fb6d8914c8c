"""What is delivered when things go wrong: a store that is down, a crash, a damaged queue, pressure, a wrong token.

What was answered with 200 arrives; what cannot be taken is refused, so that the client keeps it.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import requests
from google.protobuf.message import Message
from support import otlp
from support.capture import Capture, capturing
from support.otelcol import Collector
from support.prometheus import Prometheus, prometheus_at
from support.truth import Key, Traffic, differences
from support.whole import collector_of, eventually, local_profile, own_metrics, total, up

from collector.profile import Profile
from collector.self_metrics import SelfMetric
from collector.tiers import Ingress, Token

TOKEN = "synthetic-token"


@dataclass
class Site:
    """A Prometheus, a store for spans and records, and what was acknowledged of the traffic sent."""

    prometheus: Prometheus
    store: Capture
    folder: Path
    traffic: Traffic = field(default_factory=Traffic)
    truth: Counter[Key] = field(default_factory=Counter)
    spans: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)

    @property
    def profile(self) -> Profile:
        return local_profile(self.folder, self.prometheus.url, self.store)

    def collector(self, profile: Profile | None = None, name: str = "collector") -> Collector:
        return collector_of(profile or self.profile, self.folder / name, self.store)

    def send(self, collector: Collector, tasks: int = 2) -> int:
        """One trace request and one log request, each tried until it is acknowledged; how often one was not."""
        traces, adds = self.traffic.tasks(tasks)
        refused = until_acknowledged(collector, traces)
        self.truth.update(adds)
        self.spans |= {span["id"] for span in otlp.spans_of(traces)}
        logs, adds = self.traffic.events(1)
        number = f"record {len(self.records)}"
        logs.MergeFrom(otlp.logs([otlp.record(body=number)], self.traffic.resource))
        refused += until_acknowledged(collector, logs)
        self.truth.update(adds)
        self.records.add(number)
        return refused

    def counted(self) -> list[str]:
        """The differences between the truth and the series once there are none, or those left after a while."""
        eventually(lambda: not differences(self.truth, self.prometheus.increases()), 40)
        return differences(self.truth, self.prometheus.increases())

    def stored(self) -> tuple[Counter[str], Counter[str]]:
        """How often the store got each acknowledged span and record; the ones that no one acknowledged do not count."""
        spans = Counter(span["id"] for span in self.store.spans if span["id"] in self.spans)
        records = Counter(r["body"] for r in self.store.records if r["body"] in self.records)
        return spans, records

    def complete(self) -> bool:
        spans, records = self.stored()
        return len(spans) == len(self.spans) and len(records) == len(self.records)


def until_acknowledged(collector: Collector, message: Message, deadline_s: float = 60) -> int:
    refused, deadline = 0, time.monotonic() + deadline_s
    while True:
        try:
            if collector.send(message).ok:
                return refused
        except requests.RequestException:
            pass
        assert time.monotonic() < deadline, "never acknowledged"
        refused += 1
        time.sleep(0.1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with prometheus_at(tmp_path / "prometheus") as prometheus, capturing() as store:
        yield Site(prometheus, store, tmp_path)


@contextmanager
def load(site: Site, collector: Collector, rate: float = 10) -> Iterator[None]:
    """Traffic in the background for as long as the block lasts."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(1 / rate):
            site.send(collector)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def repeated(counts: Counter[str]) -> int:
    return sum(count - 1 for count in counts.values())


def test_a_store_is_down_while_the_collector_crashes(site):
    """Every acknowledged span, record and KPI arrives; only a request on its way at the kill may come twice."""
    collector = site.collector()
    with up(collector):
        with load(site, collector):
            time.sleep(2)
            site.store.status = 503
            site.prometheus.stop()
            time.sleep(4)
            collector.kill()
            collector.start()
            time.sleep(4)
            site.store.status = 200
            site.prometheus.start()
        assert eventually(site.complete, 60)
        assert site.counted() == []
        spans, records = site.stored()
        print("REPEATED", repeated(spans), repeated(records), len(spans), len(records), site.store.refused)
        assert repeated(spans) == repeated(records) == 0


def test_a_crash_while_the_store_answers_slowly(site):
    """The request on its way is sent again: stores see it twice, KPIs do not."""
    collector = site.collector()
    with up(collector):
        with load(site, collector, rate=30):
            for _ in range(3):
                time.sleep(1.3)
                collector.kill()
                collector.start()
        assert eventually(site.complete, 60)
        assert site.counted() == []
        spans, records = site.stored()
        print("REPEATED", repeated(spans), repeated(records), len(spans), len(records))
        assert repeated(spans) <= len(spans) / 10


def _queue_files(collector: Collector, part: str) -> list[Path]:
    folder = Path(collector.config["extensions"]["file_storage/queue"]["directory"])
    return [path for path in folder.iterdir() if part in path.name and "backup" not in path.name]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "empty"])
def test_a_damaged_queue_file_is_put_aside(site, damage):
    """The waiting spans of that store are lost, what waits for the others is not; afterwards all is well."""
    site.store.status = 503
    collector = site.collector()
    with up(collector):
        for _ in range(5):
            site.send(collector)
        assert site.counted() == []
        collector.kill()
        (queue,) = _queue_files(collector, "tempo")
        content = queue.read_bytes()
        damaged = {"garbage": os.urandom(len(content)), "truncated": content[: len(content) // 2], "empty": b""}
        queue.write_bytes(damaged[damage])
        site.store.status = 200
        collector.start()
        lost = set(site.spans)
        for _ in range(3):
            site.send(collector)
        site.spans -= lost
        assert eventually(site.complete), collector.log[-2000:]
        site.spans |= lost
        print("ASIDE", sorted(p.name for p in queue.parent.iterdir()), len(site.stored()[0]), len(site.spans))
        assert site.counted() == []


def test_two_collectors_on_one_queue_directory(site):
    first = site.collector(name="first")
    second = site.collector(replace(site.profile, instance="collector-1"), name="second")
    with up(first):
        site.send(first)
        try:
            second.start(timeout_s=40)
            print("SECOND STARTED")
        except AssertionError as error:
            print("SECOND", str(error)[-1500:])
        finally:
            second.kill()
        site.send(first)
        assert eventually(site.complete)
        assert site.counted() == []


def test_pressure_is_refused_and_passes(site):
    """Above the limit the door answers 503; nothing acknowledged is lost, and afterwards data flows again."""
    collector = site.collector(replace(site.profile, memory_limit_mib=150))
    big = {"gen_ai.input.messages": "x" * 2**20}
    with up(collector):
        site.send(collector)
        answers, peak = Counter[int](), 0
        site.store.status = 503

        def push() -> None:
            for _ in range(40):
                spans = [otlp.span("big", big) for _ in range(8)]
                answers[collector.send(otlp.traces(spans)).status_code] += 1

        threads = [threading.Thread(target=push) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, collector.memory.memory_info().rss)
            time.sleep(0.1)
        own = own_metrics(collector)
        print("ANSWERS", answers, peak / 2**20, {str(k[0]): v for k, v in own.items() if "refused" in k[0]})
        assert answers[503] > 0
        assert set(answers) == {200, 503}
        assert collector.process is not None
        assert collector.process.poll() is None
        site.store.status = 200
        site.send(collector)
        assert eventually(site.complete, 60)
        assert site.counted() == []


def test_a_full_kpi_queue_holds_the_client_back(site):
    """The door waits instead of dropping: what is acknowledged is counted, once."""
    collector = site.collector()
    collector.config["exporters"]["otlp_grpc/kpi"]["sending_queue"] |= {"queue_size": 200}
    collector.config["exporters"]["otlp_grpc/kpi"]["sending_queue"]["batch"] |= {"min_size": 50, "max_size": 100}
    collector.config["exporters"]["otlp_http/prometheus"]["sending_queue"] |= {"queue_size": 2}
    with up(collector):
        site.send(collector)
        assert site.counted() == []
        site.prometheus.stop()
        waited = []
        with load(site, collector, rate=50):
            time.sleep(6)
            waited.append(len(site.records))
            time.sleep(2)
            waited.append(len(site.records))
            site.prometheus.start()
        print("WAITED", waited)
        assert waited[0] == waited[1], "the client was held back"
        assert site.counted() == []


def test_without_the_token_nothing_comes_in(site):
    profile = replace(site.profile, ingress=Ingress(token=Token(variable="DOOR_TOKEN")))
    collector = site.collector(profile)
    try:
        collector.start(env={**os.environ, "DOOR_TOKEN": TOKEN})
        message, adds = site.traffic.tasks(1)
        assert collector.send(message).status_code == 401
        assert collector.send(message, Authorization="Bearer other").status_code == 401
        assert collector.send(message, Authorization=f"Bearer {TOKEN}").ok
        site.truth.update(adds)
        assert site.counted() == []
        own = own_metrics(collector)
        print("AUTH", {k: v for k, v in own.items() if "receiver" in k[0] or "http" in k[0]})
    finally:
        collector.kill()
