"""What differs between the collectors of the environments: where they listen, where they send, what they keep.

A `Profile` is everything `pipeline.assemble` needs. The six committed ones are in `profiles.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from collector.cost import Authority
from collector.delivery import Disk
from collector.elsewhere import Destination
from collector.redaction import Content
from collector.sampling import Sampling
from collector.stores import GRAFANA, Stores
from collector.tiers import Ingress, Samplers, Token


class Tier(StrEnum):
    """Which part of the work a collector does.

    SINGLE does all of it. With more than one collector the work is split: an EDGE authenticates, normalises and hands
    each trace to one SAMPLER, without state of its own; a SAMPLER counts, samples, redacts and stores.
    """

    SINGLE = "single"
    EDGE = "edge"
    SAMPLER = "sampler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """`host:port` of everything the collector listens on; `kpi` is its own loopback door behind the KPI queue."""

    otlp_grpc: str
    otlp_http: str
    health: str
    metrics_host: str
    metrics_port: int
    kpi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where the stores are. `traces_grpc` is `host:port`, the others are URLs; no Langfuse URL, no Langfuse branch.

    `stores` says which they are. `more_prometheus` are replicas that get the same as `prometheus_url`. `langfuse_keys`
    says where the collector finds base64 of `public_key:secret_key`. `elsewhere` maps `prometheus` or the kind of a
    store to one that somebody else runs; the address of ours then does not count.
    """

    traces_grpc: str
    prometheus_url: str
    logs_url: str
    stores: Stores = GRAFANA
    more_prometheus: tuple[str, ...] = ()
    langfuse_url: str | None = None
    langfuse_keys: Token | None = None
    elsewhere: Mapping[str, Destination] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One collector. `instance` must differ between collectors that count: one writer per series.

    `cost_authority` says whose cost of a model call counts where both the price table and the sender know one.
    `cut_off` are senders whose own metrics are refused. `kpi_flush_s` (seconds) is how late a KPI may be;
    `exemplar_flush_s` what a restart loses of exemplars.
    """

    tier: Tier
    listen: Listen
    backends: Backends
    instance: str
    disk: Disk
    content: Content
    ingress: Ingress = field(default_factory=Ingress)
    sampling: Sampling | None = None
    samplers: Samplers | None = None
    kubernetes: bool = False
    memory_limit_mib: int | None = None
    cost_authority: Authority = Authority.TABLE
    kpi_flush_s: float = 1
    exemplar_flush_s: float = 5
    max_series: int = 50_000
    cut_off: tuple[str, ...] = ()
