"""OpenTelemetry Collector: OTLP in, KPIs to Prometheus, traces to Tempo, logs to Loki."""

from collector.pipeline import Profile, render
from stacks.environments import Environment
from stacks.workload import CONFIG_DIR, Placement, Workload

_CONFIG = "collector.yaml"


def workload(environment: Environment, at: Placement) -> Workload:
    """The collector of `environment`; the only component that agents talk to."""
    metrics_host, metrics_port = at.listen("collector-metrics").rsplit(":", 1)
    profile = Profile(
        otlp_grpc=at.listen("otlp-grpc"),
        otlp_http=at.listen("otlp-http"),
        health=at.listen("collector-health"),
        self_metrics_host=metrics_host,
        self_metrics_port=int(metrics_port),
        tempo_grpc=at.address("tempo-otlp"),
        prometheus_url=f"http://{at.address('prometheus')}",
        loki_url=f"http://{at.address('loki')}",
        queue_dir=f"{at.data_dir('collector')}/queue",
        instance="collector-0",
        flush_s=environment.kpi_flush_s,
        value_batch_s=environment.kpi_values_s,
    )
    config = f"--config={CONFIG_DIR}/{_CONFIG}"
    return Workload(
        name="collector",
        command=("otelcol", config),
        checks=(("otelcol", "validate", config),),
        files={_CONFIG: render(profile)},
        ports=("otlp-grpc", "otlp-http", "collector-health", "collector-metrics"),
        ready_port="collector-health",
        ready_path="/",
        env={"GOMEMLIMIT": "512MiB"},
    )
