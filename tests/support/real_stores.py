"""A real Jaeger and a real VictoriaLogs on loopback, with the arguments and configurations of the local stack."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

import toolchain
from collector.exporters import STREAMS_HEADER
from stacks.components import jaeger, victorialogs
from stacks.deployment import Deployment
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.observability import LocalPlacement
from stacks.ports import PORTS
from stacks.process.layout import StackDir
from stacks.workload import CONFIG_DIR, Placement, Workload
from support.ports import free_ports


@dataclass
class Running:
    """One workload as a process."""

    workload: Workload
    ports: dict[str, int]
    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    @property
    def written(self) -> set[Path]:
        """The files that it has open to write, and those that it left where it was started or where others put theirs.

        Not the log, which is ours.
        """
        regular = {Path(each.path) for each in psutil.Process(self.process.pid).open_files() if each.mode != "r"}
        return (regular | {*(self.folder / "empty").rglob("*")}) - {self.folder / "log"}

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")


@contextmanager
def running(made: Callable[[Deployment, Placement], Workload], folder: Path) -> Iterator[Running]:
    """A started workload of the local stack on free ports, ended whatever happens."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    workload = made(Deployment.of(ENVIRONMENTS[EnvName.LOCAL]), LocalPlacement(ports, StackDir(folder)))
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in workload.files.items():
        (folder / name).write_text(text)
    words = [word.replace(CONFIG_DIR, str(folder)) for word in workload.command]
    binary = toolchain.require([words[0]])[words[0]]
    empty = folder / "empty"
    empty.mkdir()
    env = {**os.environ, **workload.env, "HOME": str(empty), "TMPDIR": str(empty)}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([str(binary), *words[1:]], stdout=log, stderr=log, cwd=empty, env=env)
    started = Running(workload, ports, folder, process)
    try:
        _wait(started)
        yield started
    finally:
        process.terminate()
        process.wait(30)


def _wait(started: Running, timeout_s: float = 60) -> None:
    url = f"{started.url(started.workload.ready_port)}{started.workload.ready_path}"
    deadline = time.monotonic() + timeout_s
    while not _ready(url):
        assert started.process.poll() is None, started.log[-3000:]
        assert time.monotonic() < deadline, f"{started.workload.name} did not become ready: {started.log[-3000:]}"
        time.sleep(0.1)


def _ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.ConnectionError:
        return False


@contextmanager
def jaeger_at(folder: Path) -> Iterator[Running]:
    with running(jaeger.workload, folder) as started:
        yield started


@contextmanager
def victorialogs_at(folder: Path) -> Iterator[Running]:
    with running(victorialogs.workload, folder) as started:
        yield started


def send_spans(store: Running, requests_: Sequence[ExportTraceServiceRequest]) -> None:
    """Send to Jaeger as the collector does; returns when all are stored."""
    with grpc.insecure_channel(f"127.0.0.1:{store.ports['jaeger-otlp']}") as channel:
        for each in requests_:
            TraceServiceStub(channel).Export(each, timeout=20)


def send_lines(store: Running, request: ExportLogsServiceRequest) -> None:
    """Send to VictoriaLogs as the collector does; what it holds back for a moment is written out."""
    headers = {"Content-Type": "application/x-protobuf", **STREAMS_HEADER}
    url = store.url("victorialogs")
    answer = requests.post(
        f"{url}/insert/opentelemetry/v1/logs", request.SerializeToString(), headers=headers, timeout=20
    )
    assert answer.ok, answer.text
    assert requests.get(f"{url}/internal/force_flush", timeout=20).ok
