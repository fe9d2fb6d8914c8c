"""The collector's configuration as a whole: `assemble(profile)` returns it as a plain dict.

Shape: OTLP in -> normalise -> KPI branch (labels, counters, values) and storage branch (Tempo, Loki, Prometheus).
The KPI branch leaves before any sampling, so the KPIs count every span.
"""

from dataclasses import dataclass
from typing import Any, Final

from collector import connectors, labels, normalise
from collector.connectors import SPAN_SOURCES
from collector.document import to_yaml
from collector.signals import Attr

QUEUE: Final = "file_storage/queue"
KPI_JOB: Final = "agentic-kpi"
_ZERO_BEFORE_NS: Final = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where the collector listens, where it sends to, and how fast KPIs appear.

    Endpoints are `host:port`, URLs have a scheme. `flush_s` and `value_batch_s` (seconds) bound what a crash loses.
    `instance` must differ between collectors: one writer per series.
    """

    otlp_grpc: str
    otlp_http: str
    health: str
    self_metrics_host: str
    self_metrics_port: int
    tempo_grpc: str
    prometheus_url: str
    loki_url: str
    queue_dir: str
    instance: str
    flush_s: float = 5
    value_batch_s: float = 10


def _upsert(key: str, value: str) -> dict[str, str]:
    return {"key": key, "action": "upsert", "value": value}


def _delete(key: str) -> dict[str, str]:
    return {"key": key, "action": "delete"}


def _processors(profile: Profile) -> dict[str, Any]:
    start = "datapoint.start_time_unix_nano"
    return {
        "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
        "transform/normalise": normalise.processor(),
        "filter/kpi": labels.span_filter(),
        "transform/kpi": labels.processor(),
        **{f"filter/{s.key}": {"error_mode": "ignore", "trace_conditions": [s.drop]} for s in SPAN_SOURCES},
        "filter/events": labels.event_filter(),
        # One goroutine in front of signal_to_metrics keeps its delta points in order (telemetry contract P2).
        "batch/kpi": {"timeout": f"{profile.value_batch_s:g}s", "send_batch_size": 50_000},
        # job="agentic-kpi", instance=<collector>: one writer per series (P3).
        "resource/kpi": {
            "attributes": [
                _upsert(Attr.SERVICE_NAME, KPI_JOB),
                _upsert(Attr.SERVICE_INSTANCE_ID, profile.instance),
                _delete(Attr.ENVIRONMENT),
                _delete("signal_to_metrics.service.instance.id"),
            ]
        },
        # A start before the first point makes Prometheus ingest a zero, so the first increment is not lost (P4).
        "transform/delta_start": {
            "metric_statements": [f"set({start}, datapoint.time_unix_nano - {_ZERO_BEFORE_NS}) where {start} == 0"]
        },
        "delta_to_cumulative": {"max_stale": "24h", "max_streams": 50_000},
    }


def _connectors(profile: Profile) -> dict[str, Any]:
    return {
        "forward/kpi": {},
        "forward/kpi_labelled": {},
        "forward/store": {},
        "forward/events": {},
        **{f"span_metrics/{s.key}": connectors.span_metrics(s, profile.flush_s) for s in SPAN_SOURCES},
        "signal_to_metrics/spans": connectors.span_values(),
        "signal_to_metrics/events": connectors.event_values(),
    }


def _exporters(profile: Profile) -> dict[str, Any]:
    queue = {"storage": QUEUE, "queue_size": 5000}
    retry = {"max_elapsed_time": "30m"}
    return {
        "otlp_grpc/tempo": {
            "endpoint": profile.tempo_grpc,
            "tls": {"insecure": True},
            "retry_on_failure": retry,
            "sending_queue": {
                "storage": QUEUE,
                "sizer": "items",
                "queue_size": 200_000,
                "batch": {"flush_timeout": "1s", "min_size": 2048, "max_size": 8192},
            },
        },
        # One consumer: Prometheus wants samples in order (P14).
        "otlp_http/prometheus": {
            "endpoint": f"{profile.prometheus_url}/api/v1/otlp",
            "retry_on_failure": retry,
            "sending_queue": {**queue, "num_consumers": 1},
        },
        "otlp_http/loki": {"endpoint": f"{profile.loki_url}/otlp", "retry_on_failure": retry, "sending_queue": queue},
    }


def _pipeline(receivers: list[str], processors: list[str], exporters: list[str]) -> dict[str, list[str]]:
    return {"receivers": receivers, "processors": processors, "exporters": exporters}


def _pipelines() -> dict[str, Any]:
    span_connectors = [f"span_metrics/{s.key}" for s in SPAN_SOURCES]
    value_connectors = ["signal_to_metrics/spans", "signal_to_metrics/events"]
    start, to_prometheus = ["memory_limiter", "transform/normalise"], ["otlp_http/prometheus"]
    kpi = {
        f"traces/kpi_{s.key}": _pipeline(["forward/kpi_labelled"], [f"filter/{s.key}"], [f"span_metrics/{s.key}"])
        for s in SPAN_SOURCES
    }
    to_cumulative = ["resource/kpi", "transform/delta_start", "delta_to_cumulative"]
    return {
        "traces/in": _pipeline(["otlp"], start, ["forward/kpi", "forward/store"]),
        "traces/kpi": _pipeline(["forward/kpi"], ["filter/kpi", "transform/kpi"], ["forward/kpi_labelled"]),
        **kpi,
        "traces/kpi_values": _pipeline(["forward/kpi_labelled"], ["batch/kpi"], ["signal_to_metrics/spans"]),
        "traces/store": _pipeline(["forward/store"], [], ["otlp_grpc/tempo"]),
        "metrics/spans": _pipeline(span_connectors, ["resource/kpi"], to_prometheus),
        "metrics/values": _pipeline(value_connectors, to_cumulative, to_prometheus),
        "metrics/app": _pipeline(["otlp"], ["memory_limiter"], to_prometheus),
        "logs/in": _pipeline(["otlp"], start, ["otlp_http/loki", "forward/events"]),
        "logs/kpi": _pipeline(
            ["forward/events"], ["filter/events", "transform/kpi", "batch/kpi"], ["signal_to_metrics/events"]
        ),
    }


def assemble(profile: Profile) -> dict[str, Any]:
    """Return the complete collector configuration for `profile`."""
    self_metrics = {"host": profile.self_metrics_host, "port": profile.self_metrics_port}
    return {
        "extensions": {
            "health_check": {"endpoint": profile.health},
            QUEUE: {
                "directory": profile.queue_dir,
                "create_directory": True,
                "timeout": "10s",
                "compaction": {"on_rebound": True, "directory": profile.queue_dir},
            },
        },
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": profile.otlp_grpc, "max_recv_msg_size_mib": 16},
                    "http": {"endpoint": profile.otlp_http},
                }
            }
        },
        "processors": _processors(profile),
        "connectors": _connectors(profile),
        "exporters": _exporters(profile),
        "service": {
            "extensions": ["health_check", QUEUE],
            "telemetry": {
                "metrics": {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": self_metrics}}}]}
            },
            "pipelines": _pipelines(),
        },
    }


def render(profile: Profile) -> str:
    """Return the configuration as YAML text, keys in reading order."""
    return to_yaml(assemble(profile))
