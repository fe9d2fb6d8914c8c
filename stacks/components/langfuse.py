"""Langfuse: the web server, which also migrates its databases, and the worker. Both are configured by variables.

Passwords, salt and encryption key are made once and kept: a new salt makes API keys worthless, a new encryption key
makes stored credentials unreadable.
"""

from typing import Final

from stacks.components.stores import BUCKET, DATABASE
from stacks.environments import Environment
from stacks.workload import Placement, Probe, SecretUse, Workload

PROJECT: Final = "agentobs"
_HEAP_SHARE: Final = 0.7
_MIGRATION_S: Final = 1800
"""The first start migrates two databases; killed half way, it leaves one that a person must repair."""
_STORES: Final = ("postgres", "clickhouse-http", "clickhouse-native", "valkey", "objects")


def web(environment: Environment, at: Placement) -> Workload:
    """Web pages, API and OTLP; makes organisation, project, keys and the first person at the first start."""
    port = at.listen("langfuse-web").rpartition(":")[2]
    return Workload(
        name="langfuse-web",
        command=("langfuse-web",),
        checks=(),
        files={},
        ports=("langfuse-web",),
        ready_port="langfuse-web",
        ready_path="/api/public/ready",
        ready_timeout_s=_MIGRATION_S,
        stop_s=60,
        calls=_STORES,
        env={
            **_common(environment, at, "langfuse-web"),
            "HOSTNAME": "0.0.0.0",  # noqa: S104 the pod's address; a policy says who may come
            "PORT": port,
            "NEXTAUTH_URL": environment.langfuse_public_url or f"http://localhost:{port}",
            "AUTH_DISABLE_SIGNUP": "true",
            "LANGFUSE_INIT_ORG_ID": PROJECT,
            "LANGFUSE_INIT_ORG_NAME": PROJECT,
            "LANGFUSE_INIT_PROJECT_ID": PROJECT,
            "LANGFUSE_INIT_PROJECT_NAME": PROJECT,
            "LANGFUSE_INIT_USER_EMAIL": environment.langfuse_admin,
            "LANGFUSE_INIT_USER_NAME": "Administrator",
        },
        secrets=(
            *_SECRETS,
            SecretUse(value="langfuseNextauthSecret", variable="NEXTAUTH_SECRET"),
            SecretUse(value="langfusePublicKey", variable="LANGFUSE_INIT_PROJECT_PUBLIC_KEY"),
            SecretUse(value="langfuseSecretKey", variable="LANGFUSE_INIT_PROJECT_SECRET_KEY"),
            SecretUse(value="langfuseAdminPassword", variable="LANGFUSE_INIT_USER_PASSWORD"),
        ),
        scratch=_SCRATCH,
        writes_data=False,
        alive=Probe(port="langfuse-web", path="/api/public/health"),
        uid=1001,
    )


def worker(environment: Environment, at: Placement) -> Workload:
    """Takes events from the queue into ClickHouse."""
    return Workload(
        name="langfuse-worker",
        command=("langfuse-worker",),
        checks=(),
        files={},
        ports=("langfuse-worker",),
        ready_port="langfuse-worker",
        ready_path="/api/ready",
        ready_timeout_s=_MIGRATION_S,
        stop_s=120,
        calls=_STORES,
        env={
            **_common(environment, at, "langfuse-worker"),
            "PORT": at.listen("langfuse-worker").rpartition(":")[2],
        },
        secrets=_SECRETS,
        scratch=_SCRATCH,
        writes_data=False,
        alive=Probe(port="langfuse-worker", path="/api/health"),
        uid=1001,
    )


_SCRATCH: Final = ("/tmp", "/app/.next/cache")  # noqa: S108 volumes of the pod
_SECRETS: Final = (
    SecretUse(value="langfuseDatabaseUrl", variable="DATABASE_URL"),
    SecretUse(value="clickhousePassword", variable="CLICKHOUSE_PASSWORD"),
    SecretUse(value="valkeyPassword", variable="REDIS_AUTH"),
    SecretUse(value="objectsOwnAccessKey", variable="LANGFUSE_S3_EVENT_UPLOAD_ACCESS_KEY_ID"),
    SecretUse(value="objectsOwnSecretKey", variable="LANGFUSE_S3_EVENT_UPLOAD_SECRET_ACCESS_KEY"),
    SecretUse(value="langfuseSalt", variable="SALT"),
    SecretUse(value="langfuseEncryptionKey", variable="ENCRYPTION_KEY"),
)


def _common(environment: Environment, at: Placement, name: str) -> dict[str, str]:
    redis_host, redis_port = at.address("valkey").rsplit(":", 1)
    size = environment.cluster.sizes[name] if environment.cluster else None
    heap = round(size.memory_mib * size.memory_burst * _HEAP_SHARE) if size else 1024
    return {
        "TZ": "UTC",
        "NODE_OPTIONS": f"--max-old-space-size={heap}",
        "TELEMETRY_ENABLED": "false",
        "CLICKHOUSE_URL": f"http://{at.address('clickhouse-http')}",
        "CLICKHOUSE_MIGRATION_URL": f"clickhouse://{at.address('clickhouse-native')}",
        "CLICKHOUSE_USER": DATABASE,
        "CLICKHOUSE_CLUSTER_ENABLED": "false",
        "REDIS_HOST": redis_host,
        "REDIS_PORT": redis_port,
        "LANGFUSE_S3_EVENT_UPLOAD_BUCKET": BUCKET,
        "LANGFUSE_S3_EVENT_UPLOAD_PREFIX": "events/",
        "LANGFUSE_S3_EVENT_UPLOAD_REGION": "us-east-1",
        "LANGFUSE_S3_EVENT_UPLOAD_ENDPOINT": f"http://{at.address('objects')}",
        "LANGFUSE_S3_EVENT_UPLOAD_FORCE_PATH_STYLE": "true",
    }
