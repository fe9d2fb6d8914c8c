"""Where telemetry goes: an OTLP/HTTP receiver, or exporters of the caller's own.

Not here: how it is queued and counted on its way (`delivery`).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT
from opentelemetry.sdk.trace.export import SpanExporter

from agentobs.scores import Credentials, from_environment

DEFAULT_ENDPOINT: Final = "http://127.0.0.1:4318"
# Tries at 0, 1, 3, 7, 15 and 31 s: a collector that is replaced is away for ten seconds, and the queue holds a minute.
_TRIED_FOR_S: Final = 40.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Exporters:
    """Where telemetry goes instead of an OTLP endpoint: a file, a test. Scores go nowhere unless told."""

    spans: SpanExporter
    logs: LogRecordExporter
    scores: Credentials | None = None


def where() -> str:
    """The receiver that OpenTelemetry's own variable names, else the one of a stack on this computer."""
    return os.environ.get(OTEL_EXPORTER_OTLP_ENDPOINT) or DEFAULT_ENDPOINT


def otlp(endpoint: str, headers: Mapping[str, str] | None) -> Exporters:
    """Return exporters to the receiver at this base address. Raises ValueError for any other address."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError(
            f"emit.configure: endpoint {endpoint!r} is not the base address of an OTLP/HTTP receiver; expected "
            f"http(s)://host:port without a path, for example {DEFAULT_ENDPOINT}"
        )
    # Here, because these take as long to import as all of `emit`, and a module that only annotates needs none of them.
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    base = endpoint.rstrip("/")
    compression = Compression.NoCompression if parts.hostname in _LOOPBACK else Compression.Gzip
    sent, timeout = dict(headers or {}), _TRIED_FOR_S
    return Exporters(
        spans=OTLPSpanExporter(f"{base}/v1/traces", headers=sent, timeout=timeout, compression=compression),
        logs=OTLPLogExporter(f"{base}/v1/logs", headers=sent, timeout=timeout, compression=compression),
        scores=from_environment(os.environ),
    )
