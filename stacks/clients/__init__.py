"""Clients over HTTP: stores behind `TraceStore` and `LogStore`, Prometheus, Alertmanager, Grafana, Langfuse."""

from typing import Final

from alerts.prometheus import Prometheus, PrometheusError
from collector.search import SearchError
from stacks.clients.http import StoreError
from stacks.clients.jaeger import Jaeger
from stacks.clients.loki import Loki
from stacks.clients.tempo import Tempo
from stacks.clients.victorialogs import VictoriaLogs

__all__ = ["STORE_ERRORS", "Jaeger", "Loki", "Prometheus", "PrometheusError", "StoreError", "Tempo", "VictoriaLogs"]

STORE_ERRORS: Final = (PrometheusError, StoreError, SearchError)
"""What a question to a store of metrics, traces or logs ends in where it gets no answer."""
