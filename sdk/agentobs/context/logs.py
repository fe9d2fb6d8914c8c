"""Log records get what the span that they belong to would get: an evaluation is about an agent."""

from typing import TYPE_CHECKING, Final

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

from agentobs.context.lineage import inherited, node_of
from agentobs.contract import BAGGAGE_KEYS

if TYPE_CHECKING:
    from opentelemetry.util.types import AnyValue

_WANTED: Final = frozenset(key.value for key in BAGGAGE_KEYS)


def known_within(inside: Context | None = None) -> dict[str, "AnyValue"]:
    """Agent, prompt, graph version and track of a context: of its span, or of its baggage."""
    known: dict[str, AnyValue] = {key: str(value) for key, value in baggage.get_all(inside).items() if key in _WANTED}
    node = node_of(trace.get_current_span(inside))
    if node is not None:
        known.update({key: value for key, value in inherited(node).values.items() if key in _WANTED})
    return known


class AgentContextLogProcessor(LogRecordProcessor):
    """Adds agent, prompt, graph version and track of the current span, or of the baggage, to log records."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Add what the record does not say itself."""
        record = log_record.log_record
        known, stated = known_within(record.context), dict(record.attributes or {})
        if known.keys() - stated.keys():
            record.attributes = {**known, **stated}

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing is held."""
        del timeout_millis
        return True
