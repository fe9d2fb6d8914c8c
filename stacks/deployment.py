"""An environment as it is deployed: what engineers decided for it, and what an operator chose for this one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from alerts.routing import Receiver, Webhook
from collector.cost import Authority
from collector.stores import Stores
from collector.tiers import DOOR_MIB
from stacks.environments import Cluster, Environment, EnvName, Retention


class Auth(StrEnum):
    """How an external service knows us."""

    NONE = "none"
    BEARER = "bearer"
    BASIC = "basic"


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """A service that is not deployed here. Its secret settings are called after `name`: `<name>Token`, `<name>User`.

    `url` is the address that is read, or written to where there is only one; telemetry goes to `otlp_url`, to which
    `/v1/<signal>` is added.
    """

    name: str
    url: str
    otlp_url: str = ""
    auth: Auth = Auth.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """The identity provider that people sign in with; `role_path` is a JMESPath that gives Viewer, Editor or Admin."""

    name: str
    client_id: str
    auth_url: str
    token_url: str
    api_url: str
    role_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The identity provider by its address, below which everything else about it is found."""

    name: str
    url: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStore:
    """An S3-compatible store; `endpoint` is `host` or `host:port`, `buckets` maps a workload to its bucket.

    Without `keys` a pod is let in by its identity at the cloud.
    """

    endpoint: str
    region: str
    buckets: Mapping[str, str]
    keys: bool = False
    path_style: bool = False
    tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A Postgres database; `address` is `host:port`. Its password is a secret."""

    address: str
    name: str
    user: str
    tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LangfuseStores:
    """Langfuse's external data stores; passwords and the address of Postgres are secrets."""

    clickhouse_url: str
    clickhouse_migration_url: str
    clickhouse_user: str
    clickhouse_cluster: bool
    redis: str
    redis_tls: bool
    bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What components read: the decisions of `environment`, and the operator's choices, resolved.

    `external` holds the services that are not deployed here, by the names `prometheus`, `alertmanager`, `grafana`,
    `langfuse`, the kinds of stores, and `remoteWrite`, a long-term store of metrics. `cut_off` are senders whose own
    metrics are refused. `plain_rules`: the store of KPIs does not know `anchored`. `alert_speed` is how many times
    faster than in production the windows of alerts pass, for rehearsals.
    """

    environment: Environment
    metrics_retention: Retention
    traces_retention: Retention
    logs_retention: Retention
    stores: Stores
    pages: tuple[Receiver, ...] = ()
    tickets: tuple[Receiver, ...] = ()
    dead_mans_switch: Webhook | None = None
    receiver_secrets: tuple[str, ...] = ()
    objects: ObjectStore | None = None
    collector_tls: str | None = None
    oidc: Oidc | None = None
    grafana_url: str | None = None
    grafana_database: Database | None = None
    langfuse_url: str | None = None
    langfuse_oidc: Issuer | None = None
    langfuse_keys: str = "langfuseKeys"
    langfuse_stores: LangfuseStores | None = None
    langfuse_traces_url: str | None = None
    langfuse_public_url: str | None = None
    langfuse_admin: str = "admin@localhost.localdomain"
    langfuse_keys_file: Path | None = None
    prices_file: Path | None = None
    cost_authority: Authority = Authority.TABLE
    max_request_mib: int = DOOR_MIB
    cut_off: tuple[str, ...] = ()
    baseline_file: Path | None = None
    alert_webhook: str | None = None
    dead_mans_switch_url: str | None = None
    runbooks_url: str | None = None
    dashboards_url: str | None = None
    daily_budget_usd: float | None = None
    alert_speed: float = 1
    external: Mapping[str, External] = field(default_factory=dict)
    plain_rules: bool = False

    @classmethod
    def of(cls, environment: Environment, **chosen: Any) -> "Deployment":  # noqa: ANN401 fields of this class
        """An environment with those choices; the rest as engineers decided."""
        decided = {
            "metrics_retention": environment.metrics_retention,
            "traces_retention": environment.traces_retention,
            "logs_retention": environment.logs_retention,
            "stores": environment.stores,
        }
        return cls(environment=environment, **{**decided, **chosen})

    @property
    def name(self) -> EnvName:
        """The stack."""
        return self.environment.name

    @property
    def cluster(self) -> Cluster | None:
        """The decisions for Kubernetes; None on a person's computer."""
        return self.environment.cluster

    @property
    def scrape_interval_s(self) -> int:
        """How often metrics are collected."""
        return self.environment.scrape_interval_s
