"""What the pipeline costs: CPU seconds per 100,000 spans, ours beside other shapes, same binary, same run.

Run with `make bench-collector`. One line per figure: name, ours, baseline, ratio. CPU seconds of the collector process
survive a noisy machine better than wall times. The load is `load.py`: healthy agent traces as fast as they are taken.

    plain      OTLP in, OTLP out, nothing else: the baseline of every ratio
    full       the production profile in one process: KPIs, 10 % sampling, redaction, Tempo and Langfuse
    dropped    the same where no store may hold content, Langfuse neither
    tuned      plain, with the settings of Go's runtime that ours have
    demo       shape of the opentelemetry-demo collector: limiter, transform, span metrics, batching exporters
    lgtm       shape of the collector in docker-otel-lgtm: batch, then OTLP/HTTP
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import load
from support.otelcol import Collector, running
from support.ports import free_ports
from support.profiles import single

from collector.pipeline import assemble
from collector.prices import load as load_prices
from collector.redaction import Content, ContentPolicy
from collector.sampling import PROD
from stacks.components import memory as go_memory
from stacks.deployment import Deployment
from stacks.environments import PROD as PRODUCTION

Config = dict[str, Any]
_REQUESTS: Final = {1: 1200, 10: 400, 100: 40}
_DRAIN_S: Final = 14  # sampling decides 5 s after the root, queues flush, cumulative series are pushed


def _base(http: int, health: int) -> Config:
    return {
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health}"}},
        "receivers": {
            "otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{http}", "max_request_body_size": 2**30}}}
        },
        "service": {"extensions": ["health_check"], "telemetry": {"metrics": {"level": "none"}}},
    }


def sink(http: int, grpc: int, health: int) -> Config:
    """A collector that takes everything at the paths of the real stores and forgets it."""
    paths = {
        "traces_url_path": "/api/public/otel/v1/traces",
        "metrics_url_path": "/api/v1/otlp/v1/metrics",
        "logs_url_path": "/otlp/v1/logs",
    }
    config = _base(http, health)
    config["receivers"]["otlp"]["protocols"]["http"] |= paths
    config["receivers"]["otlp"]["protocols"]["grpc"] = {"endpoint": f"127.0.0.1:{grpc}", "max_recv_msg_size_mib": 512}
    config["exporters"] = {"debug": {"verbosity": "basic"}}
    config["service"]["telemetry"]["logs"] = {"level": "error"}
    config["service"]["pipelines"] = {
        signal: {"receivers": ["otlp"], "exporters": ["debug"]} for signal in ("traces", "metrics", "logs")
    }
    return config


@dataclass(frozen=True)
class Place:
    """Ports of one collector under test, and where the sink listens."""

    http: int
    health: int
    sink_http: int
    sink_grpc: int
    folder: Path


def plain(at: Place) -> Config:
    config = _base(at.http, at.health)
    config["exporters"] = {
        "otlp_http": {"endpoint": f"http://127.0.0.1:{at.sink_http}/api/public/otel", "compression": "none"}
    }
    config["service"]["pipelines"] = {"traces": {"receivers": ["otlp"], "exporters": ["otlp_http"]}}
    return config


def full(at: Place) -> Config:
    profile = single(at.folder, http=at.http, health=at.health, sink_http=at.sink_http, sink_grpc=at.sink_grpc)
    return assemble(replace(profile, sampling=replace(PROD, after_root_s=5)), load_prices())


def dropped(at: Place) -> Config:
    profile = single(at.folder, http=at.http, health=at.health, sink_http=at.sink_http, sink_grpc=at.sink_grpc)
    nowhere = Content(ContentPolicy.DROP, ContentPolicy.DROP, ContentPolicy.DROP)
    return assemble(replace(profile, content=nowhere, sampling=replace(PROD, after_root_s=5)), load_prices())


def demo(at: Place) -> Config:
    config = _base(at.http, at.health)
    to_tempo = {"endpoint": f"127.0.0.1:{at.sink_grpc}", "tls": {"insecure": True}, "sending_queue": {"batch": {}}}
    to_prometheus = {
        "endpoint": f"http://127.0.0.1:{at.sink_http}/api/v1/otlp",
        "sending_queue": {"batch": {}},
    }
    statements = [
        'replace_pattern(span.name, "\\\\?.*", "")',
        'replace_match(span.name, "GET /api/products/*", "GET /api/products/{productId}")',
    ]
    config |= {
        "processors": {
            "memory_limiter": {"check_interval": "5s", "limit_percentage": 80, "spike_limit_percentage": 25},
            "transform": {"error_mode": "ignore", "trace_statements": statements},
        },
        "connectors": {"span_metrics": {}},
        "exporters": {"otlp_grpc": to_tempo, "otlp_http": to_prometheus},
    }
    config["service"]["pipelines"] = {
        "traces": {
            "receivers": ["otlp"],
            "processors": ["memory_limiter", "transform"],
            "exporters": ["otlp_grpc", "span_metrics"],
        },
        "metrics": {"receivers": ["span_metrics"], "processors": ["memory_limiter"], "exporters": ["otlp_http"]},
    }
    return config


def lgtm(at: Place) -> Config:
    config = plain(at)
    config["processors"] = {"batch": {}}
    config["exporters"]["otlp_http"].pop("compression")  # gzip is the default there
    config["service"]["pipelines"]["traces"]["processors"] = ["batch"]
    return config


SHAPES: Final[Mapping[str, Callable[[Place], Config]]] = {
    "plain": plain, "tuned": plain, "full": full, "dropped": dropped, "demo": demo, "lgtm": lgtm,
}  # fmt: skip
_TUNED: Final = ("tuned", "full", "dropped")


@contextmanager
def started(shape: str, folder: Path) -> Iterator[Collector]:
    """The shape's collector with its sink, ended whatever happens."""
    http, health, sink_http, sink_grpc, sink_health = free_ports(5)
    with ExitStack() as stack:
        config = sink(sink_http, sink_grpc, sink_health)
        stack.enter_context(running(config, folder / "sink", sink_http, sink_health))
        at = Place(http, health, sink_http, sink_grpc, folder)
        env = go_memory.collector("collector-sampler", Deployment.of(PRODUCTION), 0) if shape in _TUNED else {}
        yield stack.enter_context(running(SHAPES[shape](at), folder / shape, http, health, env))


