"""Langfuse's data stores for environments that run their own: Postgres, ClickHouse, Valkey and an S3-compatible store.

One node each, sized for development and rehearsal. Not here: managed services, which an operator names instead.
"""

from typing import Any, Final

from collector.document import to_yaml
from stacks.deployment import Deployment
from stacks.workload import CONFIG_DIR, Placement, Probe, SecretUse, Workload

DATABASE: Final = "langfuse"
BUCKET: Final = "langfuse"
_UTC: Final = {"TZ": "UTC"}
_LOG_DAYS: Final = 3
_MEMORY_SHARE: Final = 0.75


def postgres(deployment: Deployment, at: Placement) -> Workload:
    """People, projects, prompts and keys."""
    del deployment, at
    password = "/etc/agentobs/secrets/postgresPassword"  # noqa: S105 where it is
    return Workload(
        name="postgres",
        command=("postgres",),
        checks=(),
        files={},
        ports=("postgres",),
        ready_port="postgres",
        ready_path="",
        ready=Probe(command=("pg_isready", "--username", DATABASE, "--dbname", DATABASE)),
        stop_s=60,
        env={
            **_UTC,
            "PGTZ": "UTC",
            "POSTGRES_USER": DATABASE,
            "POSTGRES_DB": DATABASE,
            "PGDATA": "/var/lib/postgresql/data/pgdata",
            "POSTGRES_PASSWORD_FILE": password,
        },
        secrets=(SecretUse(value="postgresPassword", file=password),),
        scratch=("/var/run/postgresql", "/tmp"),  # noqa: S108 a volume of the pod
        data_path="/var/lib/postgresql/data",
        alive=Probe(port="postgres"),
    )


def clickhouse(deployment: Deployment, at: Placement) -> Workload:
    """Traces, observations and scores."""
    return Workload(
        name="clickhouse",
        command=("clickhouse-server", f"--config-file={CONFIG_DIR}/config.yaml"),
        checks=(),
        files={"config.yaml": to_yaml(_server(deployment, at)), "users.yaml": to_yaml(_users())},
        ports=("clickhouse-http", "clickhouse-native", "clickhouse-metrics"),
        metrics_port="clickhouse-metrics",
        ready_port="clickhouse-http",
        ready_path="/ping",
        stop_s=60,
        env=dict(_UTC),
        secrets=(SecretUse(value="clickhouseOwnPassword", variable="CLICKHOUSE_PASSWORD"),),
        scratch=("/tmp",),  # noqa: S108 a volume of the pod
        alive=Probe(port="clickhouse-native"),
    )


def _server(deployment: Deployment, at: Placement) -> dict[str, Any]:
    """One node without a keeper. Of the logs about itself only that of queries is kept, and for days.

    With the defaults they outgrow the data a thousandfold and eat the memory, while the health check stays green.
    """
    data = at.data_dir("clickhouse")
    memory = deployment.cluster.sizes["clickhouse"] if deployment.cluster else None
    return {
        "logger": {"level": "warning", "console": 1},
        "listen_host": "0.0.0.0",  # noqa: S104 the pod's address; a policy says who may come
        "http_port": int(at.listen("clickhouse-http").rpartition(":")[2]),
        "tcp_port": int(at.listen("clickhouse-native").rpartition(":")[2]),
        "path": f"{data}/",
        "tmp_path": f"{data}/tmp/",  # noqa: S108 on the volume
        "user_files_path": f"{data}/user_files/",
        "format_schema_path": f"{data}/format_schemas/",
        "users_config": "users.yaml",
        "timezone": "UTC",
        "default_profile": "default",
        "default_database": "default",
        "mark_cache_size": 268_435_456,
        "max_server_memory_usage": round(memory.memory_mib * memory.memory_burst * _MEMORY_SHARE) * 2**20
        if memory
        else 0,
        "query_log": {
            "database": "system",
            "table": "query_log",
            "partition_by": "toMonday(event_date)",
            "ttl": f"event_date + INTERVAL {_LOG_DAYS} DAY DELETE",
            "flush_interval_milliseconds": 7500,
        },
        "prometheus": {
            "endpoint": "/metrics",
            "port": int(at.listen("clickhouse-metrics").rpartition(":")[2]),
            "metrics": True,
            "events": True,
            "asynchronous_metrics": True,
        },
    }


def _users() -> dict[str, Any]:
    return {
        "profiles": {"default": {"log_queries": 1}},
        "quotas": {"default": {}},
        "users": {
            DATABASE: {
                "password": {"@from_env": "CLICKHOUSE_PASSWORD"},
                "networks": {"ip": "::/0"},
                "profile": "default",
                "quota": "default",
            }
        },
    }


def valkey(deployment: Deployment, at: Placement) -> Workload:
    """Queues and caches. Evicting a key would lose a job, so that a full memory refuses instead."""
    size = deployment.cluster.sizes["valkey"] if deployment.cluster else None
    most = f"{size.memory_mib * 3 // 4}mb" if size else "96mb"
    return Workload(
        name="valkey",
        command=(
            "valkey-server",
            "/etc/agentobs/secrets/valkey.conf",
            *("--dir", at.data_dir("valkey")),
            *("--appendonly", "yes"),
            *("--maxmemory", most),
            *("--maxmemory-policy", "noeviction"),
        ),
        checks=(),
        files={},
        ports=("valkey",),
        ready_port="valkey",
        ready_path="",
        # Without the password it is refused, which is an answer.
        ready=Probe(command=("valkey-cli", "ping")),
        secrets=(SecretUse(value="valkeyConfig", file="/etc/agentobs/secrets/valkey.conf"),),
        env=dict(_UTC),
        alive=Probe(port="valkey"),
    )


def objects(deployment: Deployment, at: Placement) -> Workload:
    """Raw events and media, in one bucket."""
    del deployment
    data = at.data_dir("objects")
    return Workload(
        name="objects",
        command=(
            "weed",
            "mini",
            f"-dir={data}",
            f"-master.dir={data}",
            f"-bucket={BUCKET}",
            f"-s3.port={at.listen('objects').rpartition(':')[2]}",
            "-s3.port.iceberg=0",
            "-ip.bind=0.0.0.0",
            "-admin.ui=false",
            "-master.telemetry=false",
        ),
        checks=(),
        files={},
        ports=("objects",),
        ready_port="objects",
        ready_path="/healthz",
        env=dict(_UTC),
        secrets=(
            SecretUse(value="objectsOwnAccessKey", variable="AWS_ACCESS_KEY_ID"),
            SecretUse(value="objectsOwnSecretKey", variable="AWS_SECRET_ACCESS_KEY"),
        ),
        scratch=("/tmp",),  # noqa: S108 a volume of the pod
        alive=Probe(port="objects"),
    )
