"""Langfuse: the web server, which also migrates its databases, and the worker. Both are configured by variables.

Passwords, salt and encryption key are made once and kept: a new salt makes API keys worthless, a new encryption key
makes stored credentials unreadable.
"""

from typing import Final

from stacks.components import objects
from stacks.components.stores import BUCKET, DATABASE
from stacks.deployment import Deployment, Issuer, LangfuseStores
from stacks.workload import Outside, Placement, Probe, SecretUse, Workload

PROJECT: Final = "agentobs"
_UID: Final = 1001  # the owner of what its image writes at the start
_HEAP_SHARE: Final = 0.7
_MIGRATION_S: Final = 1800
"""The first start migrates two databases; killed half way, it leaves one that a person must repair."""
_STORES: Final = ("postgres", "clickhouse-http", "clickhouse-native", "valkey", "objects")


def web(deployment: Deployment, at: Placement) -> Workload:
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
        calls=() if deployment.langfuse_stores else _STORES,
        outside=_outside(deployment, signs_in=deployment.langfuse_oidc is not None),
        reaches=(*_reaches(deployment), *_migrates(deployment)),
        env={
            **_common(deployment, at, "langfuse-web"),
            "HOSTNAME": "0.0.0.0",  # noqa: S104 the pod's address; a policy says who may come
            "PORT": port,
            "NEXTAUTH_URL": deployment.langfuse_public_url or f"http://localhost:{port}",
            **_sign_on(deployment.langfuse_oidc),
            "LANGFUSE_INIT_ORG_ID": PROJECT,
            "LANGFUSE_INIT_ORG_NAME": PROJECT,
            "LANGFUSE_INIT_PROJECT_ID": PROJECT,
            "LANGFUSE_INIT_PROJECT_NAME": PROJECT,
            "LANGFUSE_INIT_USER_EMAIL": deployment.langfuse_admin,
            "LANGFUSE_INIT_USER_NAME": "Administrator",
        },
        secrets=(
            *_secrets(deployment),
            SecretUse(value="langfuseNextauthSecret", variable="NEXTAUTH_SECRET"),
            *((_CLIENT_SECRET,) if deployment.langfuse_oidc else ()),
            SecretUse(value="langfusePublicKey", variable="LANGFUSE_INIT_PROJECT_PUBLIC_KEY"),
            SecretUse(value="langfuseSecretKey", variable="LANGFUSE_INIT_PROJECT_SECRET_KEY"),
            SecretUse(value="langfuseAdminPassword", variable="LANGFUSE_INIT_USER_PASSWORD"),
        ),
        scratch=_SCRATCH,
        writes_data=False,
        alive=Probe(port="langfuse-web", path="/api/public/health"),
        uid=_UID,
    )


def worker(deployment: Deployment, at: Placement) -> Workload:
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
        calls=() if deployment.langfuse_stores else _STORES,
        outside=_outside(deployment),
        reaches=_reaches(deployment),
        env={
            **_common(deployment, at, "langfuse-worker"),
            "PORT": at.listen("langfuse-worker").rpartition(":")[2],
        },
        secrets=_secrets(deployment),
        scratch=_SCRATCH,
        writes_data=False,
        alive=Probe(port="langfuse-worker", path="/api/health"),
        uid=_UID,
    )


def _sign_on(provider: Issuer | None) -> dict[str, str]:
    """With single sign-on nobody has a password, and whoever the provider lets in gets an account that sees nothing.

    The account of the first person is found again by its mail address. Without it nobody makes an account.
    """
    if provider is None:
        return {"AUTH_DISABLE_SIGNUP": "true"}
    return {
        "AUTH_DISABLE_SIGNUP": "false",
        "AUTH_DISABLE_USERNAME_PASSWORD": "true",
        "AUTH_CUSTOM_NAME": provider.name,
        "AUTH_CUSTOM_ISSUER": provider.url,
        "AUTH_CUSTOM_CLIENT_ID": provider.client_id,
        "AUTH_CUSTOM_CHECKS": "pkce,state",
        "AUTH_CUSTOM_ALLOW_ACCOUNT_LINKING": "true",
    }


def _outside(deployment: Deployment, *, signs_in: bool = False) -> tuple[Outside, ...]:
    """The address of the database is a secret; the cloud gives keys of the bucket to who comes without."""
    stores = deployment.langfuse_stores is not None
    https = signs_in or (stores and bool(objects.outside(deployment.objects)))
    return (*((Outside.POSTGRES,) if stores else ()), *((Outside.HTTPS,) if https else ()))