@dataclass(frozen=True)
class Cost:
    """CPU seconds per 100,000 spans and the largest resident memory (MiB) seen."""

    cpu_s: float
    memory_mib: float


def cost(shape: str, kib: int, requests: int) -> Cost:
    """Send, drain, and read the process' own CPU clock."""
    with tempfile.TemporaryDirectory() as folder, started(shape, Path(folder)) as collector:
        load.post(collector.http_port, 20, kib, seed=9)
        time.sleep(2)
        before, peak = _cpu(collector), 0.0
        with multiprocessing.Pool(1) as pool:
            sending = pool.apply_async(load.post, (collector.http_port, requests, kib))
            while not sending.ready():
                peak = max(peak, collector.memory.memory_info().rss / 2**20)
                sending.wait(0.1)
            spans = sending.get()
        end = time.monotonic() + _DRAIN_S
        while time.monotonic() < end:
            peak = max(peak, collector.memory.memory_info().rss / 2**20)
            time.sleep(0.2)
        return Cost((_cpu(collector) - before) / spans * 100_000, peak)


def _cpu(collector: Collector) -> float:
    times = collector.memory.cpu_times()
    return float(times.user + times.system)


def latencies(shape: str, kib: int, rate: float = 40, seconds: float = 15) -> list[float]:
    """Milliseconds until a request of 510 spans is answered, at a steady rate of requests per second."""
    with tempfile.TemporaryDirectory() as folder, started(shape, Path(folder)) as collector:
        load.post(collector.http_port, 20, kib, seed=9)
        return load.paced(collector.http_port, kib, rate, seconds)


def show(name: str, ours: float, baseline: float, ratio: float) -> None:
    print(f"{name:<58} {ours:>10.2f} {baseline:>10.2f} {ratio:>8.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kib", type=int, nargs="*", default=[1, 10, 100], choices=list(_REQUESTS))
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many rounds counts (default: 3)")
    options = parser.parse_args()
    print(f"{'figure':<58} {'ours':>10} {'baseline':>10} {'ratio':>8}")
    for kib in options.kib:
        rounds = [{shape: cost(shape, kib, _REQUESTS[kib]) for shape in SHAPES} for _ in range(options.rounds)]
        cpu = {shape: statistics.median(r[shape].cpu_s for r in rounds) for shape in SHAPES}
        memory = {shape: max(r[shape].memory_mib for r in rounds) for shape in SHAPES}
        name = f"CPU s per 100k spans, {kib} KiB"
        for ours in ("full", "dropped"):
            show(f"{name}: {ours} (ratio = spans/s/core to plain)", cpu[ours], cpu["plain"], cpu["plain"] / cpu[ours])
            show(f"{name}: {ours} to tuned plain", cpu[ours], cpu["tuned"], cpu["tuned"] / cpu[ours])
        for shape in ("demo", "lgtm"):
            show(f"{name}: full to {shape} shape", cpu["full"], cpu[shape], cpu[shape] / cpu["full"])
        show(f"peak memory MiB, {kib} KiB: full", memory["full"], memory["plain"], memory["full"] / memory["plain"])
    ours, baseline = latencies("full", 1), latencies("plain", 1)
    for percent in (50, 99):
        pick = [statistics.quantiles(sample, n=100)[percent - 1] for sample in (ours, baseline)]
        show(f"answer to 510 spans at 40 requests/s, p{percent} ms: full", pick[0], pick[1], pick[0] / pick[1])


if __name__ == "__main__":
    main()
