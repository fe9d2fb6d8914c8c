"""Texts that no receiver takes: half a character, as a model's answer that was cut leaves behind (a lone surrogate).

OpenTelemetry's exporter gives up a whole batch for one such name or message. Not here: how large a request may be.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status


def whole(text: str) -> str:
    """Return a text with a question mark for each half of a character."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def length(value: Any) -> int:  # noqa: ANN401 whatever an attribute holds
    """Bytes of what an attribute holds. Raises UnicodeEncodeError for half a character."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(length(str(key)) + length(inner) for key, inner in value.items())
    return sum(map(length, value)) if isinstance(value, Sequence) else 8


def mended_span(span: ReadableSpan) -> ReadableSpan:
    """Return a span whose texts are whole."""
    status = span.status
    return ReadableSpan(
        name=whole(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_mended(span.attributes),
        events=[Event(whole(each.name), _mended(each.attributes), each.timestamp) for each in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(status.status_code, whole(status.description)) if status.description else status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def mended_record(item: ReadableLogRecord) -> ReadableLogRecord:
    """Mend a log record's texts in place, and return it."""
    record = item.log_record
    record.body, record.attributes = _mended(record.body), _mended(record.attributes)
    return item


def _mended(value: Any) -> Any:  # noqa: ANN401 whatever an attribute holds
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, Mapping):
        return {whole(str(key)): _mended(inner) for key, inner in value.items()}
    return [_mended(each) for each in value] if isinstance(value, list | tuple) else value
