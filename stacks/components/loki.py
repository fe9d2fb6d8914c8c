"""Loki: logs over OTLP; agent and trace ids stay structured metadata, so that they never become streams."""

from typing import Any

from collector.document import to_yaml
from collector.signals import Attr
from stacks.environments import Environment
from stacks.workload import CONFIG_DIR, Placement, Probe, Workload

_CONFIG = "loki.yaml"
_EXPAND = "-config.expand-env=true"  # a pod learns its address from its environment
_INDEXED = (Attr.SERVICE_NAME, Attr.SERVICE_NAMESPACE, Attr.ENVIRONMENT)


def config(environment: Environment, at: Placement) -> dict[str, Any]:
    """Return Loki's configuration for one single binary with file storage."""
    data = at.data_dir("loki")
    host, http_port = at.listen("loki").rsplit(":", 1)
    own = at.own_host()
    grpc_port = at.listen("loki-grpc").rsplit(":", 1)[1]
    return {
        "auth_enabled": False,
        "server": {
            "http_listen_address": host,
            "http_listen_port": int(http_port),
            "grpc_listen_address": host,
            "grpc_listen_port": int(grpc_port),
            "log_level": "warn",
        },
        "common": {
            "path_prefix": data,
            "instance_addr": own,
            "replication_factor": 1,
            "ring": {"instance_addr": own, "kvstore": {"store": "inmemory"}},
            "storage": {"filesystem": {"chunks_directory": f"{data}/chunks", "rules_directory": f"{data}/rules"}},
        },
        # On a host with several addresses queries hang unless the frontend knows its own.
        "frontend": {"address": own},
        # One process: queriers ask the frontend directly. The scheduler ring would delay the start by 10 s.
        "frontend_worker": {"frontend_address": f"{own}:{grpc_port}"},
        "query_scheduler": {"use_scheduler_ring": False},
        "ingester": {"lifecycler": {"min_ready_duration": "0s"}},
        "schema_config": {
            "configs": [
                {
                    "from": "2024-01-01",
                    "store": "tsdb",
                    "object_store": "filesystem",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        "limits_config": {
            "allow_structured_metadata": True,
            "retention_period": str(environment.logs_retention),
            "otlp_config": {
                "resource_attributes": {
                    "ignore_defaults": True,
                    "attributes_config": [{"action": "index_label", "attributes": list(_INDEXED)}],
                }
            },
        },
        "compactor": {
            "working_directory": f"{data}/compactor",
            "retention_enabled": True,
            "delete_request_store": "filesystem",
        },
        "analytics": {"reporting_enabled": False},
    }


def workload(environment: Environment, at: Placement) -> Workload:
    """The Loki of `environment`."""
    flag = f"-config.file={CONFIG_DIR}/{_CONFIG}"
    return Workload(
        name="loki",
        command=("loki", flag, _EXPAND),
        checks=(("loki", flag, _EXPAND, "-verify-config"),),
        files={_CONFIG: to_yaml(config(environment, at))},
        ports=("loki", "loki-grpc"),
        ready_port="loki",
        ready_path="/ready",
        stop_s=30,
        alive=Probe(port="loki", path="/loki/api/v1/status/buildinfo"),
    )
