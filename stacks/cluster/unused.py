"""Settings that would do nothing, and addresses that are not safe: refused, so that nobody relies on them."""

from collections.abc import Iterable, Iterator

from pydantic.alias_generators import to_camel

from collector.stores import TITLES, LogKind, TraceKind
from stacks.cluster import addresses
from stacks.cluster.required import own_stores
from stacks.cluster.settings import ClusterSettings
from stacks.components.external import secret_settings
from stacks.deployment import External
from stacks.environments import Environment, Storage
from stacks.settings import NAMESPACE

_MANAGED = "is managed; set it to external to use another one"
_RECEIVERS = (
    "pages",
    "tickets",
    "dead_mans_switch",
    "slack_channel",
    "email_to",
    "email_from",
    "email_smarthost",
    "email_username",
)
_STORES = ("clickhouse_url", "clickhouse_migration_url", "clickhouse_cluster", "redis", "langfuse_bucket")
_SIGN_ON = ("oidc_client_id", "oidc_auth_url", "oidc_token_url", "oidc_api_url", "oidc_role_path", "oidc_name")
_LANGFUSE = ("langfuse_admin", "langfuse_oidc_issuer", "langfuse_oidc_client_id")
_DATABASE = ("grafana_database", "grafana_database_user", "grafana_database_tls")


def unused(settings: ClusterSettings, environment: Environment) -> Iterator[str]:
    """Every setting that is given and has no effect: a sentence with the key, why, and the fix."""
    for why, keys in _unused(settings, environment):
        for key in keys:
            if key in settings.model_fields_set:
                yield (
                    f"{to_camel(key)} has no effect: {why}."
                    f" Fix: pulumi config rm {NAMESPACE}:{to_camel(key)} -s {environment.name}"
                )


def _unused(settings: ClusterSettings, environment: Environment) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Why some keys do nothing."""
    yield from _unused_metrics(settings)
    yield from _unused_stores(settings)
    if settings.grafana == "managed":
        yield f"grafana {_MANAGED}", ("grafana_url", "grafana_namespace")
    else:
        yield "the external Grafana has its own database and sign-on", (*_DATABASE, *_SIGN_ON)
    yield from _unused_langfuse(settings)
    if not _objects_used(settings, environment):
        yield "nothing lies in object storage", ("objects_endpoint",)


def _unused_stores(settings: ClusterSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Of traces and of logs one store is in use."""
    for kinds, chosen, what in ((TraceKind, settings.traces, "traces"), (LogKind, settings.logs, "logs")):
        for name in kinds:
            bucket = (f"{name}_bucket",) if name in {TraceKind.TEMPO, LogKind.LOKI} else ()
            address = (f"{name}_url", f"{name}_otlp_url", f"{name}_auth")
            if name != chosen:
                yield f"{what} go to {chosen}", (name, *address, *bucket)
            elif settings.runs(name):
                yield f"{name} {_MANAGED}", address
            else:
                yield f"the external {TITLES[name]} stores as it says", (f"{what}_retention", *bucket)


def _unused_metrics(settings: ClusterSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    if settings.prometheus == "managed":
        keys = ("prometheus_url", "prometheus_otlp_url", "prometheus_auth", "prometheus_namespace")
        yield f"prometheus {_MANAGED}", keys
    else:
        yield "the external Prometheus keeps metrics as long as it says", ("metrics_retention",)
    if settings.alertmanager == "managed":
        yield f"alertmanager {_MANAGED}", ("alertmanager_url", "alertmanager_auth")
    else:
        yield "the external Alertmanager decides who is told", _RECEIVERS
    if settings.alertmanager == "external" and settings.prometheus == "external":
        yield "the external Prometheus knows its Alertmanager", ("alertmanager_url", "alertmanager_auth")
    if settings.remote_write_url is None:
        yield "no remoteWriteUrl is given", ("remote_write_auth",)
    elif settings.prometheus == "external" and not settings.runs("tempo"):
        yield "nothing here writes metrics: Prometheus is external, and no Tempo runs here", ("remote_write_url",)


def _unused_langfuse(settings: ClusterSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    if settings.langfuse != "external":
        yield f"langfuse is {settings.langfuse}; set it to external to use another one", ("langfuse_url",)
    if settings.langfuse != "managed":
        yield (
            f"langfuse is {settings.langfuse}",
            ("langfuse_admin", "langfuse_oidc_issuer", "langfuse_oidc_client_id", *_STORES),
        )


def _objects_used(settings: ClusterSettings, environment: Environment) -> bool:
    stored = environment.cluster is not None and environment.cluster.storage is Storage.OBJECTS
    ours = settings.runs("loki") or settings.runs("tempo")
    # Where an operator of dev names a store, Loki and Tempo lie there.
    named = bool(settings.loki_bucket or settings.tempo_bucket)
    return (ours and (stored or named)) or (settings.langfuse == "managed" and not own_stores(settings, environment))


def exposed(services: Iterable[External], environment: Environment) -> Iterator[str]:
    """Addresses over which telemetry or a login would travel readable for others."""
    for service in services:
        for url in dict.fromkeys(filter(None, (service.url, service.otlp_url))):
            if addresses.encrypted(url) or addresses.namespace(url):
                continue
            key, fix = _key(service, url), _fix(service, url, environment)
            secret = _secret(service)
            if secret:
                yield f"{key} would send {secret} over http outside the cluster; {fix}"
            elif environment.cluster and environment.cluster.encrypted:
                yield f"{key} is http outside the cluster, which {environment.name} refuses; {fix}"


def _secret(service: External) -> str:
    """The secret setting that a request there shows; empty where it shows none."""
    if service.name == "langfuse":
        return "langfuseKeys"
    return "".join(secret_settings(service)[-1:])


def _key(service: External, url: str) -> str:
    return f"{service.name}{'OtlpUrl' if url == service.otlp_url != service.url else 'Url'}"


def _fix(service: External, url: str, environment: Environment) -> str:
    key = f"{NAMESPACE}:{_key(service, url)}"
    return (
        "write https://, or http://name.namespace.svc for a service of the cluster."
        f" Fix: pulumi config set {key} https://... -s {environment.name}"
    )
