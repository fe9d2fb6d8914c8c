"""Every KPI series equals the truth on its full label set: in normal work, over restarts and crashes, after a pause.

What was answered with 200 must be in the counters once, whatever happens to the collector afterwards.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from support.capture import Capture, capturing
from support.otelcol import Collector
from support.profiles import collector_for
from support.prometheus import Prometheus, prometheus_at
from support.truth import Key, Traffic, differences

SETTLE_S = 25
COST = Path(__file__).parents[2] / "collector" / "docs" / "cost.md"
AGENT = "planner"
OF_THE_VERSION = f'count({{__name__=~"agentic_.+",agent_name="{AGENT}",prompt_version="6"}})'


@dataclass
class Counted:
    """A Prometheus and what it should hold; sending adds to the truth only what the collector has acknowledged."""

    prometheus: Prometheus
    store: Capture
    folder: Path
    truth: Counter[Key] = field(default_factory=Counter)

    def collector(self, instance: str = "collector-0") -> Collector:
        return collector_for(self.folder / instance, self.prometheus.url, self.store, instance)

    def send(self, collector: Collector, traffic: Traffic, tasks: int = 2) -> None:
        for message, adds in (traffic.tasks(tasks), traffic.events(1)):
            while not self._acknowledged(collector, message):
                time.sleep(0.05)
            self.truth.update(adds)

    @staticmethod
    def _acknowledged(collector: Collector, message: object) -> bool:
        try:
            return collector.send(message).ok
        except requests.ConnectionError:
            return False

    def keep_sending(self, collector: Collector, traffic: Traffic, seconds: float, rate: float = 10) -> None:
        start = time.monotonic()
        for number in range(int(seconds * rate)):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            self.send(collector, traffic)

    def differences(self, window: str = "1h") -> list[str]:
        return differences(self.truth, self.prometheus.increases(window=window))

    def settled(self, window: str = "1h") -> list[str]:
        """The differences once there are none, or those that are left after a while."""
        deadline = time.monotonic() + SETTLE_S
        while (left := self.differences(window)) and time.monotonic() < deadline:
            time.sleep(0.5)
        return left


@contextmanager
def _counted(folder: Path, *flags: str) -> Iterator[Counted]:
    with prometheus_at(folder / "prometheus", *flags) as prometheus, capturing() as store:
        yield Counted(prometheus, store, folder)


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    with _counted(tmp_path) as made:
        yield made


@contextmanager
def _up(*collectors: Collector) -> Iterator[None]:
    try:
        for collector in collectors:
            collector.start()
        yield
    finally:
        for collector in collectors:
            collector.kill()


def test_every_series_equals_the_truth(counted):
    collector = counted.collector()
    with _up(collector):
        counted.keep_sending(collector, Traffic(), 5, rate=20)
        assert counted.settled() == []
        assert len(counted.truth) > 300
        told, measured = _told_by_the_page(counted.truth), 0
        deadline = time.monotonic() + SETTLE_S  # the calls of all families come a little later than the others
        while measured != told and time.monotonic() < deadline:
            (found,) = counted.prometheus.query(OF_THE_VERSION)
            measured = int(found["value"][1])
        assert measured == told, "collector/docs/cost.md says another number of series per agent version"


def _told_by_the_page(truth: Counter[Key]) -> int:
    """How many series an agent version has by what the page on cost says, and by the label sets that were sent."""
    said = r"(\d+) for the agent, (\d+) for each model.*?(\d+) for each\stool, and (\d+) more.*?; (\d+) for each error"
    found = re.search(rf"Series per agent version\*\*.*?{said}", COST.read_text(), re.DOTALL)
    assert found, "the page says it in other words; change the expression with them"
    agent, model, tool, server, failed_model = map(int, found.groups())

    def sets(family: str, *, failed: bool) -> int:
        """Label sets of the family with an error class, or without."""
        of = [dict(labels) for name, labels in truth if name == f"agentic_{family}_calls_total"]
        mine = [labels for labels in of if (labels["agent_name"], labels["prompt_version"]) == (AGENT, "6")]
        return sum((labels["error_class"] != "none") is failed for labels in mine)

    healthy = agent * sets("agent", failed=False) + model * sets("llm", failed=False)
    tools = tool * (sets("tool", failed=False) + sets("tool", failed=True)) + server * sets("mcp_server", failed=False)
    return healthy + failed_model * sets("llm", failed=True) + tools


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_nothing_acknowledged_is_lost_or_counted_twice(counted, how):
    """The collector ends twice in the middle of the load, gracefully or by SIGKILL."""
    collector = counted.collector()
    with _up(collector):
        load = threading.Thread(target=counted.keep_sending, args=(collector, Traffic(), 9))
        load.start()
        for _ in range(2):
            time.sleep(3)
            getattr(collector, how)()
            collector.start()
        load.join()
        assert counted.settled() == []


def test_two_collectors_add_up(counted):
    """Each is the only writer of its series; what two saw of the same agents is the sum."""
    first, second = counted.collector("collector-0"), counted.collector("collector-1")
    with _up(first, second):
        one, two = Traffic(seed=1), Traffic(seed=1)
        for _ in range(30):
            counted.send(first, one)
            counted.send(second, two)
        assert counted.settled() == []
        (resets,) = counted.prometheus.query("sum(resets(agentic_task_calls_total[10m]))")
        assert resets["value"][1] == "0"


def test_prometheus_may_be_down(counted):
    collector = counted.collector()
    with _up(collector):
        counted.keep_sending(collector, Traffic(), 2)
        assert counted.settled() == []
        counted.prometheus.stop()
        counted.keep_sending(collector, Traffic(seed=2), 4)
        counted.prometheus.start()
        assert counted.settled() == []
