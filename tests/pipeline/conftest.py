"""Tier `pipeline`: one real collector and captured output; no other backend."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.capture import Capture, capturing
from support.otelcol import Collector, running, transforming
from support.ports import free_ports
from support.profiles import collector_for
from support.prometheus import Prometheus, prometheus_at
from support.truth import Traffic

Through = Callable[[Mapping[str, Any]], tuple[Collector, Capture]]


@contextmanager
def _through(processors: Mapping[str, Any], folder: Path) -> Iterator[tuple[Collector, Capture]]:
    http_port, health_port = free_ports(2)
    with capturing() as capture:
        config = transforming(processors, capture.url, http_port, health_port)
        with running(config, folder, http_port, health_port) as collector:
            yield collector, capture


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Through]:
    """Start a collector with the given processors; what they make of the input is in the capture.

    Collectors of a module live until the module ends, so give each module one set of processors and many spans.
    """
    with ExitStack() as stack:

        def start(processors: Mapping[str, Any]) -> tuple[Collector, Capture]:
            return stack.enter_context(_through(processors, tmp_path_factory.mktemp("otelcol")))

        yield start


@dataclass
class Paused:
    """A collector that counted one burst and then had nothing to do."""

    prometheus: Prometheus
    collector: Collector
    first_burst_at: float


@pytest.fixture(scope="module")
def paused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paused]:
    folder = tmp_path_factory.mktemp("paused")
    with prometheus_at(folder / "prometheus", "--query.lookback-delta=30s") as prometheus, capturing() as store:
        collector = collector_for(folder / "collector", prometheus.url, store, "collector-0")
        try:
            collector.start()
            traffic = Traffic()
            for _ in range(10):
                assert collector.send(traffic.tasks(2)[0]).ok
            yield Paused(prometheus, collector, time.time())
        finally:
            collector.kill()
