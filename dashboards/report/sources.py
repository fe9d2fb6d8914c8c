"""What a report asks: metrics, logs and traces, through protocols. Clients are in `stacks`."""

from dataclasses import dataclass

from alerts.source import MetricsSource
from collector.search import LogStore, TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The stores. Without logs or traces their panels say so. A panel shows an error of `errors`; others end it all."""

    metrics: MetricsSource
    logs: LogStore | None = None
    traces: TraceStore | None = None
    errors: tuple[type[Exception], ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """What a report is about, in unix seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start
