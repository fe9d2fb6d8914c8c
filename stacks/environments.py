"""What engineers decide per environment: typed, reviewed, tested. What an operator adds is in `deployment`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.routing import PROFILES
from alerts.routing import Profile as Alerting
from collector.stores import GRAFANA, PERMISSIVE, Stores
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
    """The decisions for one environment; of retention and `stores` an operator may choose others."""

    name: EnvName
    metrics_retention: Retention
    traces_retention: Retention
    logs_retention: Retention
    scrape_interval_s: int
    stores: Stores = GRAFANA
    cluster: Cluster | None = None


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
