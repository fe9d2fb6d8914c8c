"""OpenTelemetry Collector: OTLP in, KPIs to Prometheus, traces to Tempo and Langfuse, logs to Loki."""

from collector import prices, profiles
from collector.pipeline import render
from collector.profile import Backends, Listen, Profile
from collector.tiers import Token
from stacks.environments import Environment
from stacks.workload import CONFIG_DIR, Placement, Workload

_CONFIG = "collector.yaml"


def profile(environment: Environment, at: Placement) -> Profile:
    """The collector of a person's computer."""
    metrics_host, metrics_port = at.listen("collector-metrics").rsplit(":", 1)
    listen = Listen(
        otlp_grpc=at.listen("otlp-grpc"),
        otlp_http=at.listen("otlp-http"),
        health=at.listen("collector-health"),
        metrics_host=metrics_host,
        metrics_port=int(metrics_port),
        kpi=at.listen("collector-kpi"),
    )
    backends = Backends(
        tempo_grpc=at.address("tempo-otlp"),
        prometheus_url=f"http://{at.address('prometheus')}",
        loki_url=f"http://{at.address('loki')}",
        langfuse_url=environment.langfuse_url,
        langfuse_keys=Token(file=str(environment.langfuse_keys_file)) if environment.langfuse_keys_file else None,
    )
    return profiles.local(listen, backends, f"{at.data_dir('collector')}/queue")


def workload(environment: Environment, at: Placement) -> Workload:
    """The collector of `environment`; the only component that agents talk to."""
    config = f"--config={CONFIG_DIR}/{_CONFIG}"
    return Workload(
        name="collector",
        command=("otelcol", config),
        checks=(("otelcol", "validate", config),),
        files={_CONFIG: render(profile(environment, at), prices.load(environment.prices_file))},
        ports=("otlp-grpc", "otlp-http", "collector-health", "collector-metrics", "collector-kpi"),
        ready_port="collector-health",
        ready_path="/",
        env={"GOMEMLIMIT": "512MiB"},
    )
