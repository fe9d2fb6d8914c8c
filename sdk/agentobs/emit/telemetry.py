"""Configure OpenTelemetry for one process: resource, providers, propagation, logging, start event.

Not here: where telemetry goes (`destination`); spans and events of the application (`scopes`, `calls`, `events`).
"""

import atexit
import logging
import os
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.environment_variables import OTEL_ATTRIBUTE_COUNT_LIMIT, OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agentobs.context import AgentContextLogProcessor, AgentContextProcessor
from agentobs.context.forks import at_end_of_worker
from agentobs.contract import Attr
from agentobs.emit.delivery import CountedLogProcessor, CountedSpanProcessor
from agentobs.emit.destination import Exporters, otlp, where
from agentobs.emit.events import process_start
from agentobs.emit.logs import OtlpLoggingHandler
from agentobs.emit.scores import ScoreProcessor
from agentobs.scores import Credentials

_log = logging.getLogger(__name__)
_MOST_ATTRIBUTES: Final = 10_000  # of a span, an event or a link
_AT_ONCE_S: Final = 1.0
_AWAY_S: Final = 30.0
_LONGEST: Final = 500_000  # characters of one of them; a span with many more is too large for any receiver


@dataclass(frozen=True, slots=True)
class Lost:
    """Spans, log records and scores that were taken and never confirmed by the receiver."""

    spans: int
    logs: int
    scores: int = 0

    @property
    def total(self) -> int:
        """Spans, log records and scores together."""
        return self.spans + self.logs + self.scores


