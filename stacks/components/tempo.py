"""Tempo: traces over OTLP, one single binary with local blocks."""

from typing import Any

from collector.document import to_yaml
from collector.signals import Attr
from stacks.environments import Environment
from stacks.workload import CONFIG_DIR, Placement, Probe, Workload

_CONFIG = "tempo.yaml"
_EXPAND = "-config.expand-env=true"  # a pod learns its address from its environment


def config(environment: Environment, at: Placement) -> dict[str, Any]:
    """Return Tempo's configuration."""
    data = at.data_dir("tempo")
    host, http_port = at.listen("tempo").rsplit(":", 1)
    own = at.own_host()
    grpc_port = at.listen("tempo-grpc").rsplit(":", 1)[1]
    ring = {"kvstore": {"store": "inmemory"}}
    return {
        "server": {
            "http_listen_address": host,
            "http_listen_port": int(http_port),
            "grpc_listen_address": host,
            "grpc_listen_port": int(grpc_port),
            "log_level": "warn",
        },
        "distributor": {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": at.listen("tempo-otlp")}}}},
            "ring": {"instance_addr": own, **ring},
        },
        "ingester": {
            "lifecycler": {"address": own, "min_ready_duration": "0s", "ring": {**ring, "replication_factor": 1}},
            # Traces become searchable soon after their last span.
            "trace_idle_period": "5s",
        },
        "query_frontend": {"search": {"query_backend_after": "15m"}},
        "querier": {"frontend_worker": {"frontend_address": f"{own}:{grpc_port}"}},
        # No compactor ring: one instance has nobody to share blocks with, and joining a ring costs a minute.
        "compactor": {
            "compaction": {"block_retention": str(environment.traces_retention)},
        },
        # Who calls whom, as series in Prometheus; our KPIs come from the collector, before any sampling.
        "metrics_generator": {
            "ring": {"instance_addr": own, **ring},
            "processor": {"service_graphs": {"dimensions": [Attr.ENVIRONMENT], "enable_client_server_prefix": True}},
            "storage": {
                "path": f"{data}/generator",
                "remote_write": [{"url": f"http://{at.address('prometheus')}/api/v1/write"}],
            },
        },
        "overrides": {"defaults": {"metrics_generator": {"processors": ["service-graphs"]}}},
        "storage": {"trace": {"backend": "local", "local": {"path": f"{data}/blocks"}, "wal": {"path": f"{data}/wal"}}},
        # Some of Tempo's rings start gossip whatever their store; by default it would listen on every address.
        "memberlist": {"bind_addr": [own], "bind_port": int(at.listen("tempo-gossip").rsplit(":", 1)[1])},
        "usage_report": {"reporting_enabled": False},
    }


def workload(environment: Environment, at: Placement) -> Workload:
    """The Tempo of `environment`."""
    flag = f"-config.file={CONFIG_DIR}/{_CONFIG}"
    return Workload(
        name="tempo",
        command=("tempo", flag, _EXPAND),
        checks=(("tempo", flag, _EXPAND, "-config.verify=true"),),
        files={_CONFIG: to_yaml(config(environment, at))},
        ports=("tempo", "tempo-grpc", "tempo-otlp", "tempo-gossip"),
        ready_port="tempo",
        ready_path="/ready",
        stop_s=30,
        calls=("prometheus",),
        alive=Probe(port="tempo", path="/status/version"),
    )
