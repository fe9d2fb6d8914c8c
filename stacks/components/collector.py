"""OpenTelemetry Collector: OTLP in, KPIs to Prometheus, traces to their store and to Langfuse, logs to theirs.

One does all of it where one is enough; else an edge, which scales, hands each trace to one of the samplers.
"""

from dataclasses import replace
from typing import Final

from collector import prices, profiles
from collector.pipeline import render
from collector.profile import Backends, Listen, Profile, Tier
from collector.stores import TraceKind
from collector.tiers import Token, limited
from stacks.components import elsewhere, memory
from stacks.environments import Environment, Remote
from stacks.workload import CONFIG_DIR, Api, Outside, Placement, Probe, SecretUse, Workload

_CONFIG: Final = "collector.yaml"
_GATE_PORTS: Final = ("otlp-grpc", "otlp-http", "collector-health", "collector-metrics")
_SAMPLER_PORTS: Final = ("sampler-grpc", "sampler-http", "sampler-health", "sampler-metrics")
_TRACES_DOORS: Final = {TraceKind.TEMPO: "tempo-otlp", TraceKind.JAEGER: "jaeger-otlp"}
_LOCAL_MIB: Final = 512


def profile(environment: Environment, at: Placement) -> Profile:
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
    keys = Token(file=str(environment.langfuse_keys_file)) if environment.langfuse_keys_file else None
    return profiles.local(listen, _backends(environment, at, keys), f"{at.data_dir('collector')}/queue")


def _backends(environment: Environment, at: Placement, keys: Token | None) -> Backends:
    first, *others = (f"http://{member}" for member in at.members("prometheus"))
    return Backends(
        traces_grpc=at.address(_TRACES_DOORS[environment.stores.traces]),
        prometheus_url=first,
        more_prometheus=tuple(others),
        logs_url=f"http://{at.address(environment.stores.logs)}",
        stores=environment.stores,
        langfuse_url=environment.langfuse_url,
        langfuse_keys=keys,
        elsewhere={remote.name: elsewhere.destination(remote) for remote in elsewhere.stores(environment)},
    )


def _in_cluster(name: str, environment: Environment, at: Placement, workload: str) -> Profile:
    """A committed profile with this cluster's addresses, and the queue on this pod's volume."""
    base = profiles.CLUSTER[name]
    keys = base.backends.langfuse_keys if environment.langfuse_url else None
    samplers = replace(base.samplers, hosts=at.members("sampler-grpc")) if base.samplers else None
    return replace(
        base,
        samplers=samplers,
        backends=_backends(environment, at, keys),
        disk=replace(base.disk, directory=f"{at.data_dir(workload)}/queue"),
    )


def workload(environment: Environment, at: Placement) -> Workload:
    """The only component that agents talk to: the whole collector, or its edge where it is split."""
    if environment.cluster is None:
        return _workload("collector", profile(environment, at), environment, (*_GATE_PORTS, "collector-kpi"))
    split, guarded = environment.cluster.split, environment.cluster.guarded
    name = f"{environment.name}-edge" if split else str(environment.name)
    made = _workload("collector", _in_cluster(name, environment, at, "collector"), environment, _GATE_PORTS)
    metrics = elsewhere.stores(environment, ("prometheus",))
    tokens = (SecretUse(value="otlpTokens", file=f"{profiles.SECRETS}/ingress-tokens", reread=True),)
    return replace(
        made,
        api=Api.SENDERS,
        calls=("sampler-grpc", "prometheus") if split else made.calls,
        outside=(Outside.API,),
        reaches=_written(metrics) if split else made.reaches,
        secrets=(
            *_certificate(environment),
            *_hop(environment),
            *(elsewhere.collector_secrets(metrics) if split else made.secrets),
            *(tokens if guarded else ()),
        ),
        writes_data=not split,
    )


def sampler(environment: Environment, at: Placement) -> Workload:
    """What counts, samples, redacts and stores where the collector is split."""
    chosen = _in_cluster(f"{environment.name}-sampler", environment, at, "collector-sampler")
    made = _workload("collector-sampler", chosen, environment, _SAMPLER_PORTS)
    return replace(made, secrets=(*_certificate(environment), *_hop(environment), *made.secrets))


def _certificate(environment: Environment) -> tuple[SecretUse, ...]:
    """The certificate of both tiers, as cert-manager keeps one; renewed without a restart."""
    name = environment.collector_tls
    if name is None:
        return ()
    keys = ("ca.crt", "tls.crt", "tls.key")
    return tuple(SecretUse(value=key, file=f"{profiles.TLS}/{key}", secret=name, reread=True) for key in keys)


def _chosen(base: Profile, environment: Environment) -> Profile:
    """The profile with what the operator chose."""
    hop = base.tier is Tier.SAMPLER
    return replace(
        base,
        cost_authority=environment.cost_authority,
        ingress=limited(base.ingress, environment.max_request_mib, hop=hop),
    )


def _hop(environment: Environment) -> tuple[SecretUse, ...]:
    """What an edge shows a sampler; where nothing is encrypted, none is sent, and the network policy alone counts."""
    if environment.cluster is None or not (environment.cluster.split and environment.cluster.encrypted):
        return ()
    return (SecretUse(value="samplerToken", file=f"{profiles.SECRETS}/sampler-token", reread=True),)


def _written(remotes: tuple[Remote, ...]) -> tuple[str, ...]:
    return tuple(remote.otlp_url for remote in remotes)


def _workload(name: str, chosen: Profile, environment: Environment, ports: tuple[str, ...]) -> Workload:
    config = f"--config={CONFIG_DIR}/{_CONFIG}"
    health = next(port for port in ports if port.endswith("-health"))
    stores = elsewhere.stores(environment)
    doors = ("prometheus", _TRACES_DOORS[environment.stores.traces], str(environment.stores.logs))
    with_langfuse = environment.langfuse_url is not None and environment.cluster is not None
    keys = (SecretUse(value=environment.langfuse_keys, file=f"{profiles.SECRETS}/langfuse-keys", reread=True),)
    return Workload(
        name=name,
        image="collector",
        command=("otelcol", config),
        checks=(("otelcol", "validate", config),),
        files={_CONFIG: render(_chosen(chosen, environment), prices.load(environment.prices_file))},
        ports=ports,
        metrics_port=next(port for port in ports if port.endswith("-metrics")),
        ready_port=health,
        ready_path="/",
        stop_s=60 if environment.cluster else 20,
        # Above 80 % of the limit the memory limiter refuses.
        env=memory.go(name, environment, _LOCAL_MIB),
        calls=(*doors, "langfuse-web") if environment.langfuse_url else doors,
        secrets=(*(keys if with_langfuse else ()), *elsewhere.collector_secrets(stores)),
        reaches=(*_written(stores), *(remote.url for remote in elsewhere.stores(environment, ("langfuse",)))),
        alive=Probe(port=ports[0]),
    )