class Telemetry:
    """The running telemetry of this process. Made by `configure`; end it with `shutdown`."""

    def __init__(self, resource: Resource, exporters: Exporters, log_level: int) -> None:
        self._spans = CountedSpanProcessor(exporters.spans)
        self.tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False, span_limits=_limits())
        self._context = AgentContextProcessor(self._spans)
        self.tracer_provider.add_span_processor(self._context)
        self._logs = CountedLogProcessor(exporters.logs)
        self.logger_provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(AgentContextLogProcessor())
        self.logger_provider.add_log_record_processor(self._logs)
        self._scores = _score_processor(exporters.scores) if exporters.scores else None
        if self._scores:
            self.logger_provider.add_log_record_processor(self._scores)
        self.logging_handler = OtlpLoggingHandler(self.logger_provider, log_level)
        self._ended = False

    def install(self) -> None:
        """Make this the telemetry of the process: global providers, W3C propagation, Python logging."""
        trace.set_tracer_provider(self.tracer_provider)
        set_logger_provider(self.logger_provider)
        propagate.set_global_textmap(CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]))
        root = logging.getLogger()
        root.addHandler(self.logging_handler)
        if root.getEffectiveLevel() > self.logging_handler.level:
            root.setLevel(self.logging_handler.level)
        atexit.register(self._leave)
        at_end_of_worker(self._leave, self._send_at_once)

    def _send_at_once(self) -> None:
        """From now on send what a run did when it ends: a worker of a pool is killed without a word.

        Not for long, and where nobody takes it, not again for a while: an agent must not wait for its telemetry.
        """
        patient_from = 0.0

        def send() -> None:
            nonlocal patient_from
            if time.monotonic() >= patient_from and not self.flush(_AT_ONCE_S):
                patient_from = time.monotonic() + _AWAY_S

        self._spans.after_root = send

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Send what is queued. False when the time is up or the receiver did not take everything."""

        def work() -> None:
            self._context.force_flush()
            self._logs.force_flush()
            if self._scores:
                self._scores.force_flush()

        # The SDK's own flush ignores its timeout and waits for the exporter's retries.
        worker = threading.Thread(target=work, name="agentobs-flush", daemon=True)
        worker.start()
        worker.join(timeout_s)
        return not worker.is_alive() and self.lost.total == 0

    def shutdown(self, timeout_s: float = 10.0) -> Lost:
        """Send what is queued, stop, and return what was lost; a loss is also logged as an error."""
        deadline = time.monotonic() + timeout_s
        self._ended = True
        self.flush(timeout_s)
        logging.getLogger().removeHandler(self.logging_handler)
        if self._scores:
            self._scores.give_up()
        stop = threading.Thread(target=self._stop, name="agentobs-shutdown", daemon=True)
        stop.start()
        stop.join(max(0.1, deadline - time.monotonic()))
        return self._told()

    def _leave(self) -> None:
        """End with a process that did not call `shutdown`: of a crash, the last task is the one that matters.

        Without threads, which a process at its end may not start.
        """
        if self._ended:
            return
        self._ended = True
        logging.getLogger().removeHandler(self.logging_handler)
        if self._scores:
            self._scores.force_flush()
            self._scores.give_up()
        self._stop()
        self._told()

    def _told(self) -> Lost:
        lost = self.lost
        if lost.total:
            _log.error(
                "telemetry lost: %d spans and %d log records never reached the collector, %d scores never reached "
                "Langfuse; check that the collector's OTLP/HTTP endpoint and Langfuse answer and are not overloaded",
                lost.spans,
                lost.logs,
                lost.scores,
            )
        return lost

    @property
    def lost(self) -> Lost:
        """What was taken and is not confirmed yet; after `shutdown` it never will be."""
        scores = self._scores.ledger.outstanding if self._scores else 0
        return Lost(self._spans.ledger.outstanding, self._logs.ledger.outstanding, scores)

    def _stop(self) -> None:
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()


def configure(  # noqa: PLR0913 keyword-only settings of one process
    *,
    service: str,
    version: str,
    environment: str,
    endpoint: str | None = None,
    namespace: str = "agents",
    instance_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    log_level: int = logging.INFO,
    exporters: Exporters | None = None,
    start_attributes: Mapping[str, str] | None = None,
) -> Telemetry:
    """Set up telemetry for this process and emit its `agentic.process.start` event. Call it once.

    `endpoint` is the base address of an OTLP/HTTP receiver, without it `OTEL_EXPORTER_OTLP_ENDPOINT`, else
    http://127.0.0.1:4318; `headers` go with every export (authentication).
    Python log records at `log_level` and above go out too. `exporters` replaces the endpoint. An MCP server passes its
    tool version as a start attribute, so that a crash loop can be told apart by version. With `LANGFUSE_BASE_URL`,
    `LANGFUSE_PUBLIC_KEY` and `LANGFUSE_SECRET_KEY` set, every evaluation is also posted to Langfuse as a score.
    Raises ValueError naming the setting, what was expected and the fix.
    """
    for name, value in (
        ("service", service),
        ("version", version),
        ("environment", environment),
        ("namespace", namespace),
    ):
        if not value.strip():
            raise ValueError(f"emit.configure: {name} is empty; expected a short name, pass {name}='...'")
    if not isinstance(found := trace.get_tracer_provider(), trace.ProxyTracerProvider):
        raise ValueError(  # noqa: TRY004 the state of the process is wrong, not a type
            f"emit.configure: this process already has an OpenTelemetry tracer provider ({type(found).__module__}."
            f"{type(found).__qualname__}), and OpenTelemetry keeps the first one. Fix: configure once, at the start, "
            "before any other OpenTelemetry set-up; or keep that set-up, let it export to the collector, and call "
            "agentobs.context.adopt() after it"
        )
    resource = Resource.create(
        {
            Attr.SERVICE_NAME.value: service,
            Attr.SERVICE_NAMESPACE.value: namespace,
            Attr.SERVICE_VERSION.value: version,
            Attr.SERVICE_INSTANCE_ID.value: instance_id or str(uuid.uuid4()),
            Attr.ENVIRONMENT.value: environment,
        }
    )
    telemetry = Telemetry(resource, exporters or otlp(where() if endpoint is None else endpoint, headers), log_level)
    telemetry.install()
    process_start(start_attributes or {})
    return telemetry


def _limits() -> SpanLimits:
    """What a span may hold; OpenTelemetry's own variables win.

    Its default of 128 attributes drops the oldest: some instrumentations write each message of a conversation into
    attributes of its own, and a long one would cost the span its kind, so that nobody counts it.
    """
    return SpanLimits(
        max_attributes=None if OTEL_ATTRIBUTE_COUNT_LIMIT in os.environ else _MOST_ATTRIBUTES,
        max_attribute_length=None if OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT in os.environ else _LONGEST,
    )


def _score_processor(credentials: Credentials) -> ScoreProcessor:
    from agentobs.scores.client import ScoreClient  # noqa: PLC0415 most processes post no scores

    return ScoreProcessor(ScoreClient(credentials))
