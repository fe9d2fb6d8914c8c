"""Shared by unit tests: telemetry (in-memory exporters; a real OTLP/HTTP receiver for other processes), a placement."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sse_starlette import sse

from agentobs import emit
from stacks.observability import LocalPlacement
from stacks.ports import PORTS
from stacks.process.layout import StackDir


@dataclass
class Recorded:
    """What the process emitted since the test began."""

    telemetry: emit.Telemetry
    span_exporter: InMemorySpanExporter
    log_exporter: InMemoryLogRecordExporter

    @property
    def spans(self) -> list[ReadableSpan]:
        self.telemetry.flush()
        return list(self.span_exporter.get_finished_spans())

    @property
    def logs(self) -> list[ReadableLogRecord]:
        self.telemetry.flush()
        return list(self.log_exporter.get_finished_logs())

    def span(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def clear(self) -> None:
        self.telemetry.flush()
        self.span_exporter.clear()
        self.log_exporter.clear()


@pytest.fixture(scope="session")
def process_telemetry() -> Recorded:
    """Configured once: a process has one tracer provider."""
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    telemetry = emit.configure(
        service="unit", version="1.0", environment="test", exporters=emit.Exporters(spans=spans, logs=logs)
    )
    return Recorded(telemetry, spans, logs)


@pytest.fixture(scope="module", autouse=True)  # before a module's own fixtures, which may run the golden dataset
def _provider_of_this_process(request: pytest.FixtureRequest) -> None:
    """A golden run uses the provider that is there, and makes one where there is none: ours has to be first."""
    if any(word in request.module.__name__ for word in ("golden", "outside", "workflows")):
        request.getfixturevalue("process_telemetry")


@pytest.fixture(autouse=True)
def _streams_of_this_test() -> None:
    """The library of event streams remembers for the whole process that a server was told to end: tests have many."""
    sse.AppStatus.should_exit = False
    vars(sse._thread_state).pop("shutdown_state", None)


@pytest.fixture
def recorded(process_telemetry: Recorded) -> Recorded:
    process_telemetry.clear()
    return process_telemetry


@dataclass
class OtlpReceiver:
    """A real OTLP/HTTP endpoint on a loopback port; `status` is what it answers."""

    server: ThreadingHTTPServer
    status: int = 200
    requests: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [
            {
                "name": span.name,
                "kind": span.kind,
                "trace": span.trace_id.hex(),
                "id": span.span_id.hex(),
                "parent": span.parent_span_id.hex(),
                "failed": span.status.code == span.status.STATUS_CODE_ERROR,
                "resource": _attributes(resource.resource.attributes),
                "attributes": _attributes(span.attributes),
            }
            for path, body in self.requests
            if path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def logs(self) -> list[dict[str, Any]]:
        return [
            {
                "event": record.event_name,
                "body": record.body.string_value,
                "trace": record.trace_id.hex(),
                "resource": _attributes(resource.resource.attributes),
                "attributes": _attributes(record.attributes),
            }
            for path, body in self.requests
            if path == "/v1/logs"
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


@pytest.fixture
def otlp() -> Iterator[OtlpReceiver]:
    with _receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def otlp_for_module() -> Iterator[OtlpReceiver]:
    with _receiver() as receiver:
        yield receiver


@pytest.fixture
def placement(tmp_path: Path) -> LocalPlacement:
    """Everything on loopback with the default ports."""
    return LocalPlacement(PORTS, StackDir(tmp_path))


@contextmanager
def _receiver() -> Iterator[OtlpReceiver]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    receiver = OtlpReceiver(server)
    server.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver: OtlpReceiver = self.server.receiver  # type: ignore[attr-defined]
        if receiver.status == 200:
            receiver.requests.append((self.path, body))
        self.send_response(receiver.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep test output clean."""


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
