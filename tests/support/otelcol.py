"""A real collector process with a configuration of the test's choice, on loopback ports of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
from google.protobuf.message import Message

import toolchain
from collector.depth import FLAG
from collector.document import to_yaml

_PATHS = {
    "ExportTraceServiceRequest": "traces",
    "ExportLogsServiceRequest": "logs",
    "ExportMetricsServiceRequest": "metrics",
}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@dataclass
class Collector:
    """One collector: `config` must listen for OTLP/HTTP on `http_port` and report health on `health_port`."""

    config: Mapping[str, Any]
    folder: Path
    http_port: int
    health_port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def log(self) -> str:
        return (self.folder / "otelcol.log").read_text(errors="replace")

    @property
    def memory(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def start(self, timeout_s: float = 120, env: Mapping[str, str] | None = None) -> "Collector":
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "collector.yaml"
        path.write_text(to_yaml(dict(self.config)))
        binary = toolchain.require(["otelcol"])["otelcol"]
        with (self.folder / "otelcol.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(binary), f"--config={path}", FLAG],
                stdout=log,
                stderr=log,
                env=dict(env) if env is not None else None,
            )
        deadline = time.monotonic() + timeout_s
        while not self._healthy():
            assert self.process.poll() is None, f"the collector ended at once:\n{self.log[-4000:]}"
            assert time.monotonic() < deadline, f"the collector did not become healthy:\n{self.log[-4000:]}"
            time.sleep(0.05)
        return self

    def _healthy(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.health_port}/", timeout=1).ok
        except requests.ConnectionError:
            return False

    def send(self, message: Message, **headers: str) -> requests.Response:
        """Post one OTLP request; the path follows from its type."""
        path = _PATHS[type(message).__name__]
        return requests.post(
            f"{self.url}/v1/{path}", data=message.SerializeToString(), headers={**PROTOBUF, **headers}, timeout=30
        )

    def end(self, how: signal.Signals, timeout_s: float = 30) -> None:
        """Signal the process and wait for its end; does nothing when it has ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def kill(self) -> None:
        self.end(signal.SIGKILL)


def transforming(processors: Mapping[str, Any], to: str, http_port: int, health_port: int) -> dict[str, Any]:
    """A configuration that sends all signals through `processors` to an OTLP/HTTP endpoint, without a queue."""
    pipeline = {"receivers": ["otlp"], "processors": list(processors), "exporters": ["otlp_http"]}
    return {
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health_port}"}},
        "receivers": {
            "otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{http_port}", "max_request_body_size": 64 * 2**20}}}
        },
        "processors": dict(processors),
        "exporters": {"otlp_http": {"endpoint": to, "compression": "none", "sending_queue": {"enabled": False}}},
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": pipeline, "logs": pipeline},
        },
    }


@contextmanager
def running(
    config: Mapping[str, Any], folder: Path, http_port: int, health_port: int, env: Mapping[str, str] | None = None
) -> Iterator[Collector]:
    """A started collector, ended whatever happens; `env` on top of what is there."""
    collector = Collector(config, folder, http_port, health_port)
    try:
        yield collector.start(env={**os.environ, **(env or {})})
    finally:
        collector.kill()
