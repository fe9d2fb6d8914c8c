"""Recorded telemetry of real frameworks, sent again as if it had just happened.

A recording is a folder with `otlp.jsonl.xz`: one request a line, `{"path": "/v1/traces", "request": {...}}`, written
as protobuf or OTLP writes JSON; `truth.json` beside it says what really happened. Sent again, everything ends a moment
ago and has ids of its own, so that one recording can be sent many times. Run it to send some by hand:

    python -m support.corpus --to http://127.0.0.1:4318 --environment dev FOLDER...
"""

import argparse
import base64
import json
import lzma
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from support import otlp

RECORDED = Path(__file__).parents[1] / "corpus" / "frameworks" / "recorded"
_KINDS: dict[str, type[Message]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
}
_SIGNALS = ("spans", "log_records", "metrics")
_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_ENVIRONMENT = "deployment.environment.name"


@dataclass(frozen=True)
class Recording:
    """One captured run: a framework under one instrumentation."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def truth(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "truth.json").read_text()))

    def requests(self) -> list[Message]:
        """The requests as they were recorded, in their order."""
        with lzma.open(self.folder / "otlp.jsonl.xz", "rt") as lines:
            rows = [json.loads(line) for line in lines]
        return [ParseDict(_with_ids(row["request"]), _KINDS[row["path"]](), ignore_unknown_fields=True) for row in rows]

    def now(self, *, environment: str = "", service: str = "", ended_ago: float = 1.0) -> list[Message]:
        """The same with new ids, the last of it `ended_ago` seconds ago; environment and service where they are given.

        `service` stands before the recorded name (`NAME-recorded`), because a recording may be of several programs.
        """
        made = self.requests()
        shift = time.time_ns() - int(ended_ago * 1e9) - max(_ends(made), default=0)
        salt = os.urandom(16)
        for request in made:
            for resource in _resources(request):
                _named(resource, environment, service)
            for item in _items(request):
                _move(item, shift)
                _renumber(item, salt)
        return made


def recordings(folder: Path = RECORDED) -> list[Recording]:
    """Every recording below a folder."""
    return [Recording(path.parent) for path in sorted(folder.glob("*/otlp.jsonl.xz"))]


def post(url: str, made: Iterable[Message]) -> int:
    """Send requests to an OTLP/HTTP endpoint; return how many spans went."""
    paths, spans = {kind: path for path, kind in _KINDS.items()}, 0
    for request in made:
        answer = requests.post(
            url + paths[type(request)], data=request.SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"}, timeout=30,
        )  # fmt: skip
        answer.raise_for_status()
        spans += len(otlp.spans_of(request)) if isinstance(request, ExportTraceServiceRequest) else 0
    return spans


def _with_ids(value: Any) -> Any:
    """Ids as protobuf writes them in JSON (base64); OTLP's own JSON has hexadecimal digits."""
    if isinstance(value, list):
        return [_with_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _base64(one) if key in _IDS else _with_ids(one) for key, one in value.items()}


def _base64(text: str) -> str:
    is_hex = len(text) in {16, 32}  # base64 of as many bytes has 12 or 24 letters
    return base64.b64encode(bytes.fromhex(text)).decode() if is_hex else text


def _groups(request: Any) -> list[Any]:
    return list(next(value for _, value in request.ListFields())) if request.ListFields() else []


def _resources(request: Any) -> Iterator[Resource]:
    return (group.resource for group in _groups(request))


def _items(request: Any) -> Iterator[Any]:
    """Every span, log record and metric of a request."""
    for group in _groups(request):
        for name, scopes in group.ListFields():
            if not name.name.startswith("scope_"):
                continue
            for scope in scopes:
                for signal in _SIGNALS:
                    yield from getattr(scope, signal, ())


def _ends(made: Iterable[Message]) -> Iterator[int]:
    for request in made:
        if isinstance(request, ExportTraceServiceRequest):
            yield from (item.end_time_unix_nano for item in _items(request))


def _move(item: Any, shift: int) -> None:
    """Move every time in a span, record or metric."""
    for field, value in item.ListFields():
        if field.name.endswith("time_unix_nano"):
            setattr(item, field.name, max(1, value + shift))
        elif field.name in {"events", "data_points"}:
            for part in value:
                _move(part, shift)
        elif field.name in {"sum", "gauge", "histogram", "exponential_histogram", "summary"} and field.message_type:
            _move(value, shift)


def _renumber(item: Any, salt: bytes) -> None:
    """Give a span or record ids of its own; what belonged together still does."""
    for part in (item, *getattr(item, "links", ())):
        for name in ("trace_id", "span_id", "parent_span_id"):
            value = getattr(part, name, b"")
            if value:
                setattr(part, name, bytes(a ^ b for a, b in zip(value, salt, strict=False)))


def _named(resource: Resource, environment: str, service: str) -> None:
    kept = otlp.attributes_of(resource.attributes)
    if environment:
        kept[_ENVIRONMENT] = environment
    if service:
        kept["service.name"] = f"{service}-{kept.get('service.name', '')}".removesuffix("-")
    del resource.attributes[:]
    resource.attributes.extend(otlp.key_values(kept))


def _main() -> None:
    reader = argparse.ArgumentParser(description="Send recordings to a collector, as if they had just happened.")
    reader.add_argument("folders", nargs="+", type=Path)
    reader.add_argument("--to", default="http://127.0.0.1:4318")
    reader.add_argument("--environment", default="")
    given = reader.parse_args()
    for folder in given.folders:
        made = Recording(folder).now(environment=given.environment)
        print(f"{folder.name}: {post(given.to, made)} spans")  # noqa: T201 it is a program


if __name__ == "__main__":
    _main()
