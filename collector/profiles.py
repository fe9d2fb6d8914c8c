"""The collectors of the environments, as profiles: one for local and dev, an edge and a sampler for staging and prod.

In a cluster the addresses are the names of the services and what differs per pod comes from its environment. Secrets
are files that the cluster mounts, so they are in no configuration. Not here: replicas and resources (`stacks`).
"""

from dataclasses import replace
from typing import Final

from collector import redaction, sampling
from collector.delivery import Disk
from collector.profile import Backends, Listen, Profile, Tier
from collector.tiers import DOOR_MIB, ClientTls, Ingress, Samplers, ServerTls, Token, limited

SECRETS: Final = "/etc/otelcol/secrets"
TLS: Final = "/etc/otelcol/tls"
QUEUE_DIR: Final = "/var/lib/otelcol/queue"
_POD: Final = "${env:POD_IP}"
_CA: Final = f"{TLS}/ca.crt"
_SAMPLER: Final = "collector-sampler"

_BACKENDS: Final = Backends(
    traces_grpc="tempo:4317",
    prometheus_url="http://prometheus:9090",
    logs_url="http://loki:3100",
    langfuse_url="http://langfuse-web:3000",
    langfuse_keys=Token(file=f"{SECRETS}/langfuse-keys"),
)
_LISTEN: Final = Listen(
    otlp_grpc=f"{_POD}:4317",
    otlp_http=f"{_POD}:4318",
    health=f"{_POD}:13133",
    metrics_host=_POD,
    metrics_port=8888,
    kpi="127.0.0.1:4319",
)
_TOKEN: Final = Token(file=f"{SECRETS}/ingress-tokens")
HOP_TOKEN: Final = Token(file=f"{SECRETS}/sampler-token")
"""What an edge shows a sampler, beside its certificate, of which an issuer may have made more for others."""


def local(listen: Listen, backends: Backends, queue_dir: str, instance: str = "collector-0") -> Profile:
    """The collector on a person's computer: everything is kept, secrets and personal data are masked all the same."""
    return Profile(
        tier=Tier.SINGLE,
        listen=listen,
        backends=backends,
        instance=instance,
        disk=Disk(directory=queue_dir),
        content=redaction.LOCAL,
        exemplar_flush_s=2,
    )


def samplers(count: int, tls: ClientTls | None = None, token: Token | None = None) -> Samplers:
    """The members of the sampler's StatefulSet by name: one that restarts finds its share waiting."""
    hosts = tuple(f"{_SAMPLER}-{number}.{_SAMPLER}:4317" for number in range(count))
    return Samplers(hosts=hosts, tls=tls, token=token)


DEV: Final = Profile(
    tier=Tier.SINGLE,
    listen=_LISTEN,
    backends=_BACKENDS,
    instance="${env:POD_NAME}",
    disk=Disk(directory=QUEUE_DIR),
    content=redaction.DEV,
    kubernetes=True,
)
STAGING_EDGE: Final = replace(
    DEV, tier=Tier.EDGE, content=redaction.STAGING, ingress=Ingress(token=_TOKEN), samplers=samplers(2)
)
STAGING_SAMPLER: Final = replace(
    DEV,
    tier=Tier.SAMPLER,
    content=redaction.STAGING,
    kubernetes=False,
    sampling=sampling.STAGING,
    ingress=limited(Ingress(), DOOR_MIB, hop=True),
)
PROD_EDGE: Final = replace(
    STAGING_EDGE,
    content=redaction.PROD,
    samplers=samplers(
        3,
        ClientTls(ca=_CA, certificate=f"{TLS}/tls.crt", key=f"{TLS}/tls.key", server_name=_SAMPLER),
        HOP_TOKEN,
    ),
    ingress=Ingress(token=_TOKEN, tls=ServerTls(certificate=f"{TLS}/tls.crt", key=f"{TLS}/tls.key")),
)
PROD_SAMPLER: Final = replace(
    STAGING_SAMPLER,
    content=redaction.PROD,
    sampling=sampling.PROD,
    disk=Disk(directory=QUEUE_DIR, fsync=True, traces_mib=8192, logs_mib=2048),
    ingress=replace(
        STAGING_SAMPLER.ingress,
        token=HOP_TOKEN,
        tls=ServerTls(certificate=f"{TLS}/tls.crt", key=f"{TLS}/tls.key", client_ca=_CA),
    ),
)

CLUSTER: Final[dict[str, Profile]] = {
    "dev": DEV,
    "staging-edge": STAGING_EDGE,
    "staging-sampler": STAGING_SAMPLER,
    "prod-edge": PROD_EDGE,
    "prod-sampler": PROD_SAMPLER,
}
