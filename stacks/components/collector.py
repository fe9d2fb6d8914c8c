"""OpenTelemetry Collector: OTLP in, KPIs to Prometheus, traces to their store and to Langfuse, logs to theirs.

One does all of it where one is enough; else an edge, which scales, hands each trace to one of the samplers.
"""

from dataclasses import replace
from typing import Final

from collector import depth, prices, profiles
from collector.pipeline import render
from collector.profile import Backends, Listen, Profile, Tier
from collector.stores import TraceKind
from collector.tiers import Token, limited
from stacks.components import external, memory
from stacks.deployment import Deployment, External
from stacks.workload import CONFIG_DIR, Api, Outside, Placement, Probe, SecretUse, Workload

_CONFIG: Final = "collector.yaml"
_GATE_PORTS: Final = ("otlp-grpc", "otlp-http", "collector-health", "collector-metrics")
_SAMPLER_PORTS: Final = ("sampler-grpc", "sampler-http", "sampler-health", "sampler-metrics")
_TRACES_DOORS: Final = {TraceKind.TEMPO: "tempo-otlp", TraceKind.JAEGER: "jaeger-otlp"}
_LOCAL_MIB: Final = 512


def profile(deployment: Deployment, at: Placement) -> Profile:
    """The collector of a person's computer."""
    metrics_host, metrics_port = at.listen("collector-metrics").rsplit(":", 1)
    listen = Listen(
        otlp_grpc=at.listen("otlp-grpc"),
        otlp_http=at.listen("otlp-http"),
        health=at.listen("collector-health"),
        metrics_host=metrics_host,
        metrics_port=int(metrics_port),
        kpi=at.listen("collector-kpi"),
    )
    keys = Token(file=str(deployment.langfuse_keys_file)) if deployment.langfuse_keys_file else None
    return profiles.local(listen, _backends(deployment, at, keys), f"{at.data_dir('collector')}/queue")


def _backends(deployment: Deployment, at: Placement, keys: Token | None) -> Backends:
    first, *others = (f"http://{member}" for member in at.members("prometheus"))
    return Backends(
        traces_grpc=at.address(_TRACES_DOORS[deployment.stores.traces]),
        prometheus_url=first,
        more_prometheus=tuple(others),
        logs_url=f"http://{at.address(deployment.stores.logs)}",
        stores=deployment.stores,
        langfuse_url=deployment.langfuse_url,
        langfuse_keys=keys,
        elsewhere={service.name: external.destination(service) for service in external.stores(deployment)},
    )


def _in_cluster(name: str, deployment: Deployment, at: Placement, workload: str) -> Profile:
    """A committed profile with this cluster's addresses, and the queue on this pod's volume."""
    base = profiles.CLUSTER[name]
    keys = base.backends.langfuse_keys if deployment.langfuse_url else None
    samplers = replace(base.samplers, hosts=at.members("sampler-grpc")) if base.samplers else None
    return replace(
        base,
        samplers=samplers,
        backends=_backends(deployment, at, keys),
        disk=replace(base.disk, directory=f"{at.data_dir(workload)}/queue"),
    )


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The only component that agents talk to: the whole collector, or its edge where it is split."""
    if deployment.cluster is None:
        return _workload("collector", profile(deployment, at), deployment, (*_GATE_PORTS, "collector-kpi"))
    split, guarded = deployment.cluster.split, deployment.cluster.guarded
    name = f"{deployment.name}-edge" if split else str(deployment.name)
    made = _workload("collector", _in_cluster(name, deployment, at, "collector"), deployment, _GATE_PORTS)
    metrics = external.stores(deployment, ("prometheus",))
    tokens = (SecretUse(value="otlpTokens", file=f"{profiles.SECRETS}/ingress-tokens", reread=True),)
    return replace(
        made,
        api=Api.SENDERS,
        calls=("sampler-grpc", "prometheus") if split else made.calls,
        outside=(Outside.API,),
        reaches=_written(metrics) if split else made.reaches,
        secrets=(
            *_certificate(deployment),
            *_hop(deployment),
            *(external.collector_secrets(metrics) if split else made.secrets),
            *(tokens if guarded else ()),
        ),
        writes_data=not split,
    )


def sampler(deployment: Deployment, at: Placement) -> Workload:
    """What counts, samples, redacts and stores where the collector is split."""
    chosen = _in_cluster(f"{deployment.name}-sampler", deployment, at, "collector-sampler")
    made = _workload("collector-sampler", chosen, deployment, _SAMPLER_PORTS)
    return replace(made, secrets=(*_certificate(deployment), *_hop(deployment), *made.secrets))


def _certificate(deployment: Deployment) -> tuple[SecretUse, ...]:
    """The certificate of both tiers, as cert-manager keeps one; renewed without a restart."""
    name = deployment.collector_tls
    if name is None:
        return ()
    keys = ("ca.crt", "tls.crt", "tls.key")
    return tuple(SecretUse(value=key, file=f"{profiles.TLS}/{key}", secret=name, reread=True) for key in keys)


def _chosen(base: Profile, deployment: Deployment) -> Profile:
    """The profile with what the operator chose."""
    hop = base.tier is Tier.SAMPLER
    return replace(
        base,
        cost_authority=deployment.cost_authority,
        cut_off=deployment.cut_off,
        ingress=limited(base.ingress, deployment.max_request_mib, hop=hop),
    )


def _hop(deployment: Deployment) -> tuple[SecretUse, ...]:
    """What an edge shows a sampler; where nothing is encrypted, none is sent, and the network policy alone counts."""
    if deployment.cluster is None or not (deployment.cluster.split and deployment.cluster.encrypted):
        return ()
    return (SecretUse(value="samplerToken", file=f"{profiles.SECRETS}/sampler-token", reread=True),)


def _written(services: tuple[External, ...]) -> tuple[str, ...]:
    return tuple(service.otlp_url for service in services)


def _workload(name: str, chosen: Profile, deployment: Deployment, ports: tuple[str, ...]) -> Workload:
    config = f"--config={CONFIG_DIR}/{_CONFIG}"
    health = next(port for port in ports if port.endswith("-health"))
    stores = external.stores(deployment)
    doors = ("prometheus", _TRACES_DOORS[deployment.stores.traces], str(deployment.stores.logs))
    with_langfuse = deployment.langfuse_url is not None and deployment.cluster is not None
    keys = (SecretUse(value=deployment.langfuse_keys, file=f"{profiles.SECRETS}/langfuse-keys", reread=True),)
    return Workload(
        name=name,
        image="collector",
        command=("otelcol", config, depth.FLAG),
        checks=(("otelcol", "validate", config, depth.FLAG),),
        files={_CONFIG: render(_chosen(chosen, deployment), prices.load(deployment.prices_file))},
        ports=ports,
        metrics_port=next(port for port in ports if port.endswith("-metrics")),
        ready_port=health,
        ready_path="/",
        stop_s=60 if deployment.cluster else 20,
        env=memory.collector(name, deployment, _LOCAL_MIB),
        calls=(*doors, "langfuse-web") if deployment.langfuse_url else doors,
        secrets=(*(keys if with_langfuse else ()), *external.collector_secrets(stores)),
        reaches=(*_written(stores), *(service.url for service in external.stores(deployment, ("langfuse",)))),
        alive=Probe(port=ports[0]),
    )
