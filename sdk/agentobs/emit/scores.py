"""Evaluations of this process on their way to Langfuse: a bounded queue and one thread that posts.

Off unless the environment names a Langfuse. The evaluation's log record, from which the KPIs are made, goes its own way
whatever happens here. Not here: the payload and the client (`agentobs.scores`).
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult

from agentobs.contract import Attr, Event
from agentobs.emit.delivery import Ledger
from agentobs.scores import ScoreError, to_score

if TYPE_CHECKING:
    from agentobs.scores.client import ScoreClient

# Evaluations are rare and one request each; more than this is a minute of a fast judge while Langfuse is away.
_QUEUE: Final = 4096
_BATCH: Final = 64
_DELAY_MS: Final = 500

_log = logging.getLogger(__name__)


class _ScoreExporter(LogRecordExporter):
    def __init__(self, client: "ScoreClient", ledger: Ledger) -> None:
        self._client = client
        self._ledger = ledger
        self._told: set[str] = set()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        delivered = sum(self._post(item) for item in batch)
        return LogRecordExportResult.SUCCESS if delivered == len(batch) else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        self._client.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 nothing is held here
        return True

    def _post(self, item: ReadableLogRecord) -> bool:
        record = item.log_record
        environment = str(item.resource.attributes.get(Attr.ENVIRONMENT, ""))
        try:
            trace_id, span_id = f"{record.trace_id or 0:032x}", f"{record.span_id or 0:016x}"
            self._client.post(to_score(record.attributes or {}, trace_id, span_id, environment=environment))
        except (ScoreError, ValueError) as error:
            self._tell(str(error))
            return False
        self._ledger.deliver(1)
        return True

    def _tell(self, problem: str) -> None:
        """Log each problem once: a judge at work would repeat it with every verdict."""
        if problem not in self._told:
            self._told.add(problem)
            _log.error("score lost: %s", problem)


class ScoreProcessor(BatchLogRecordProcessor):
    """Posts evaluation events as scores. Its `ledger` says how many were taken and not confirmed by Langfuse."""

    def __init__(self, client: "ScoreClient") -> None:
        self.ledger = Ledger()
        self._client = client
        super().__init__(
            _ScoreExporter(client, self.ledger),
            max_queue_size=_QUEUE,
            schedule_delay_millis=_DELAY_MS,
            max_export_batch_size=_BATCH,
        )

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Queue an evaluation; any other record is none of its business."""
        if log_record.log_record.event_name == Event.EVALUATION.value:
            self.ledger.accept()
            super().on_emit(log_record)

    def give_up(self) -> None:
        """Stop waiting for a Langfuse that is away."""
        self._client.close()
