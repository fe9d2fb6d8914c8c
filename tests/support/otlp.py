"""OTLP messages built and read back in the plainest form: spans and log records as dictionaries."""

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

KINDS = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}
STATUS = {"unset": Status.STATUS_CODE_UNSET, "ok": Status.STATUS_CODE_OK, "error": Status.STATUS_CODE_ERROR}
SERVICE = {"service.name": "agents", "service.version": "1.0.0", "deployment.environment.name": "test"}


def any_value(value: Any) -> AnyValue:
    """A Python value as OTLP AnyValue: str, bool, int, float, bytes, list, dict, or None for the empty value."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case Mapping():
            made = AnyValue()
            made.kvlist_value.values.extend(key_values(value))
            return made
        case _:
            made = AnyValue()
            made.array_value.values.extend(any_value(item) for item in value)
            return made


def key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=str(key), value=any_value(value)) for key, value in attributes.items()]


def plain(value: AnyValue) -> Any:
    """The reverse of `any_value`."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return attributes_of(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: plain(pair.value) for pair in pairs}


def span(
    name: str,
    attributes: Mapping[str, Any] | None = None,
    *,
    kind: str = "internal",
    status: str = "unset",
    message: str = "",
    trace_id: bytes | None = None,
    span_id: bytes | None = None,
    parent: bytes = b"",
    seconds: float = 0.1,
    ended_ago: float = 0.0,
    events: Iterable[tuple[str, Mapping[str, Any]]] = (),
) -> Span:
    """One span that ended `ended_ago` seconds before now and took `seconds`. Ids are random unless given."""
    end = time.time_ns() - int(ended_ago * 1e9)
    made = Span(
        trace_id=trace_id or os.urandom(16),
        span_id=span_id or os.urandom(8),
        parent_span_id=parent,
        name=name,
        kind=KINDS[kind],
        start_time_unix_nano=end - int(seconds * 1e9),
        end_time_unix_nano=end,
        attributes=key_values(attributes or {}),
        status=Status(code=STATUS[status], message=message),
    )
    for event, event_attributes in events:
        made.events.add(name=event, time_unix_nano=end, attributes=key_values(event_attributes))
    return made


def record(
    event: str = "",
    attributes: Mapping[str, Any] | None = None,
    *,
    body: Any = "",
    trace_id: bytes = b"",
    span_id: bytes = b"",
) -> LogRecord:
    """One log record of now; `event` is the OTLP event name."""
    return LogRecord(
        time_unix_nano=time.time_ns(),
        event_name=event,
        body=any_value(body),
        attributes=key_values(attributes or {}),
        trace_id=trace_id,
        span_id=span_id,
    )


def traces(
    spans: Iterable[Span], resource: Mapping[str, Any] | None = None, scope: str = "test"
) -> ExportTraceServiceRequest:
    """One export request: all spans of one resource and one instrumentation scope. Requests add up with MergeFrom."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(key_values(SERVICE if resource is None else resource))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = scope
    scope_spans.spans.extend(spans)
    return request


def logs(records: Iterable[LogRecord], resource: Mapping[str, Any] | None = None) -> ExportLogsServiceRequest:
    """One export request: all records of one resource."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.extend(key_values(SERVICE if resource is None else resource))
    resource_logs.scope_logs.add().log_records.extend(records)
    return request


def counter(name: str, value: float, resource: Mapping[str, Any] | None = None) -> ExportMetricsServiceRequest:
    """One export request: one cumulative counter that began a minute ago."""
    request = ExportMetricsServiceRequest()
    resource_metrics = request.resource_metrics.add()
    resource_metrics.resource.attributes.extend(key_values(SERVICE if resource is None else resource))
    metric = resource_metrics.scope_metrics.add().metrics.add(name=name)
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    metric.sum.is_monotonic = True
    now = time.time_ns()
    metric.sum.data_points.add(as_double=value, time_unix_nano=now, start_time_unix_nano=now - 60 * 10**9)
    return request


def spans_of(request: ExportTraceServiceRequest) -> list[dict[str, Any]]:
    """Every span of a request, its resource and scope beside it."""
    return [
        {
            "name": item.name,
            "kind": next(name for name, number in KINDS.items() if number == item.kind) if item.kind else "",
            "trace": item.trace_id.hex(),
            "id": item.span_id.hex(),
            "parent": item.parent_span_id.hex(),
            "status": next(name for name, number in STATUS.items() if number == item.status.code),
            "message": item.status.message,
            "attributes": attributes_of(item.attributes),
            "events": [{"name": e.name, "attributes": attributes_of(e.attributes)} for e in item.events],
            "links": [attributes_of(link.attributes) for link in item.links],
            "start": item.start_time_unix_nano,
            "end": item.end_time_unix_nano,
            "scope": scope.scope.name,
            "state": item.trace_state,
            "resource": attributes_of(resource.resource.attributes),
        }
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for item in scope.spans
    ]


def records_of(request: ExportLogsServiceRequest) -> list[dict[str, Any]]:
    """Every log record of a request, its resource beside it."""
    return [
        {
            "event": item.event_name,
            "body": plain(item.body),
            "severity": item.severity_text,
            "trace": item.trace_id.hex(),
            "attributes": attributes_of(item.attributes),
            "resource": attributes_of(resource.resource.attributes),
        }
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for item in scope.log_records
    ]


def points_of(request: ExportMetricsServiceRequest) -> list[dict[str, Any]]:
    """Every number or histogram point of a request with its metric's name."""
    found = []
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points if kind else ():
                    value = point.sum if kind == "histogram" else (point.as_double or point.as_int)
                    found.append(
                        {
                            "metric": metric.name,
                            "kind": kind,
                            "labels": attributes_of(point.attributes),
                            "value": value,
                            "count": getattr(point, "count", None),
                            "exemplars": len(point.exemplars),
                            "start": point.start_time_unix_nano,
                            "time": point.time_unix_nano,
                            "resource": attributes_of(resource.resource.attributes),
                        }
                    )
    return found
