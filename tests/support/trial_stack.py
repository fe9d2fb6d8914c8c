"""What trials are played to: a real collector that counts into a real Prometheus with the real rules, and no stores."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alerts import rules
from support.capture import capturing
from support.otelcol import Collector
from support.profiles import collector_for
from support.prometheus import Prometheus, prometheus_at
from support.trials import Trial

_LATEST_S = 5.0  # the exemplars' flush


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
            yield prometheus, collector.start(timeout_s=120)
        finally:
            collector.kill()


def arrived(prometheus: Prometheus, trials: Sequence[Trial], timeout_s: float = 300) -> None:
    """Wait until every task that was played is counted: a crowded machine is minutes behind."""
    sent, deadline = sum(trial.played for trial in trials), time.monotonic() + timeout_s
    while (counted := _counted(prometheus)) < sent:
        assert time.monotonic() < deadline, f"{counted:.0f} of {sent} tasks were counted after {timeout_s:.0f} s"
        time.sleep(1)
    time.sleep(_LATEST_S)


def _counted(prometheus: Prometheus) -> float:
    found = prometheus.query("sum(increase(agentic_task_calls_total[2h] anchored))")
    return float(found[0]["value"][1]) if found else 0.0
