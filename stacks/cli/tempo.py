"""Tempo HTTP API client: which traces there are, and their spans as the telemetry check reads them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import requests
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status, TracesData

from collector.check import Span
from collector.signals import Attr
from dashboards.report import TraceRow, TraceSpan

_TIMEOUT_S: Final = 30
_NS: Final = 1e9
_ID_DIGITS: Final = 32  # Tempo leaves leading zeros off
_KIND_PREFIX: Final = "SPAN_KIND_"


class TempoError(RuntimeError):
    """Tempo could not be asked, or refused the question."""


class Tempo:
    """One Tempo at `url`; `headers` hold the login where it wants one."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update(headers or {})

    def _get(self, path: str, params: dict[str, str], accept: str = "application/json") -> requests.Response:
        try:
            answer = self._session.get(
                f"{self._url}{path}", params=params, headers={"Accept": accept}, timeout=_TIMEOUT_S
            )
        except requests.ConnectionError:
            raise TempoError(
                f"no Tempo answers at {self._url}; start the stack with `agentobs up`"
                " or name another one with --tempo URL"
            ) from None
        except requests.RequestException as error:
            raise TempoError(f"Tempo at {self._url} did not answer {path}: {error}") from error
        if answer.status_code not in {requests.codes.ok, requests.codes.not_found}:
            raise TempoError(f"Tempo at {self._url} refused {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def services(self, where: dict[Attr, str], start: float, end: float) -> list[str]:
        """Names of the programs that sent spans in a period; `where` narrows by resource attributes."""
        params = {"start": f"{start:.0f}", "end": f"{end + 1:.0f}", "q": _query(where)}
        answer = self._get(f"/api/v2/search/tag/resource.{Attr.SERVICE_NAME}/values", params).json()
        return sorted(str(row["value"]) for row in answer.get("tagValues", []))

    def search(self, where: dict[Attr, str], start: float, end: float, limit: int) -> list[str]:
        """Ids of at most `limit` traces with a span of these resource attributes."""
        params = {"start": f"{start:.0f}", "end": f"{end + 1:.0f}", "q": _query(where), "limit": str(limit)}
        return [str(row["traceID"]) for row in self._get("/api/search", params).json().get("traces", [])]

    def find(self, query: str, start: float, end: float, limit: int) -> list[TraceRow]:
        """At most `limit` traces that a TraceQL query selects, newest first."""
        params = {"start": f"{start:.0f}", "end": f"{end + 1:.0f}", "q": query, "limit": str(limit)}
        rows = [_row(found) for found in self._get("/api/search", params).json().get("traces") or []]
        return sorted(rows, key=lambda row: -row.start)

    def trace(self, trace_id: str) -> list[Span]:
        """Every span of a trace, each once; nothing where the trace is gone."""
        answer = self._get(f"/api/traces/{trace_id}", {}, "application/protobuf")
        if answer.status_code == requests.codes.not_found:
            return []
        spans = [_span(span, resource) for span, resource in _spans(answer.content)]
        return list({span.span_id: span for span in spans}.values())

    def steps(self, trace_id: str) -> list[TraceSpan]:
        """Every span of a trace with its name and times, each once; nothing where the trace is gone."""
        if not trace_id:
            return []
        answer = self._get(f"/api/traces/{quote(trace_id, safe='')}", {}, "application/protobuf")
        if answer.status_code == requests.codes.not_found:
            return []
        steps = [_step(span, resource) for span, resource in _spans(answer.content)]
        return list({step.span_id: step for step in steps}.values())


def _spans(content: bytes) -> Iterator[tuple[OtlpSpan, dict[str, Any]]]:
    """Spans with the attributes of their resource. Tempo's message is OTLP's under another name."""
    for batch in TracesData.FromString(content).resource_spans:
        resource = _attributes(batch.resource.attributes)
        for scope in batch.scope_spans:
            for span in scope.spans:
                yield span, resource


def _step(span: OtlpSpan, resource: Mapping[str, Any]) -> TraceSpan:
    return TraceSpan(
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=str(resource.get(Attr.SERVICE_NAME, "")),
        name=span.name,
        start=span.start_time_unix_nano / _NS,
        duration_s=max(0, span.end_time_unix_nano - span.start_time_unix_nano) / _NS,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
    )


def _row(found: Mapping[str, Any]) -> TraceRow:
    """A trace whose root has not come yet has no name."""
    return TraceRow(
        trace_id=str(found["traceID"]).rjust(_ID_DIGITS, "0"),
        service=str(found.get("rootServiceName", "")),
        name=str(found.get("rootTraceName", "")),
        start=int(found["startTimeUnixNano"]) / _NS,
        duration_s=found.get("durationMs", 0) / 1000,
    )


def _query(where: dict[Attr, str]) -> str:
    terms = (f'resource.{key} = "{_escaped(value)}"' for key, value in where.items())
    return "{ " + " && ".join(terms) + " }"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _span(span: OtlpSpan, resource: dict[str, Any]) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=OtlpSpan.SpanKind.Name(span.kind).removeprefix(_KIND_PREFIX).lower(),
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        end=span.end_time_unix_nano / _NS,
        attributes=_attributes(span.attributes),
        resource=resource,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: AnyValue) -> Any:  # noqa: ANN401 the value of any attribute
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
