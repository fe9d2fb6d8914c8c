"""A real Prometheus that takes OTLP, started with the arguments and the configuration of the local stack."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

import toolchain
from stacks.components import prometheus
from stacks.deployment import Deployment
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.observability import LocalPlacement
from stacks.ports import PORTS
from stacks.process.layout import StackDir
from support.ports import free_ports

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
_IDENTITY = ("__name__", "job", "instance")


@dataclass
class Prometheus:
    """One Prometheus on a loopback port."""

    folder: Path
    port: int
    extra: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Prometheus":
        self.folder.mkdir(parents=True, exist_ok=True)
        at = LocalPlacement(PORTS, StackDir(self.folder))
        local = Deployment.of(ENVIRONMENTS[EnvName.LOCAL])
        config = prometheus.config(local, at) | {
            "scrape_configs": [],
            "rule_files": [str(path) for path in self.rules],
            "alerting": {},
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        flags = [a for a in prometheus.workload(local, at).command[1:] if a.startswith(("--web.enable", "--enable"))]
        with (self.folder / "prometheus.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(toolchain.require(["prometheus"])["prometheus"]),
                    f"--config.file={self.folder}/prometheus.yml",
                    f"--storage.tsdb.path={self.folder}/data",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    *flags,
                    *self.extra,
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while not self._ready():
            assert self.process.poll() is None, (self.folder / "prometheus.log").read_text()[-3000:]
            assert time.monotonic() < deadline, "Prometheus did not become ready"
            time.sleep(0.05)
        return self

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=1).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def query(self, promql: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/api/v1/query", params={"query": promql}, timeout=20).json()
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def increases(self, names: str = "agentic_.*", window: str = "1h") -> Series:
        """What every counter and histogram count and sum grew by, by name and full label set, collectors added up."""
        matcher = f'{{__name__=~"({names})(_total|_count|_sum)",__name__!~"agentic_span_.*"}}'
        found: Series = {}
        for name in {
            r["metric"]["__name__"] for r in self.query(f"group by (__name__) (last_over_time({matcher}[{window}]))")
        }:
            for result in self.query(f"increase({name}[{window}] anchored)"):
                labels = frozenset((k, v) for k, v in result["metric"].items() if k not in _IDENTITY)
                found[name, labels] = found.get((name, labels), 0.0) + float(result["value"][1])
        return found


@contextmanager
def prometheus_at(folder: Path, *extra: str, rules: tuple[Path, ...] = ()) -> Iterator[Prometheus]:
    """A started Prometheus, ended whatever happens."""
    (port,) = free_ports(1)
    made = Prometheus(folder, port, extra, rules)
    try:
        yield made.start()
    finally:
        made.stop()
