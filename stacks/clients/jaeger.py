"""Jaeger's HTTP API as a store of traces.

Jaeger is asked for programs, tags and durations, and answers with whole traces; what else a search wants is decided
here. As long as too few of what it answers fit, it is asked for more, up to 2,000 traces of a program.

A tag is found by its text, whatever its type; lists and maps are text in JSON. Of what an event says a tag is made too,
so that a trace is found for it and left out here.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

from agentobs.contract import Attr
from collector.search import Call, Span, SpanSearch, Trace, jaeger, matching
from collector.search.source import elapsed
from stacks.clients.http import Connection, StoreError, parsed, plain

_US: Final = 1e6
_ID_DIGITS: Final = 32  # Jaeger leaves leading zeros off
_MOST: Final = 2000
_MORE: Final = 4
_NEWEST: Final = 200
# Tags that Jaeger makes of what is no attribute in OpenTelemetry.
_ERROR, _KIND, _STATUS, _MESSAGE = "error", "span.kind", "otel.status_code", "otel.status_description"
_FAILED: Final = "ERROR"
_SCOPE: Final = ("otel.scope.name", "otel.library.name")
_MADE: Final[Mapping[str, tuple[Any, ...]]] = {
    _ERROR: (True,),
    _KIND: ("internal", "server", "client", "producer", "consumer"),
    _STATUS: ("OK", _FAILED),
}
"""Their values; an attribute of the same name may have another."""
_ENDED: Final = re.compile(r"Original end timestamp: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)")
_Kind = TypeVar("_Kind")


class Jaeger:
    """One Jaeger at `url`; `headers` hold the login where it wants one."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._store = Connection("Jaeger", url, headers, "--jaeger")

    def services(self, search: SpanSearch, start: float, end: float) -> list[str]:
        """Names of the programs with a trace that the search wants: each is asked for one."""
        params, read = _params(search, start, end), _Read()
        return [name for name in self._programs() if self._of(name, params, search, 1, read)]

    def _programs(self) -> list[str]:
        data = self._data("/api/services", {})
        with self._store.reading("/api/services"):
            return sorted(_is(str, each) for each in data)

    def find(self, search: SpanSearch, start: float, end: float, limit: int) -> list[Trace]:
        """At most `limit` traces with a span that the search wants, newest first."""
        found = [_trace(spans) for spans in self._found(search, start, end, limit)]
        return sorted(found, key=lambda trace: -trace.start)[:limit]

    def _found(self, search: SpanSearch, start: float, end: float, limit: int) -> list[list[Span]]:
        """The spans of at most `limit` traces of each program."""
        named, params, read = jaeger.asked(search).service, _params(search, start, end), _Read()
        every = (
            spans
            for name in ([named] if named else self._programs())
            for spans in self._of(name, params, search, limit, read)
        )
        return list({spans[0].trace_id: spans for spans in every}.values())

    def _of(
        self, service: str, params: Mapping[str, str], search: SpanSearch, limit: int, read: "_Read"
    ) -> list[list[Span]]:
        """Those of one program: more is asked for until enough fit or there is no more."""
        asked_for = limit
        while True:
            data = self._data("/api/traces", {**params, "service": service, "limit": str(asked_for)})
            with self._store.reading("/api/traces"):
                traces = [read.spans(each) for each in data]
            wanted = matching.traces(search, (span for spans in traces for span in spans))
            fitting = [spans for spans in traces if spans and spans[0].trace_id in wanted]
            if len(fitting) >= limit or len(traces) < asked_for or asked_for >= _MOST:
                return fitting[:limit]
            asked_for = min(asked_for * _MORE, _MOST)

    def trace(self, trace_id: str) -> list[Span]:
        """Every span of a trace, each once; nothing where the trace is gone or the id is none."""
        if not trace_id or set(trace_id.lower()) - set("0123456789abcdef"):
            return []
        path = f"/api/traces/{quote(trace_id, safe='')}"
        answer = self._store.get(path, {}, or_nothing=True)
        with self._store.reading(path):
            said = parsed(answer.content)
            spans = [span for each in said["data"] or [] for span in _spans(each)]
        return list({span.span_id: span for span in spans}.values())

    def calls(self, search: SpanSearch, start: float, end: float) -> list[Call]:
        """Which program called which, in the newest traces that the search wants.

        Jaeger's own answer to that is of the newest hundred traces, whatever environment they are of.
        """
        counted: Counter[tuple[str, str]] = Counter()
        for spans in self._found(search, start, end, _NEWEST):
            services = {span.span_id: span.service for span in spans}
            callers = ((services.get(span.parent_id, span.service), span.service) for span in spans)
            counted.update(pair for pair in callers if pair[0] != pair[1])
        return [Call(client, server, float(count)) for (client, server), count in counted.items()]

    def _data(self, path: str, params: Mapping[str, str]) -> list[Any]:
        """What is asked for, of an answer in which errors may stand beside nothing. Raises StoreError."""
        said = self._store.json(path, params)
        with self._store.reading(path):
            errors, data = said.get("errors"), said["data"]
        if errors:
            raise StoreError(f"Jaeger at {self._store.url} could not answer {path}: {plain(str(errors))}")
        with self._store.reading(path):
            return _is(list, [] if data is None else data)

    def link(self, trace_id: str) -> str:
        """The trace as Jaeger answers it; its pages are not part of every binary."""
        return f"{self._store.url}/api/traces/{trace_id}"


