"""A whole collector of the local shape that a test may change: its profile first, then the assembled dict.

It counts into a Prometheus; spans and log records go to one capturing endpoint.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from collector import redaction
from collector.delivery import Disk
from collector.pipeline import assemble
from collector.prices import load as load_prices
from collector.profile import Backends, Profile, Tier
from support.capture import Capture
from support.otelcol import Collector
from support.ports import free_ports
from support.profiles import listen

Metrics = dict[tuple[str, frozenset[tuple[str, str]]], float]
_TEMPO = "otlp_grpc/tempo"
_TEMPO_HTTP = "otlp_http/tempo"


def local_profile(folder: Path, prometheus_url: str, store: Capture) -> Profile:
    """One collector on loopback ports; what the tests replace in it is theirs to say."""
    http, health = free_ports(2)
    return Profile(
        tier=Tier.SINGLE,
        listen=listen(http, health),
        backends=Backends(traces_grpc="127.0.0.1:1", prometheus_url=prometheus_url, logs_url=store.url),
        instance="collector-0",
        disk=Disk(directory=f"{folder}/queue"),
        content=redaction.LOCAL,
    )


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def collector_of(profile: Profile, folder: Path, store: Capture) -> Collector:
    """The collector of `profile`, not started. Tempo's exporter speaks HTTP, as the capture does; its queue stays."""
    config = assemble(profile, load_prices())
    exporters = config["exporters"]
    tempo = exporters.pop(_TEMPO)
    exporters[_TEMPO_HTTP] = tempo | {"endpoint": store.url}
    for pipeline in config["service"]["pipelines"].values():
        pipeline["exporters"] = [_TEMPO_HTTP if name == _TEMPO else name for name in pipeline["exporters"]]
    return Collector(config, folder, _port(profile.listen.otlp_http), _port(profile.listen.health))


@contextmanager
def up(collector: Collector) -> Iterator[Collector]:
    """A started collector, ended whatever happens."""
    try:
        yield collector.start()
    finally:
        collector.kill()


def own_metrics(collector: Collector) -> Metrics:
    """What the collector says of itself: one scrape of its metrics endpoint."""
    reader: dict[str, Any] = collector.config["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]
    at = reader["prometheus"]
    text = requests.get(f"http://{at['host']}:{at['port']}/metrics", timeout=5).text
    found: Metrics = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            name, _, labels = series.partition("{")
            pairs = (pair.partition("=") for pair in labels.removesuffix("}").split('",') if pair)
            found[name, frozenset((key, quoted.strip('"')) for key, _, quoted in pairs)] = float(value)
    return found


def total(metrics: Metrics, name: str, **labels: str) -> float:
    """The sum of all series of `name` that have the given labels."""
    return sum(v for (n, pairs), v in metrics.items() if n == name and labels.items() <= dict(pairs).items())


def eventually(check: Callable[[], object], timeout_s: float = 20) -> bool:
    """Whether `check()` becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
