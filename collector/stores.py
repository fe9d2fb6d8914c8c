"""Which stores an environment sends traces and logs to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TraceKind(StrEnum):
    """A store of traces."""

    TEMPO = "tempo"
    JAEGER = "jaeger"


class LogKind(StrEnum):
    """A store of logs."""

    LOKI = "loki"
    VICTORIALOGS = "victorialogs"


TITLES: Final = {
    TraceKind.TEMPO: "Tempo",
    TraceKind.JAEGER: "Jaeger",
    LogKind.LOKI: "Loki",
    LogKind.VICTORIALOGS: "VictoriaLogs",
}
"""What people call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores of one environment."""

    traces: TraceKind
    logs: LogKind


GRAFANA: Final = Stores(traces=TraceKind.TEMPO, logs=LogKind.LOKI)
"""Those of Grafana, under the AGPL: they share object storage, so that several of each can run."""
PERMISSIVE: Final = Stores(traces=TraceKind.JAEGER, logs=LogKind.VICTORIALOGS)
"""Those under the Apache licence: one of each, on a volume."""
