"""Tempo's HTTP API as a store of traces."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import requests
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status, TracesData

from agentobs.contract import Attr
from collector.search import Span, SpanSearch, Trace, traceql
from stacks.clients.http import Connection

_NS: Final = 1e9
_ID_DIGITS: Final = 32  # Tempo leaves leading zeros off
_PROTOBUF: Final = "application/protobuf"
_KIND_PREFIX: Final = "SPAN_KIND_"


class Tempo:
    """One Tempo at `url`; `headers` hold the login where it wants one."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._store = Connection("Tempo", url, headers, "--tempo")

    def services(self, search: SpanSearch, start: float, end: float) -> list[str]:
        """Names of the programs with a span that the search wants."""
        path = f"/api/v2/search/tag/resource.{Attr.SERVICE_NAME}/values"
        answer = self._store.json(path, _asked(search, start, end))
        with self._store.reading(path):
            return sorted(str(row["value"]) for row in answer.get("tagValues") or [])

    def find(self, search: SpanSearch, start: float, end: float, limit: int) -> list[Trace]:
        """At most `limit` traces with a span that the search wants, newest first."""
        params = {**_asked(search, start, end), "limit": str(limit)}
        answer = self._store.json("/api/search", params)
        with self._store.reading("/api/search"):
            rows = [_row(found) for found in answer.get("traces") or []]
        return sorted(rows, key=lambda row: -row.start)[:limit]

    def trace(self, trace_id: str) -> list[Span]:
        """Every span of a trace, each once; nothing where the trace is gone."""
        if not trace_id:
            return []
        path = f"/api/traces/{quote(trace_id, safe='')}"
        answer = self._store.get(path, {}, _PROTOBUF, or_nothing=True)
        if answer.status_code == requests.codes.not_found:
            return []
        with self._store.reading(path):
            return list({span.span_id: span for span in _spans(answer)}.values())

    def calls(self, search: SpanSearch, start: float, end: float) -> None:
        """Tempo writes them to Prometheus."""

    def link(self, trace_id: str) -> str:
        """The trace as Tempo answers it."""
        return f"{self._store.url}/api/traces/{trace_id}"


def _asked(search: SpanSearch, start: float, end: float) -> dict[str, str]:
    return {"start": f"{start:.0f}", "end": f"{end + 1:.0f}", "q": traceql.render(search)}


def _row(found: Mapping[str, Any]) -> Trace:
    """A trace whose root has not come yet has no name."""
    return Trace(
        trace_id=str(found["traceID"]).rjust(_ID_DIGITS, "0"),
        service=str(found.get("rootServiceName", "")),
        name=str(found.get("rootTraceName", "")),
        start=int(found["startTimeUnixNano"]) / _NS,
        duration_s=found.get("durationMs", 0) / 1000,
    )


def _spans(answer: requests.Response) -> Iterator[Span]:
    """Tempo's message is OTLP's under another name. Raises ValueError for anything else."""
    kind = answer.headers.get("Content-Type", "")
    if _PROTOBUF not in kind:  # which other text can make the parser crash the process
        raise ValueError(f"its type is {kind}, expected {_PROTOBUF}")
    try:
        data = TracesData.FromString(answer.content)
    except DecodeError as error:
        raise ValueError(error) from error
    for batch in data.resource_spans:
        resource = _attributes(batch.resource.attributes)
        for scope in batch.scope_spans:
            for span in scope.spans:
                yield _span(span, resource, scope.scope.name)


def _span(span: OtlpSpan, resource: dict[str, Any], scope: str) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        kind=OtlpSpan.SpanKind.Name(span.kind).removeprefix(_KIND_PREFIX).lower(),
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        start=span.start_time_unix_nano / _NS,
        end=span.end_time_unix_nano / _NS,
        attributes=_attributes(span.attributes),
        resource=resource,
        message=span.status.message,
        scope=scope,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: AnyValue) -> Any:  # noqa: ANN401 the value of any attribute
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
