"""A small OTLP/HTTP receiver on this machine: spans and events of programs and services that are tested."""

import base64
import gzip
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from google.protobuf.json_format import ParseDict, ParseError  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from agentobs.contract import ROLE_TASK, Attr
from delivery.golden.capture import Events
from delivery.golden.observed import Span

SETTLE_S: Final = 0.5
"""How long a run goes on after its task span: what lies beside it may come later."""
_LARGEST: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Receiver:
    """Listens while it is entered. `port` 0 is any that is free."""

    port: int = 0
    _spans: dict[str, list[Span]] = field(default_factory=dict)
    _events: dict[str, Events] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        """Listen on the loopback interface only."""
        server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        server.daemon_threads = True
        self._server, self.port = server, server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def endpoint(self) -> str:
        """The address that programs send to."""
        return f"http://127.0.0.1:{self.port}"

    def traces(self) -> list[str]:
        """Ids of all traces that came and were not taken."""
        with self._changed:
            return sorted(self._spans)

    def wait(self, trace: str, limit_s: float) -> bool:
        """Wait for the task span of a trace, then for what belongs to it; whether nothing is missing."""
        until = time.monotonic() + limit_s
        with self._changed:
            while not any(span.said(Attr.SPAN_ROLE) == ROLE_TASK for span in self._spans.get(trace, ())):
                if not self._changed.wait(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                    return False
            settled = time.monotonic() + SETTLE_S
            while (left := settled - time.monotonic()) > 0 and orphans(self._spans[trace]):
                self._changed.wait(left)
            return not orphans(self._spans[trace])

    def take(self, trace: str) -> tuple[list[Span], Events]:
        """What came of a trace; nothing more is kept of it."""
        with self._changed:
            return self._spans.pop(trace, []), self._events.pop(trace, [])

    def accept(self, spans: list[Span], events: list[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Keep what was sent."""
        with self._changed:
            for span in spans:
                self._spans.setdefault(span.trace, []).append(span)
            for trace, name, attributes in events:
                self._events.setdefault(trace, []).append((name, attributes))
            self._changed.notify_all()


def orphans(spans: list[Span]) -> int:
    """How many spans lie below one that did not come, besides those below the run's own."""
    ids = {span.id for span in spans}
    missing = {span.parent for span in spans if span.parent and span.parent not in ids}
    return max(0, len(missing) - 1)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > _LARGEST:
                self.close_connection = True
                self._answer(413)
                return
            body = self.rfile.read(length)
            try:
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.accept(*_sent(self.path, body, as_json="json" in (self.headers.get("Content-Type") or "")))
            except (DecodeError, ParseError, ValueError, OSError):
                self._answer(400)
                return
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 the standard library's names
            """Say nothing."""

    return Handler


def _sent(path: str, body: bytes, *, as_json: bool) -> tuple[list[Span], list[tuple[str, str, Mapping[str, Any]]]]:
    """What a request holds; what is neither spans nor records holds nothing."""
    if path.endswith("/v1/traces"):
        return _spans(_parsed(ExportTraceServiceRequest(), body, as_json=as_json)), []
    if path.endswith("/v1/logs"):
        return [], _events(_parsed(ExportLogsServiceRequest(), body, as_json=as_json))
    return [], []


def _parsed(message: Any, body: bytes, *, as_json: bool) -> Any:  # noqa: ANN401 one of two messages
    if as_json:
        return ParseDict(_in_bytes(json.loads(body)), message, ignore_unknown_fields=True)
    message.ParseFromString(body)
    return message


def _in_bytes(document: Any) -> Any:  # noqa: ANN401 any JSON
    """OTLP's JSON writes ids in hexadecimal, protobuf's in base 64."""
    if isinstance(document, dict):
        made = {key: _in_bytes(value) for key, value in document.items()}
        for key in ("traceId", "spanId", "parentSpanId"):
            if isinstance(made.get(key), str):
                made[key] = base64.b64encode(bytes.fromhex(made[key])).decode()
        return made
    return [_in_bytes(each) for each in document] if isinstance(document, list) else document


def _spans(request: ExportTraceServiceRequest) -> list[Span]:
    return [
        Span(
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            name=span.name,
            start=span.start_time_unix_nano,
            end=span.end_time_unix_nano,
            server_side=span.kind == OtlpSpan.SPAN_KIND_SERVER,
            attributes=_attributes(span.attributes),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _events(request: ExportLogsServiceRequest) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        (record.trace_id.hex(), record.event_name, _attributes(record.attributes))
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
        if record.event_name
    ]


def _attributes(pairs: Any) -> dict[str, Any]:  # noqa: ANN401 protobuf's repeated field
    found: list[KeyValue] = list(pairs)
    return {pair.key: _value(pair.value) for pair in found}


def _value(value: AnyValue) -> Any:  # noqa: ANN401 attributes are of any type
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return _attributes(value.kvlist_value.values) if kind == "kvlist_value" else getattr(value, kind)
