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

from collector import sampling
from collector.profile import Profile
from collector.self_metrics import SelfMetric
from collector.tiers import Ingress, Token

DOOR = "synthetic-words"
# Limit 150 MiB, checked once a second; four clients push requests of 8 MiB meanwhile (seen: 371 to 600 MiB).
MAX_PEAK_MIB = 900


@dataclass
class Site:
    """A Prometheus, a store for spans and records, and what was acknowledged of the traffic sent."""

    prometheus: Prometheus
    store: Capture
    folder: Path
    traffic: Traffic = field(default_factory=Traffic)
    truth: Counter[Key] = field(default_factory=Counter)
    again: Counter[Key] = field(default_factory=Counter)
    """What was sent more than once."""
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
        self._acknowledged(adds, again=refused > 0)
        self.spans |= {span["id"] for span in otlp.spans_of(traces)}
        logs, adds = self.traffic.events(1)
        number = f"record {len(self.records)}"
        logs.MergeFrom(otlp.logs([otlp.record(body=number)], self.traffic.resource))
        late = until_acknowledged(collector, logs)
        self._acknowledged(adds, again=late > 0)
        self.records.add(number)
        return refused + late

    def _acknowledged(self, adds: Counter[Key], *, again: bool) -> None:
        self.truth.update(adds)
        if again:
            self.again.update(adds)

    def counted(self, *, crashed: bool = False) -> list[str]:
        """The differences between the truth and the series once there are none, or those left after a while.

        `crashed`: a request may have been counted and its answer cut off. Its sender cannot know that.
        """

        def found() -> list[str]:
            return differences(self.truth, self.prometheus.increases(), self.again if crashed else None)

        eventually(lambda: not found(), 120)  # a crowded machine takes its time
        return found()

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
        assert site.store.refused > 0
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
        assert site.counted(crashed=True) == []
        spans, _ = site.stored()
        assert repeated(spans) <= len(spans) / 10


def _queue_files(collector: Collector, part: str) -> list[Path]:
    folder = Path(collector.config["extensions"]["file_storage/queue"]["directory"])
    return [path for path in folder.iterdir() if part in path.name and "backup" not in path.name]


@pytest.mark.parametrize("damage", ["truncated", "empty"])
def test_a_damaged_queue_file_loses_at_most_itself(site, damage):
    """What waits for the other stores is not lost; afterwards all is well."""
    site.store.status = 503
    collector = site.collector()
    with up(collector):
        for _ in range(5):
            site.send(collector)
        assert site.counted() == []
        collector.kill()
        (queue,) = _queue_files(collector, "tempo")
        content = queue.read_bytes()
        queue.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
        site.store.status = 200
        collector.start()
        lost = set(site.spans)
        for _ in range(3):
            site.send(collector)
        site.spans -= lost
        assert eventually(site.complete), collector.log[-2000:]
        assert site.counted() == []


def test_a_queue_file_of_garbage_stops_the_start_and_says_which(site):
    """Nothing can be read from it; moving it away is the fix, and costs only what waited for that store."""
    site.store.status = 503
    collector = site.collector()
    with up(collector):
        site.send(collector)
        assert site.counted() == []
        collector.kill()
        (queue,) = _queue_files(collector, "tempo")
        queue.write_bytes(os.urandom(queue.stat().st_size))
        with pytest.raises(AssertionError, match='failed to start "otlp_http/tempo" exporter: invalid database'):
            collector.start()
        queue.rename(site.folder / "aside")
        site.store.status = 200
        site.spans.clear()
        collector.start()
        site.send(collector)
        assert eventually(site.complete)
        assert site.counted() == []


def test_a_second_collector_on_the_same_queue_directory_ends(site):
    """It says so within seconds, and the first one goes on."""
    first = site.collector(name="first")
    second = site.collector(replace(site.profile, instance="collector-1"), name="second")
    with up(first):
        site.send(first)
        with pytest.raises(AssertionError, match=r'failed to start "\S+" exporter: timeout'):
            second.start(timeout_s=40)
        site.send(first)
        assert eventually(site.complete)
        assert site.counted() == []


