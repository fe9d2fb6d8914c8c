"""Batching span and log processors that know how much of what they took was delivered.

The SDK drops silently: a full queue, a failed export and a shutdown that runs out of time leave no number behind.
Counting what goes in and what an exporter confirmed catches all three. Not here: where the telemetry goes
(`destination`).
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from agentobs.context.forks import in_child
from agentobs.emit.texts import length, mended_record, mended_span

# A demo task makes about 20 spans: at 50 tasks/s this queue holds more than a minute of a collector that is away.
_QUEUE: Final = 65_536
_BATCH: Final = 512
# Short, because a tool server has only seconds to hand over its last spans when its client goes away.
_DELAY_MS: Final = 500
# A process that ends waits no longer for a receiver that is away; the SDK waits 30 seconds for each signal.
_END_MS: Final = 10_000
# Bytes of text in one request. A receiver refuses a request that is too large as a whole, ours above 4 MiB; what is not
# text comes on top.
_REQUEST: Final = 3 * 2**20
_EACH: Final = 512  # of a span or record that is not in attributes
_Item = TypeVar("_Item")


@dataclass
class Ledger:
    """What one signal's processor accepted and what its exporter confirmed; safe to use from several threads."""

    accepted: int = 0
    delivered: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """What a parent process has not delivered yet is not lost by its child."""
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self.accepted, self.delivered, self._lock = 0, 0, threading.Lock()

    def accept(self) -> None:
        """Note one span or record that was taken."""
        with self._lock:
            self.accepted += 1

    def deliver(self, count: int) -> None:
        """Note `count` spans or records that the receiver confirmed."""
        with self._lock:
            self.delivered += count

    @property
    def outstanding(self) -> int:
        """Taken and not confirmed; after a shutdown these are lost."""
        with self._lock:
            return self.accepted - self.delivered


def parts(
    batch: Iterable[_Item], size: Callable[[_Item], int], mended: Callable[[_Item], _Item]
) -> Iterator[list[_Item]]:
    """A batch in as few requests as a receiver takes; what is too large by itself is one of its own."""
    part: list[_Item] = []
    held = 0
    for item in batch:
        try:
            taken, more = item, size(item)
        except UnicodeEncodeError:
            taken = mended(item)
            more = size(taken)
        if part and held + more > _REQUEST:
            yield part
            part, held = [], 0
        part.append(taken)
        held += more
    if part:
        yield part


def _span_size(span: ReadableSpan) -> int:
    texts = length(span.name) + length(span.status.description or "") + length(span.attributes)
    return texts + sum(length(each.name) + length(each.attributes) + _EACH for each in span.events) + _EACH


def _record_size(item: ReadableLogRecord) -> int:
    return length(item.log_record.attributes) + length(item.log_record.body) + _EACH


class _CountedSpanExporter(SpanExporter):
    def __init__(self, inner: SpanExporter, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        whole = SpanExportResult.SUCCESS
        for part in parts(spans, _span_size, mended_span):
            result = self._inner.export(part)
            if result is SpanExportResult.SUCCESS:
                self._ledger.deliver(len(part))
            else:
                whole = result
        return whole

    def shutdown(self) -> None:
        self._inner.shutdown()


class _CountedLogExporter(LogRecordExporter):
    def __init__(self, inner: LogRecordExporter, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        whole = LogRecordExportResult.SUCCESS
        for part in parts(batch, _record_size, mended_record):
            result = self._inner.export(part)
            if result is LogRecordExportResult.SUCCESS:
                self._ledger.deliver(len(part))
            else:
                whole = result
        return whole

    def shutdown(self) -> None:
        self._inner.shutdown()  # type: ignore[no-untyped-call]  # not annotated in the SDK

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


class CountedSpanProcessor(BatchSpanProcessor):
    """A batch processor whose `ledger` says how many ended spans were not delivered.

    `after_root` is called when the first span of a run has ended.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self.ledger = Ledger()
        self.after_root: Callable[[], None] | None = None
        super().__init__(
            _CountedSpanExporter(exporter, self.ledger),
            max_queue_size=_QUEUE,
            schedule_delay_millis=_DELAY_MS,
            max_export_batch_size=_BATCH,
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Count and queue one ended span."""
        if span.context is not None and span.context.trace_flags.sampled:
            self.ledger.accept()
        super().on_end(span)
        if self.after_root is not None and (span.parent is None or span.parent.is_remote):
            self.after_root()

    def shutdown(self) -> None:
        """Send what is queued, for ten seconds at most."""
        self._batch_processor.shutdown(timeout_millis=_END_MS)


class CountedLogProcessor(BatchLogRecordProcessor):
    """A batch processor whose `ledger` says how many log records were not delivered."""

    def __init__(self, exporter: LogRecordExporter) -> None:
        self.ledger = Ledger()
        super().__init__(
            _CountedLogExporter(exporter, self.ledger),
            max_queue_size=_QUEUE,
            schedule_delay_millis=_DELAY_MS,
            max_export_batch_size=_BATCH,
        )

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Count and queue one record."""
        self.ledger.accept()
        super().on_emit(log_record)

    def shutdown(self) -> None:
        """Send what is queued, for ten seconds at most."""
        self._batch_processor.shutdown(timeout_millis=_END_MS)
