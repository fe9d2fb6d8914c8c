"""Two records of one run: what a span processor sees as it happens, and what is exported over OTLP."""

import gzip
import json
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from google.protobuf.json_format import MessageToDict
from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from spelling import requested

# The span that was started last in this context: all that a processor can go by where a framework attaches nothing.
_LAST: ContextVar[str | None] = ContextVar("last_started", default=None)
REQUESTS = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


def _plain(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in (attributes or {}).items()}


def _id(context: trace.SpanContext | None) -> str | None:
    return f"{context.span_id:016x}" if context and context.span_id else None


class StartEndLog(SpanProcessor):
    """A line for each start and each end, in their order; between them, what open spans were told meanwhile (SET)."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._open: dict[int, tuple[Span, dict[str, Any]]] = {}

    def _note_changes(self) -> None:
        """A line for each open span that says more than when it was last seen; the lock is held."""
        for span, known in list(self._open.values()):
            now = _plain(span.attributes)
            new = {key: value for key, value in now.items() if known.get(key) != value}
            if new:
                known.update(new)
                ids = {"trace": f"{span.context.trace_id:032x}", "span": _id(span.context)}
                self.lines.append({"event": "SET", **ids, "name": span.name, "attributes": new})

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note what is known when a span starts."""
        parent = trace.get_current_span(parent_context)
        line = {
            "event": "START",
            "trace": f"{span.context.trace_id:032x}",
            "span": _id(span.context),
            "parent": _id(span.parent),
            "name": span.name,
            "kind": span.kind.name,
            "scope": span.instrumentation_scope.name if span.instrumentation_scope else None,
            "scope_version": span.instrumentation_scope.version if span.instrumentation_scope else None,
            "attributes": _plain(span.attributes),
            "time": span.start_time,
            "thread": threading.current_thread().name,
            # What else a processor could see then: is the parent at hand, and what goes on around it?
            "parent_is_live": isinstance(parent, ReadableSpan),
            "parent_is_remote": bool(span.parent and span.parent.is_remote),
            "ambient": _id(trace.get_current_span().get_span_context()),
            "last_in_context": _LAST.get(),
            "baggage": {key: str(value) for key, value in baggage.get_all(parent_context).items()},
        }
        _LAST.set(line["span"])
        with self._lock:
            self._note_changes()
            self.lines.append(line)
            self._open[span.context.span_id] = (span, _plain(span.attributes))

    def on_end(self, span: ReadableSpan) -> None:
        """Note the span as it is exported."""
        line = {
            "event": "END",
            "trace": f"{span.context.trace_id:032x}",
            "span": _id(span.context),
            "name": span.name,
            "attributes": _plain(span.attributes),
            "events": [{"name": e.name, "time": e.timestamp, "attributes": _plain(e.attributes)} for e in span.events],
            "links": [{"trace": f"{x.context.trace_id:032x}", "span": _id(x.context)} for x in span.links],
            "status": span.status.status_code.name,
            "status_message": span.status.description,
            "time": span.end_time,
            "thread": threading.current_thread().name,
        }
        with self._lock:
            self._open.pop(span.context.span_id, None)
            self._note_changes()
            self.lines.append(line)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Receiver"

    def do_POST(self) -> None:
        payload = requested.read_body(self)
        if self.headers.get("content-encoding") == "gzip":
            payload = gzip.decompress(payload)
        # Backends put something before the path, Langfuse for one.
        path = next((known for known in REQUESTS if self.path.endswith(known)), self.path)
        if "json" in self.headers.get("content-type", ""):
            request = json.loads(payload)
        elif path in REQUESTS:
            message = REQUESTS[path]()
            message.ParseFromString(payload)
            request = MessageToDict(message)
        else:
            request = {}
        self.server.lines.append({"path": path, "request": request})
        self.send_response(200)
        self.send_header("content-type", self.headers.get("content-type", "application/x-protobuf"))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: a capture's output is its own."""


class Receiver(ThreadingHTTPServer):
    """An OTLP/HTTP receiver that keeps what it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lines: list[dict[str, Any]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
