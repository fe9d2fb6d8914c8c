"""The one table of ports. On a person's computer every one can be moved by `agentobs:ports`."""

from typing import Final

PORTS: Final[dict[str, int]] = {
    "otlp-grpc": 4317,
    "otlp-http": 4318,
    "collector-health": 13133,
    "collector-metrics": 8888,
    "collector-kpi": 4319,
    "prometheus": 9090,
    "alertmanager": 9093,
    "release-controller": 8090,
    "loki": 3100,
    "loki-grpc": 9096,
    "tempo": 3200,
    "tempo-grpc": 9095,
    "tempo-otlp": 4327,
    "tempo-gossip": 7946,
    "victorialogs": 9428,
    "jaeger": 16686,
    "jaeger-grpc": 16685,
    "jaeger-otlp": 4337,
    "jaeger-health": 13134,
    "jaeger-metrics": 8889,
}
CLUSTER_PORTS: Final[dict[str, int]] = {
    **PORTS,
    "sampler-grpc": 4317,
    "sampler-http": 4318,
    "sampler-health": 13133,
    "sampler-metrics": 8888,
    "sampler-kpi": 4319,
    "alertmanager-gossip": 9094,
    "loki-gossip": 7946,
    "grafana": 3000,
    "kube-state-metrics": 8080,
    "kube-state-metrics-self": 8081,
    "langfuse-web": 3000,
    "langfuse-worker": 3030,
    "postgres": 5432,
    "clickhouse-http": 8123,
    "clickhouse-native": 9000,
    "clickhouse-metrics": 9363,
    "valkey": 6379,
    "objects": 8333,
}
"""In a cluster every pod has an address of its own, so that numbers may repeat."""
