"""The one table of ports. Every one can be moved by `agentobs:ports`."""

from typing import Final

PORTS: Final[dict[str, int]] = {
    "otlp-grpc": 4317,
    "otlp-http": 4318,
    "collector-health": 13133,
    "collector-metrics": 8888,
    "collector-kpi": 4319,
    "prometheus": 9090,
    "alertmanager": 9093,
    "loki": 3100,
    "loki-grpc": 9096,
    "tempo": 3200,
    "tempo-grpc": 9095,
    "tempo-otlp": 4327,
    "tempo-gossip": 7946,
}
