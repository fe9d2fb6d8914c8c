"""Everything that an environment has in a cluster, as plain manifests. Pure: needs neither a cluster nor a secret."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from stacks.cluster import hardening, ingress, limits, names, network, pods, releases, secrets
from stacks.cluster.placement import ClusterPlacement
from stacks.cluster.required import own_stores
from stacks.cluster.resolve import resolve
from stacks.cluster.settings import ClusterSettings
from stacks.components import (
    alertmanager,
    collector,
    grafana,
    jaeger,
    kube_state_metrics,
    langfuse,
    loki,
    prometheus,
    stores,
    tempo,
    victorialogs,
)
from stacks.deployment import Deployment
from stacks.environments import Cluster, Environment
from stacks.workload import Placement, Workload

_Component = Callable[[Deployment, Placement], Workload]
_BACKENDS: Final[tuple[tuple[str, _Component], ...]] = (
    # An external Prometheus has its own view of the cluster.
    ("prometheus", kube_state_metrics.workload),
    ("prometheus", prometheus.workload),
    ("alertmanager", alertmanager.workload),
    ("loki", loki.workload),
    ("victorialogs", victorialogs.workload),
    ("tempo", tempo.workload),
    ("jaeger", jaeger.workload),
    ("grafana", grafana.workload),
)
"""Setting that chooses managed or external -> what runs here where it is managed."""
_STORES: Final[tuple[_Component, ...]] = (stores.postgres, stores.clickhouse, stores.valkey, stores.objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Manifests in the order in which they are made; the namespace is the first, those of secrets hold no value."""

    namespace: str
    workloads: tuple[Workload, ...]
    manifests: tuple[dict[str, Any], ...]


def cluster_of(environment: Environment) -> Cluster:
    """The decisions for Kubernetes. Raises ValueError for an environment that runs elsewhere."""
    if environment.cluster is None:
        raise ValueError(f"{environment.name} does not run on Kubernetes")
    return environment.cluster


def make(environment: Environment, settings: ClusterSettings) -> Plan:
    """The whole platform of an environment."""
    cluster = cluster_of(environment)
    deployment = resolve(settings, environment)
    at = ClusterPlacement(cluster.sizes, {})
    workloads = tuple(component(deployment, at) for component in _components(environment, settings))
    target = pods.DeployTarget(
        namespace=settings.namespace,
        cluster=cluster,
        storage_class=settings.storage_class,
        registry=settings.registry,
        pull_secret=settings.pull_secret,
        pull_policy=settings.pull_policy,
        user_namespaces=settings.user_namespaces,
        annotations=settings.identities,
    )
    web = ingress.IngressSettings(
        domain=settings.domain,
        ingress_class=settings.ingress_class,
        gateway=settings.gateway,
        issuer=settings.tls_issuer,
    )
    peers = network.AllowedPeers(
        senders=settings.sender_namespaces,
        ingress=settings.ingress_namespace,
        scrapers=settings.prometheus_namespace,
        readers=settings.grafana_namespace,
        pod_ports=settings.service_pod_ports,
    )
    return Plan(
        namespace=settings.namespace,
        workloads=workloads,
        manifests=(
            _namespace(settings.namespace),
            *limits.objects(cluster.sizes, (each.name for each in workloads), settings.namespace),
            *network.policies(workloads, settings.namespace, peers),
            *secrets.objects(workloads, settings.namespace),
            *(manifest for workload in workloads for manifest in pods.objects(workload, target)),
            *ingress.objects(workloads, settings.namespace, web),
            *releases.objects(settings.namespace),
        ),
    )


def _components(environment: Environment, settings: ClusterSettings) -> tuple[_Component, ...]:
    cluster = cluster_of(environment)
    return (
        *(_STORES if own_stores(settings, environment) else ()),
        *((langfuse.web, langfuse.worker) if settings.langfuse == "managed" else ()),
        *(component for choice, component in _BACKENDS if settings.runs(choice)),
        collector.workload,
        *((collector.sampler,) if cluster.split else ()),
    )


def _namespace(name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": names.PROJECT, "app.kubernetes.io/managed-by": "pulumi"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {**labels, **hardening.NAMESPACE_LABELS}},
    }
