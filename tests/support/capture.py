"""An OTLP/HTTP endpoint on loopback that keeps what it gets, and can be told to fail."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support import otlp


@dataclass
class Request:
    """One request as it came in; the body is already decompressed."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Capture:
    """What arrived so far. `status` is answered to every request; only requests answered with 200 are kept."""

    server: ThreadingHTTPServer
    status: int = 200
    requests: list[Request] = field(default_factory=list)
    refused: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def _bodies(self, suffix: str) -> list[bytes]:
        return [request.body for request in list(self.requests) if request.path.endswith(suffix)]

    @property
    def spans(self) -> list[dict[str, Any]]:
        parsed = (ExportTraceServiceRequest.FromString(body) for body in self._bodies("/v1/traces"))
        return [span for request in parsed for span in otlp.spans_of(request)]

    @property
    def records(self) -> list[dict[str, Any]]:
        parsed = (ExportLogsServiceRequest.FromString(body) for body in self._bodies("/v1/logs"))
        return [record for request in parsed for record in otlp.records_of(request)]

    @property
    def points(self) -> list[dict[str, Any]]:
        parsed = (ExportMetricsServiceRequest.FromString(body) for body in self._bodies("/v1/metrics"))
        return [point for request in parsed for point in otlp.points_of(request)]

    def span(self, name: str) -> dict[str, Any]:
        """The one span of that name."""
        (found,) = [span for span in self.spans if span["name"] == name]
        return found

    def wait(self, count: Callable[["Capture"], int], wanted: int, timeout_s: float = 20) -> None:
        """Wait until `count(self)` reaches `wanted`; fails by assertion, naming both numbers."""
        deadline = time.monotonic() + timeout_s
        while (got := count(self)) < wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        assert got >= wanted, f"waited {timeout_s} s for {wanted}, got {got}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        capture: Capture = self.server.capture  # type: ignore[attr-defined]
        if capture.status == 200:
            capture.requests.append(Request(self.path, dict(self.headers), body, time.time()))
        else:
            capture.refused += 1
        self.send_response(capture.status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def capturing(port: int = 0) -> Iterator[Capture]:
    """A running capture endpoint; port 0 takes a free one."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    capture = Capture(server)
    server.capture = capture  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield capture
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