class _Read:
    """Traces that were read: every program of a trace answers with all of it, and again where more is asked for."""

    def __init__(self) -> None:
        self._known: dict[str, list[Span]] = {}

    def spans(self, trace: Mapping[str, Any]) -> list[Span]:
        """All of one trace."""
        if trace["traceID"] not in self._known:
            self._known[trace["traceID"]] = [*_spans(trace)]
        return self._known[trace["traceID"]]


def _params(search: SpanSearch, start: float, end: float) -> dict[str, str]:
    asked = jaeger.asked(search)
    slower = {} if asked.slower_than_s is None else {"minDuration": jaeger.milliseconds(asked.slower_than_s)}
    tags = json.dumps(dict(asked.tags))
    return {"tags": tags, "start": f"{start * _US:.0f}", "end": f"{end * _US:.0f}", **slower}


def _is(kind: type[_Kind], value: Any) -> _Kind:  # noqa: ANN401 whatever a store answers
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
    return value


def _spans(trace: Mapping[str, Any]) -> Iterator[Span]:
    programs = {key: _resource(process) for key, process in trace["processes"].items()}
    for span in trace["spans"]:
        made, attributes = _sorted(span["tags"])
        yield Span(
            trace_id=span["traceID"].rjust(_ID_DIGITS, "0"),
            span_id=span["spanID"],
            parent_id=_parent(span),
            name=span["operationName"],
            kind=str(made.get(_KIND, "internal")),
            failed=_ERROR in made or made.get(_STATUS) == _FAILED,
            start=span["startTime"] / _US,
            end=_end(span),
            attributes=attributes,
            resource=programs[span["processID"]],
            message=str(made.get(_MESSAGE, "")),
            scope=next((str(attributes[key]) for key in _SCOPE if key in attributes), ""),
        )


def _end(span: Mapping[str, Any]) -> float:
    """When a span ended as its sender says: Jaeger corrects an end before the start, and keeps a warning about it."""
    for warning in span.get("warnings") or ():
        if said := _ENDED.search(str(warning)):
            return datetime.fromisoformat(f"{said[1]}+00:00").timestamp()
    return float((span["startTime"] + span["duration"]) / _US)


def _sorted(tags: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Jaeger made of what is no attribute in OpenTelemetry, and the attributes."""
    made: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for tag in tags:
        key = tag["key"]
        is_made = key == _MESSAGE or (key in _MADE and tag["value"] in _MADE[key])
        (made if is_made else attributes)[key] = _value(tag)
    return made, attributes


def _parent(span: Mapping[str, Any]) -> str:
    """The caller: links to other traces are references too."""
    of_trace = (each for each in span["references"] if each["traceID"] == span["traceID"])
    return next((str(each["spanID"]) for each in of_trace if each["refType"] == "CHILD_OF"), "")


def _trace(spans: list[Span]) -> Trace:
    """By its root; where that has not come yet, by its first step and without a name."""
    first, known = min(spans, key=lambda span: span.start), {span.span_id for span in spans}
    root = next((span for span in spans if not span.parent_id), None)
    top = root or next((span for span in spans if span.parent_id not in known), first)
    return Trace(
        trace_id=first.trace_id,
        service=top.service,
        name=root.name if root else "",
        start=first.start,
        duration_s=elapsed(first.start, max(span.end for span in spans)),
    )


def _resource(process: Mapping[str, Any]) -> dict[str, Any]:
    return {**_attributes(process.get("tags") or []), str(Attr.SERVICE_NAME): process["serviceName"]}


def _attributes(tags: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {tag["key"]: _value(tag) for tag in tags}


def _value(tag: Mapping[str, Any]) -> Any:  # noqa: ANN401 the value of any attribute
    """Numbers that JSON cannot hold come as text, and 5.0 as 5."""
    kind, value = tag.get("type"), tag["value"]
    return int(value) if kind == "int64" else float(value) if kind == "float64" else value
