"""Spans of a system that runs in this process: caught beside its own exporters, after its own set-up.

A provider that is there gets one more processor; where none is there, ours is set up, which sends nothing anywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from agentobs import emit
from agentobs.emit.destination import Exporters
from delivery.golden.observed import Span

Events = list[tuple[str, Mapping[str, Any]]]


class Capture(SpanProcessor, LogRecordProcessor):
    """Keeps spans and events of the traces that somebody asked for, until they are taken."""

    def __init__(self) -> None:
        self._spans: dict[int, list[Span]] = {}
        self._events: dict[int, Events] = {}

    def begin(self, trace_id: int) -> None:
        """Keep what comes of this trace."""
        self._spans[trace_id], self._events[trace_id] = [], []

    def take(self, trace_id: int) -> tuple[list[Span], Events]:
        """What came of a trace; nothing more is kept of it."""
        return self._spans.pop(trace_id, []), self._events.pop(trace_id, [])

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        context = span.get_span_context()
        if context is not None and (kept := self._spans.get(context.trace_id)) is not None:
            kept.append(_plain(span, context.trace_id, context.span_id))

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """An event of the contract came."""
        record = log_record.log_record
        if record.event_name and (kept := self._events.get(record.trace_id or 0)) is not None:
            kept.append((record.event_name, dict(record.attributes or {})))

    def shutdown(self) -> None:
        """Nothing is held that somebody waits for."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 likewise
        """Likewise."""
        return True


def _plain(span: ReadableSpan, trace_id: int, span_id: int) -> Span:
    return Span(
        trace=f"{trace_id:032x}",
        id=f"{span_id:016x}",
        parent=f"{span.parent.span_id:016x}" if span.parent else "",
        name=span.name,
        start=span.start_time or 0,
        end=span.end_time or 0,
        server_side=span.kind is SpanKind.SERVER,
        attributes=dict(span.attributes or {}),
    )


class _NoSpans(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 they go nowhere
        return SpanExportResult.SUCCESS


class _NoRecords(LogRecordExporter):
    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:  # noqa: ARG002 likewise
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is open."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 nothing is held
        """Nothing is held."""
        return True


def install() -> Capture:
    """Catch spans and events of this process from now on."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        nowhere = Exporters(spans=_NoSpans(), logs=_NoRecords())
        emit.configure(service="golden", version="0", environment="golden", exporters=nowhere)
    capture = Capture()
    tracers, loggers = trace.get_tracer_provider(), get_logger_provider()
    if isinstance(tracers, TracerProvider):
        tracers.add_span_processor(capture)
    if isinstance(loggers, LoggerProvider):
        loggers.add_log_record_processor(capture)
    return capture
