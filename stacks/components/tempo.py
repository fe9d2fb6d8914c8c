"""Tempo: traces over OTLP. One process with all parts; several of them share object storage and gossip."""

from typing import Any, Final

from agentobs.contract import Attr
from collector.document import to_yaml
from stacks.components import external, objects
from stacks.deployment import Deployment, External, ObjectStore
from stacks.workload import CONFIG_DIR, Placement, Probe, Workload

_CONFIG: Final = "tempo.yaml"
_EXPAND: Final = "-config.expand-env=true"  # a pod learns its address from its environment


def config(deployment: Deployment, at: Placement) -> dict[str, Any]:
    """Return Tempo's configuration."""
    own, members = at.own_host(), at.members("tempo")
    ring = {"kvstore": {"store": "memberlist" if len(members) > 1 else "inmemory"}}
    return {
        "server": _server(at),
        "distributor": {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": at.listen("tempo-otlp")}}}},
            "ring": {"instance_addr": own, **ring},
        },
        "ingester": {
            "lifecycler": {
                "address": own,
                "min_ready_duration": "0s",
                "ring": {**ring, "replication_factor": objects.replication(len(members))},
            },
            # Traces become searchable soon after their last span.
            "trace_idle_period": "5s",
        },
        "query_frontend": {"search": {"query_backend_after": "15m"}},
        "querier": {"frontend_worker": {"frontend_address": _frontend(at)}},
        "compactor": {
            # No compactor ring for one: it has nobody to share blocks with, and joining a ring costs a minute.
            **({"ring": {"instance_addr": own, **ring}} if len(members) > 1 else {}),
            "compaction": {"block_retention": str(deployment.traces_retention)},
        },
        **_graph(deployment, at, ring),
        "storage": {"trace": _storage(objects.of(deployment, "tempo"), at.data_dir("tempo"))},
        # Some of Tempo's rings start gossip whatever their store; by default it would listen on every address.
        "memberlist": _gossip(at),
        "usage_report": {"reporting_enabled": False},
    }


def _server(at: Placement) -> dict[str, Any]:
    host, http_port = at.listen("tempo").rsplit(":", 1)
    return {
        "http_listen_address": host,
        "http_listen_port": int(http_port),
        "grpc_listen_address": host,
        "grpc_listen_port": int(at.listen("tempo-grpc").rsplit(":", 1)[1]),
        "log_level": "warn",
    }


def _frontend(at: Placement) -> str:
    """Queriers work for the frontends of all members: the name of all of them resolves to each."""
    members = at.members("tempo-grpc")
    if len(members) > 1:
        return members[0].partition(".")[2]
    return f"{at.own_host()}:{at.listen('tempo-grpc').rsplit(':', 1)[1]}"


def _graph(deployment: Deployment, at: Placement, ring: dict[str, Any]) -> dict[str, Any]:
    """Who calls whom, as series in Prometheus, where there is one that takes them by remote write."""
    if "prometheus" not in deployment.external:
        targets = [{"url": f"http://{member}/api/v1/write"} for member in at.members("prometheus")]
    else:
        targets = [{"url": remote.url, **external.http_client(remote)} for remote in _written(deployment)]
    if not targets:
        return {}
    return {
        "metrics_generator": _generator(at, ring, targets),
        "overrides": {"defaults": {"metrics_generator": {"processors": ["service-graphs"]}}},
    }


def _written(deployment: Deployment) -> tuple[External, ...]:
    """The long-term store, where no Prometheus of ours writes to it."""
    return external.stores(deployment, ("remoteWrite",)) if "prometheus" in deployment.external else ()


def _generator(at: Placement, ring: dict[str, Any], targets: list[dict[str, Any]]) -> dict[str, Any]:
    """Our KPIs come from the collector, before any sampling."""
    several = len(at.members("tempo")) > 1
    return {
        "ring": {"instance_addr": at.own_host(), **ring},
        "processor": {"service_graphs": {"dimensions": [Attr.ENVIRONMENT], "enable_client_server_prefix": True}},
        # Each counts its share: without a label of its own, two would write one series.
        **({"registry": {"external_labels": {"tempo_instance": "${POD_NAME}"}}} if several else {}),
        "storage": {
            "path": f"{at.data_dir('tempo')}/generator",
            "remote_write": targets,
        },
    }


def _storage(store: ObjectStore | None, data: str) -> dict[str, Any]:
    wal = {"wal": {"path": f"{data}/wal"}}
    if store is None:
        return {"backend": "local", "local": {"path": f"{data}/blocks"}, **wal}
    s3 = {
        "bucket": store.buckets["tempo"],
        "endpoint": store.endpoint,
        "region": store.region,
        "forcepathstyle": store.path_style,
        "insecure": not store.tls,
        **objects.credentials(store, "access_key", "secret_key"),
    }
    return {"backend": "s3", "s3": s3, **wal}


def _gossip(at: Placement) -> dict[str, Any]:
    if len(at.members("tempo")) > 1:
        return objects.gossip(at, "tempo-gossip")
    return {"bind_addr": [at.own_host()], "bind_port": int(at.listen("tempo-gossip").rsplit(":", 1)[1])}


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The Tempo of `environment`."""
    flag, several = f"-config.file={CONFIG_DIR}/{_CONFIG}", len(at.members("tempo")) > 1
    store = objects.of(deployment, "tempo")
    target = ("-target=scalable-single-binary",) if several else ()
    return Workload(
        name="tempo",
        command=("tempo", flag, _EXPAND, *target),
        checks=(("tempo", flag, _EXPAND, "-config.verify=true"),),
        files={_CONFIG: to_yaml(config(deployment, at))},
        ports=("tempo", "tempo-grpc", "tempo-otlp", "tempo-gossip"),
        metrics_port="tempo",
        ready_port="tempo",
        ready_path="/ready",
        stop_s=30,
        calls=("prometheus", *(("tempo-grpc", "tempo-gossip") if several else ())),
        outside=objects.outside(store),
        reaches=(*objects.reaches(store), *(remote.url for remote in _written(deployment))),
        secrets=(*objects.keys(store), *external.client_secrets(_written(deployment))),
        alive=Probe(port="tempo", path="/status/version"),
    )