SPANS_OF_A_MIB = 3  # of one request, whose bound is 4 MiB


def test_pressure_is_refused_and_passes(site):
    """Above the limit the door answers 503; nothing acknowledged is lost, and afterwards data flows again."""
    collector = site.collector(replace(site.profile, memory_limit_mib=150))
    big = {"gen_ai.input.messages": "x" * 2**20}
    with up(collector):
        site.send(collector)
        answers, peak = Counter[int](), 0
        site.store.status = 503

        def push() -> None:
            for _ in range(110):
                spans = [otlp.span("big", big) for _ in range(SPANS_OF_A_MIB)]
                answers[collector.send(otlp.traces(spans)).status_code] += 1

        threads = [threading.Thread(target=push) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, collector.memory.memory_info().rss)
            time.sleep(0.1)
        own = own_metrics(collector)
        assert answers[503] > 0
        assert set(answers) == {200, 503}
        assert total(own, SelfMetric.PRESSURE_REFUSED_SPANS) == SPANS_OF_A_MIB * answers[503]
        assert peak < MAX_PEAK_MIB * 2**20
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
        assert waited[0] == waited[1], "the client was held back"
        assert site.counted() == []


def test_losses_and_the_rest_are_on_the_own_metrics(site):
    """Every name alerts read is one that a collector gives, and each loss is counted under the store it happened to."""
    profile = replace(site.profile, sampling=sampling.PROD, memory_limit_mib=150)
    collector = site.collector(profile)
    collector.config["exporters"]["otlp_http/tempo"]["sending_queue"]["queue_size"] = 2 * 2**20
    large = otlp.traces([otlp.span("large", {"text": "x" * 2**19}, status="error")] * 7)
    with up(collector):
        site.store.status = 400  # for good: no use to try again
        refused_for_good = site.traffic.tasks(8)[0]
        assert collector.send(refused_for_good).ok
        assert collector.send(site.traffic.events(3)[0]).ok
        assert collector.send(otlp.counter("ALERTS", 1, otlp.SERVICE)).ok
        lost = (SelfMetric.SEND_FAILED_SPANS, SelfMetric.SEND_FAILED_RECORDS)
        assert eventually(lambda: all(total(own_metrics(collector), name) > 0 for name in lost))
        site.store.status = 503
        deadline = time.monotonic() + 120
        while not total(own_metrics(collector), SelfMetric.ENQUEUE_FAILED_SPANS, exporter="otlp_http/tempo"):
            assert collector.send(large).ok
            assert time.monotonic() < deadline, "the queue takes everything"
        own = own_metrics(collector)
        given = {name for name, _ in own}
        only_when_it_happens = {
            SelfMetric.ENQUEUE_FAILED_RECORDS,
            SelfMetric.SEND_FAILED_POINTS,
            SelfMetric.PRESSURE_REFUSED_SPANS,
        }
        assert set(SelfMetric) - given <= only_when_it_happens
        assert total(own, SelfMetric.ENQUEUE_FAILED_SPANS, exporter="otlp_grpc/kpi") == 0


def test_without_the_token_nothing_comes_in(site):
    profile = replace(site.profile, ingress=Ingress(token=Token(variable="DOOR_TOKEN")))
    collector = site.collector(profile)
    try:
        collector.start(env={**os.environ, "DOOR_TOKEN": DOOR})
        message, adds = site.traffic.tasks(1)
        assert collector.send(message).status_code == 401
        assert collector.send(message, Authorization="Bearer other").status_code == 401
        assert collector.send(message, Authorization=f"Bearer {DOOR}").ok
        site.truth.update(adds)
        assert site.counted() == []
    finally:
        collector.kill()
