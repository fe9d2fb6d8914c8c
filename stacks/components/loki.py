"""Loki: logs over OTLP; agent and trace ids stay structured metadata, so that they never become streams.

One process with all parts; several of them share object storage and find each other by gossip.
"""

from typing import Any, Final

from agentobs.contract import Attr
from collector.document import to_yaml
from stacks.components import objects
from stacks.deployment import Deployment, ObjectStore
from stacks.workload import CONFIG_DIR, Placement, Probe, Workload

_CONFIG: Final = "loki.yaml"
_EXPAND: Final = "-config.expand-env=true"  # a pod learns its address from its environment
_INDEXED: Final = (Attr.SERVICE_NAME, Attr.SERVICE_NAMESPACE, Attr.ENVIRONMENT)


def config(deployment: Deployment, at: Placement) -> dict[str, Any]:
    """Return Loki's configuration."""
    data, store = at.data_dir("loki"), objects.of(deployment, "loki")
    several = len(at.members("loki")) > 1
    return {
        "auth_enabled": False,
        "server": _server(at),
        "common": _common(at, store, several=several),
        **(_together(at) if several else _alone(at)),
        "schema_config": {"configs": [_schema("s3" if store else "filesystem")]},
        "limits_config": {
            "allow_structured_metadata": True,
            "retention_period": str(deployment.logs_retention),
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
            "delete_request_store": "s3" if store else "filesystem",
        },
        "analytics": {"reporting_enabled": False},
    }


def _server(at: Placement) -> dict[str, Any]:
    host, http_port = at.listen("loki").rsplit(":", 1)
    return {
        "http_listen_address": host,
        "http_listen_port": int(http_port),
        "grpc_listen_address": host,
        "grpc_listen_port": int(at.listen("loki-grpc").rsplit(":", 1)[1]),
        "log_level": "warn",
    }


def _common(at: Placement, store: ObjectStore | None, *, several: bool) -> dict[str, Any]:
    data, own = at.data_dir("loki"), at.own_host()
    ring = {"instance_addr": own, "kvstore": {"store": "memberlist" if several else "inmemory"}}
    return {
        "path_prefix": data,
        "instance_addr": own,
        "replication_factor": objects.replication(len(at.members("loki"))),
        "ring": ring,
        "storage": {"s3": _bucket(store)}
        if store
        else {"filesystem": {"chunks_directory": f"{data}/chunks", "rules_directory": f"{data}/rules"}},
    }


def _bucket(store: ObjectStore) -> dict[str, Any]:
    return {
        "endpoint": store.endpoint,
        "region": store.region,
        "bucketnames": store.buckets["loki"],
        "s3forcepathstyle": store.path_style,
        "insecure": not store.tls,
        **objects.credentials(store, "access_key_id", "secret_access_key"),
    }


def _alone(at: Placement) -> dict[str, Any]:
    own, grpc_port = at.own_host(), at.listen("loki-grpc").rsplit(":", 1)[1]
    return {
        # On a host with several addresses queries hang unless the frontend knows its own.
        "frontend": {"address": own},
        # One process: queriers ask the frontend directly. The scheduler ring would delay the start by 10 s.
        "frontend_worker": {"frontend_address": f"{own}:{grpc_port}"},
        "query_scheduler": {"use_scheduler_ring": False},
        "ingester": {"lifecycler": {"min_ready_duration": "0s"}},
    }


def _together(at: Placement) -> dict[str, Any]:
    return {
        "frontend": {"address": at.own_host()},
        "query_scheduler": {"use_scheduler_ring": True},
        "memberlist": objects.gossip(at, "loki-gossip"),
    }


def _schema(kind: str) -> dict[str, Any]:
    return {
        "from": "2024-01-01",
        "store": "tsdb",
        "object_store": kind,
        "schema": "v13",
        "index": {"prefix": "index_", "period": "24h"},
    }


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The Loki of `environment`."""
    flag = f"-config.file={CONFIG_DIR}/{_CONFIG}"
    store, several = objects.of(deployment, "loki"), len(at.members("loki")) > 1
    return Workload(
        name="loki",
        command=("loki", flag, _EXPAND),
        checks=(("loki", flag, _EXPAND, "-verify-config"),),
        files={_CONFIG: to_yaml(config(deployment, at))},
        ports=("loki", "loki-grpc", *(("loki-gossip",) if several else ())),
        metrics_port="loki",
        ready_port="loki",
        ready_path="/ready",
        stop_s=30,
        calls=("loki-grpc", "loki-gossip") if several else (),
        outside=objects.outside(store),
        reaches=objects.reaches(store),
        secrets=objects.keys(store),
        alive=Probe(port="loki", path="/loki/api/v1/status/buildinfo"),
    )
