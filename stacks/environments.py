"""What engineers decide per environment: typed, reviewed, tested. Operators' settings are in `settings.py`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from alerts.routing import PROFILES, Receiver, Webhook
from alerts.routing import Profile as Alerting
from collector.cost import Authority
from collector.stores import GRAFANA, PERMISSIVE, Stores
from collector.tiers import DOOR_MIB
from stacks import sizes
from stacks.sizes import Sizes

_DURATION: Final = re.compile(r"^(?P<count>[1-9][0-9]{0,4})(?P<unit>[hd])$")
_HOURS: Final = {"h": 1, "d": 24}


class EnvName(StrEnum):
    """The stacks of the project."""

    LOCAL = "local"
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


@dataclass(frozen=True, slots=True, order=True)
class Retention:
    """How long a backend keeps data, in whole hours, because that is the finest unit all backends share."""

    hours: int

    @classmethod
    def parse(cls, text: str) -> "Retention":
        """Read `36h` or `15d`. Raises ValueError that says what was expected."""
        match = _DURATION.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a duration; write whole hours or days, such as 36h or 15d")
        return cls(int(match["count"]) * _HOURS[match["unit"]])

    def __str__(self) -> str:
        return f"{self.hours}h"


class Storage(StrEnum):
    """Where logs and traces lie: on a volume of the one instance, or in object storage that several share."""

    VOLUME = "volume"
    OBJECTS = "objects"


class OnDestroy(StrEnum):
    """What `pulumi destroy` does: delete everything, or refuse as long as something is protected.

    With `--exclude-protected` it leaves what is: the namespace with its volumes, the generated secrets, and in prod
    what runs on the volumes.
    """

    DELETE = "delete"
    KEEP_DATA = "keep-data"
    REFUSE = "refuse"


class Auth(StrEnum):
    """How a service that somebody else runs knows us."""

    NONE = "none"
    BEARER = "bearer"
    BASIC = "basic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A service that somebody else runs. Its secret settings are called after `name`: `<name>Token`, `<name>User`.

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
    """Langfuse's data stores where somebody else runs them; passwords and the address of Postgres are secrets."""

    clickhouse_url: str
    clickhouse_migration_url: str
    clickhouse_user: str
    clickhouse_cluster: bool
    redis: str
    redis_tls: bool
    bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The decisions for an environment on Kubernetes.

    `split`: the collector's edge and sampler run apart. `guarded`: senders need a token. `encrypted`: telemetry is sent
    over TLS, also from edge to sampler. `embedded_stores`: Langfuse's
    data stores may run here. `single_sign_on`: people enter Grafana over OIDC only. `zones`: replicas are spread over
    zones, else over nodes.
    """

    sizes: Sizes
    storage: Storage
    on_destroy: OnDestroy
    alerting: Alerting
    split: bool
    guarded: bool
    encrypted: bool
    embedded_stores: bool
    single_sign_on: bool
    zones: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The decisions for one environment. Times in seconds unless the type says otherwise.

    Those with a default are the operator's: an external Langfuse with the file that holds its keys, own prices and
    whether they or the sender's cost of a call counts, the KPI baseline that alerts compare with, who is told of
    alerts, where pages and boards are, a daily budget in US dollars, the `stores` of traces and logs, and `elsewhere`:
    services that somebody else runs, by the names `prometheus`, `alertmanager`, `grafana`, `langfuse`, the kinds of
    stores, and `remoteWrite`, a long-term store of metrics.
    `plain_rules`: the store of metrics does not know `anchored`. `alert_speed` is how many times faster than in
    production the windows of alerts pass, for rehearsals.
    """

    name: EnvName
    metrics_retention: Retention
    traces_retention: Retention
    logs_retention: Retention
    scrape_interval_s: int
    cluster: Cluster | None = None
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
    baseline_file: Path | None = None
    alert_webhook: str | None = None
    dead_mans_switch_url: str | None = None
    runbooks_url: str | None = None
    dashboards_url: str | None = None
    daily_budget_usd: float | None = None
    alert_speed: float = 1
    stores: Stores = GRAFANA
    elsewhere: Mapping[str, Remote] = field(default_factory=dict)
    plain_rules: bool = False


LOCAL: Final = Environment(
    name=EnvName.LOCAL,
    metrics_retention=Retention.parse("15d"),
    traces_retention=Retention.parse("7d"),
    logs_retention=Retention.parse("7d"),
    scrape_interval_s=5,
    stores=PERMISSIVE,
)

DEV: Final = Environment(
    name=EnvName.DEV,
    metrics_retention=Retention.parse("7d"),
    traces_retention=Retention.parse("3d"),
    logs_retention=Retention.parse("3d"),
    scrape_interval_s=15,
    cluster=Cluster(
        sizes=sizes.DEV,
        storage=Storage.VOLUME,
        on_destroy=OnDestroy.DELETE,
        alerting=PROFILES["dev"],
        split=False,
        guarded=False,
        encrypted=False,
        embedded_stores=True,
        single_sign_on=False,
        zones=False,
    ),
)
STAGING: Final = Environment(
    name=EnvName.STAGING,
    metrics_retention=Retention.parse("30d"),
    traces_retention=Retention.parse("14d"),
    logs_retention=Retention.parse("14d"),
    scrape_interval_s=15,
    cluster=Cluster(
        sizes=sizes.STAGING,
        storage=Storage.OBJECTS,
        on_destroy=OnDestroy.KEEP_DATA,
        alerting=PROFILES["staging"],
        split=True,
        guarded=True,
        encrypted=False,
        embedded_stores=True,
        single_sign_on=False,
        zones=False,
    ),
)
PROD: Final = Environment(
    name=EnvName.PROD,
    metrics_retention=Retention.parse("90d"),
    traces_retention=Retention.parse("30d"),
    logs_retention=Retention.parse("30d"),
    scrape_interval_s=15,
    cluster=Cluster(
        sizes=sizes.PROD,
        storage=Storage.OBJECTS,
        on_destroy=OnDestroy.REFUSE,
        alerting=PROFILES["prod"],
        split=True,
        guarded=True,
        encrypted=True,
        embedded_stores=False,
        single_sign_on=True,
        zones=True,
    ),
)

ENVIRONMENTS: Final = {environment.name: environment for environment in (LOCAL, DEV, STAGING, PROD)}
