"""What trials are played to: a real collector that counts into a real Prometheus with the real rules, and no stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alerts import rules
from support.capture import capturing
from support.otelcol import Collector
from support.profiles import collector_for
from support.prometheus import Prometheus, prometheus_at


@contextmanager
def trial_stack(folder: Path) -> Iterator[tuple[Prometheus, Collector]]:
    """Prometheus and collector, ended whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rules.yml"
    path.write_text(rules.render())
    with prometheus_at(folder / "prometheus", rules=(path,)) as prometheus, capturing() as nobody:
        collector = collector_for(folder / "collector", prometheus.url, nobody, "collector-0")
        config = dict(collector.config)
        config["exporters"]["debug"] = {}
        for name in ("traces/tempo", "logs/store"):
            config["service"]["pipelines"][name]["exporters"] = ["debug"]
        for unused in ("otlp_grpc/tempo", "otlp_http/loki"):
            config["exporters"].pop(unused)
        try:
            yield prometheus, collector.start()
        finally:
            collector.kill()
