"""Clients of the stores over HTTP: one for each, all behind `TraceStore` and `LogStore` of `collector.search`."""

from stacks.clients.http import StoreError
from stacks.clients.jaeger import Jaeger
from stacks.clients.loki import Loki
from stacks.clients.tempo import Tempo
from stacks.clients.victorialogs import VictoriaLogs

__all__ = ["Jaeger", "Loki", "StoreError", "Tempo", "VictoriaLogs"]
