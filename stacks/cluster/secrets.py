"""Every secret value, by name: made once and kept, given by the operator, or put together from others.

Values exist only as encrypted outputs of Pulumi and in the `Secret` objects; here are their names. A workload gets a
`Secret` of its own with just the values that it uses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collector.stores import LogKind, TraceKind
from stacks.cluster import names
from stacks.components import external
from stacks.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """Made at the first `up` and never again. `bytes` of randomness as hexadecimal digits, with an optional prefix."""

    bytes: int = 24
    prefix: str = ""
    lasting: bool = False
    """Losing it makes stored data unreadable: protected even where nothing else is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A secret setting of the operator, by its key in the stack file."""

    setting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """`text` with other values in braces, by name; `base64` of the whole where a protocol wants that."""

    text: str
    parts: tuple[str, ...]
    base64: bool = False


Value = Generated | Given | Composed

SECRETS_DIR: Final = external.FOLDER
"""Where a pod has secrets that are files."""
LOGINS: Final = ("prometheus", "remoteWrite", "alertmanager", *LogKind, *TraceKind)
"""External services that may want to know us."""
SECRETS: Final[Mapping[str, str]] = {
    "webhookUrl": "the address that alerts are posted to",
    "pagerdutyRoutingKey": "the routing key of a PagerDuty service (Events API v2)",
    "opsgenieApiKey": "the key of an Opsgenie API integration",
    "slackWebhookUrl": "the address of a Slack incoming webhook",
    "emailPassword": "the password at the mail server",
    "deadMansSwitchUrl": "the address that raises an alarm when it hears nothing for minutes",
    **{f"{service}Token": f"the bearer token, or the password, at the external {service}" for service in LOGINS},
    **{f"{service}User": f"the user at the external {service}, where it wants one" for service in LOGINS},
    "otlpTokens": "bearer tokens that senders of telemetry show, one per line; team-a~SECRET names tenant team-a",
    "objectsAccessKey": "the access key of the object storage",
    "objectsSecretKey": "the secret key of the object storage",
    "oidcClientSecret": "the secret of Grafana's client at the identity provider",
    "langfuseOidcClientSecret": "the secret of Langfuse's client at the identity provider",
    "grafanaDatabasePassword": "the password of Grafana's database",
    "langfuseDatabaseUrl": "the address of Langfuse's Postgres: postgresql://user:password@host:5432/database",
    "clickhousePassword": "the password of Langfuse's user at ClickHouse",
    "redisPassword": "the password of Langfuse's Redis or Valkey",
    "langfuseKeys": "base64 of public_key:secret_key of a Langfuse project",
}
"""Secret settings, and what each is."""

VALUES: Final[Mapping[str, Value]] = {
    **{key: Given(setting=key) for key in SECRETS},
    **{
        f"{service}Login": Composed(
            text=f"{{{service}User}}:{{{service}Token}}", parts=(f"{service}User", f"{service}Token"), base64=True
        )
        for service in LOGINS
    },
    "secretsDigestKey": Generated(),
    "grafanaAdminPassword": Generated(),
    "grafanaSecretKey": Generated(bytes=32, lasting=True),
    "grafanaMetricsPassword": Generated(),
    "samplerToken": Generated(bytes=32),
    "postgresPassword": Generated(lasting=True),
    "clickhouseOwnPassword": Generated(lasting=True),
    "valkeyPassword": Generated(),
    "valkeyConfig": Composed(text="requirepass {valkeyPassword}\n", parts=("valkeyPassword",)),
    "objectsOwnAccessKey": Generated(bytes=10, lasting=True),
    "objectsOwnSecretKey": Generated(lasting=True),
    "langfuseSalt": Generated(bytes=32, lasting=True),
    "langfuseEncryptionKey": Generated(bytes=32, lasting=True),
    "langfuseNextauthSecret": Generated(bytes=32),
    "langfuseAdminPassword": Generated(),
    "langfusePublicKey": Generated(bytes=16, prefix="pk-lf-"),
    "langfuseSecretKey": Generated(bytes=16, prefix="sk-lf-"),
    "langfuseOwnDatabaseUrl": Composed(
        text="postgresql://langfuse:{postgresPassword}@postgres:5432/langfuse", parts=("postgresPassword",)
    ),
    "langfuseOwnKeys": Composed(
        text="{langfusePublicKey}:{langfuseSecretKey}", parts=("langfusePublicKey", "langfuseSecretKey"), base64=True
    ),
}


def secret_of(workload: str) -> str:
    """Name of a workload's `Secret`."""
    return f"{workload}-secrets"


def used(workloads: Iterable[Workload]) -> dict[str, tuple[str, ...]]:
    """Workload -> names of the values it uses, for those that use any."""
    own = {
        workload.name: tuple(dict.fromkeys(use.value for use in workload.secrets if not use.secret))
        for workload in workloads
    }
    return {name: values for name, values in own.items() if values}


def objects(workloads: Iterable[Workload], namespace: str) -> list[dict[str, Any]]:
    """The `Secret` objects with the names of values where the values will be."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": secret_of(name), "namespace": namespace, "labels": names.labels(name)},
            "type": "Opaque",
            "stringData": {value: value for value in values},
        }
        for name, values in used(workloads).items()
    ]