def _reaches(deployment: Deployment) -> tuple[str, ...]:
    stores = deployment.langfuse_stores
    if stores is None:
        return ()
    return (stores.clickhouse_url, f"redis://{stores.redis}", *objects.reaches(deployment.objects))


def _migrates(deployment: Deployment) -> tuple[str, ...]:
    stores = deployment.langfuse_stores
    return (stores.clickhouse_migration_url,) if stores else ()


_CLIENT_SECRET: Final = SecretUse(value="langfuseOidcClientSecret", variable="AUTH_CUSTOM_CLIENT_SECRET")
_SCRATCH: Final = ("/tmp", "/app/.next/cache")  # noqa: S108 volumes of the pod
_S3: Final = "LANGFUSE_S3_EVENT_UPLOAD"


def _secrets(deployment: Deployment) -> tuple[SecretUse, ...]:
    elsewhere = deployment.langfuse_stores is not None
    objects = ("objectsAccessKey", "objectsSecretKey") if elsewhere else ("objectsOwnAccessKey", "objectsOwnSecretKey")
    by_keys = not elsewhere or (deployment.objects is not None and deployment.objects.keys)
    return (
        SecretUse(value="langfuseDatabaseUrl" if elsewhere else "langfuseOwnDatabaseUrl", variable="DATABASE_URL"),
        SecretUse(value="clickhousePassword" if elsewhere else "clickhouseOwnPassword", variable="CLICKHOUSE_PASSWORD"),
        SecretUse(value="redisPassword" if elsewhere else "valkeyPassword", variable="REDIS_AUTH"),
        *(
            (
                SecretUse(value=objects[0], variable=f"{_S3}_ACCESS_KEY_ID"),
                SecretUse(value=objects[1], variable=f"{_S3}_SECRET_ACCESS_KEY"),
            )
            if by_keys
            else ()
        ),
        SecretUse(value="langfuseSalt", variable="SALT"),
        SecretUse(value="langfuseEncryptionKey", variable="ENCRYPTION_KEY"),
    )


def _common(deployment: Deployment, at: Placement, name: str) -> dict[str, str]:
    size = deployment.cluster.sizes[name] if deployment.cluster else None
    heap = round(size.memory_mib * size.memory_burst * _HEAP_SHARE) if size else 1024
    return {
        "TZ": "UTC",
        "NODE_OPTIONS": f"--max-old-space-size={heap}",
        "TELEMETRY_ENABLED": "false",
        f"{_S3}_PREFIX": "events/",
        **(_external(deployment, deployment.langfuse_stores) if deployment.langfuse_stores else _here(at)),
    }


def _here(at: Placement) -> dict[str, str]:
    redis_host, redis_port = at.address("valkey").rsplit(":", 1)
    return {
        "CLICKHOUSE_URL": f"http://{at.address('clickhouse-http')}",
        "CLICKHOUSE_MIGRATION_URL": f"clickhouse://{at.address('clickhouse-native')}",
        "CLICKHOUSE_USER": DATABASE,
        "CLICKHOUSE_CLUSTER_ENABLED": "false",
        "REDIS_HOST": redis_host,
        "REDIS_PORT": redis_port,
        f"{_S3}_BUCKET": BUCKET,
        f"{_S3}_REGION": "us-east-1",
        f"{_S3}_ENDPOINT": f"http://{at.address('objects')}",
        f"{_S3}_FORCE_PATH_STYLE": "true",
    }


def _external(deployment: Deployment, stores: LangfuseStores) -> dict[str, str]:
    redis_host, _, redis_port = stores.redis.partition(":")
    objects = deployment.objects
    return {
        "CLICKHOUSE_URL": stores.clickhouse_url,
        "CLICKHOUSE_MIGRATION_URL": stores.clickhouse_migration_url,
        "CLICKHOUSE_MIGRATION_SSL": _yes(stores.clickhouse_url.startswith("https://")),
        "CLICKHOUSE_USER": stores.clickhouse_user,
        "CLICKHOUSE_CLUSTER_ENABLED": _yes(stores.clickhouse_cluster),
        "REDIS_HOST": redis_host,
        "REDIS_PORT": redis_port or "6379",
        "REDIS_TLS_ENABLED": _yes(stores.redis_tls),
        f"{_S3}_BUCKET": stores.bucket,
        f"{_S3}_REGION": objects.region if objects else "",
        f"{_S3}_ENDPOINT": f"{'https' if objects.tls else 'http'}://{objects.endpoint}" if objects else "",
        f"{_S3}_FORCE_PATH_STYLE": _yes(objects is not None and objects.path_style),
    }


def _yes(value: bool) -> str:  # noqa: FBT001 a word for a variable
    return "true" if value else "false"
