"""What the settings of a stack lack: for a choice of the operator's, or for what the environment demands."""

from collections.abc import Iterator
from typing import get_args

from pydantic.alias_generators import to_camel

from alerts.routing import Profile
from stacks.cluster.external import external
from stacks.cluster.settings import RECEIVER_SECRETS, ClusterSettings, ReceiverKind
from stacks.components import alertmanager
from stacks.components.external import secret_settings
from stacks.environments import Cluster, Environment, Storage
from stacks.settings import NAMESPACE


def incomplete(settings: ClusterSettings, environment: Environment) -> Iterator[str]:
    """What a choice, the operator's or the environment's, still needs to know: a sentence with the keys."""
    for owner, keys in _required(settings, environment):
        absent = [to_camel(key) for key in keys if not getattr(settings, key)]
        if absent:
            fix = f"pulumi config set {NAMESPACE}:{absent[0]} <value> -s {environment.name}"
            yield f"{owner} needs {', '.join(absent)}. Fix: {fix}"


def _required(settings: ClusterSettings, environment: Environment) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Who needs what: the operator's choices, then the environment's."""
    told = {*settings.pages, *settings.tickets}
    if "slack" in told:
        yield "the receiver slack", ("slack_channel",)
    if "email" in told:
        yield "the receiver email", ("email_to", "email_from", "email_smarthost", "email_username")
    if settings.ingress_class or settings.gateway:
        yield "an ingress or a gateway", ("domain", "ingress_namespace")
    if settings.langfuse == "external":
        yield "an external Langfuse", ("langfuse_url",)
    yield from _external_required(settings)
    if environment.cluster:
        yield from _cluster_required(settings, environment, environment.cluster)


def _external_required(settings: ClusterSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    if settings.prometheus == "external":
        yield "an external Prometheus", ("prometheus_url",)
        if settings.alertmanager == "managed":
            yield "an external Prometheus that comes to our Alertmanager", ("prometheus_namespace",)
    elif settings.alertmanager == "external":
        yield "an external Alertmanager", ("alertmanager_url",)
    if settings.leaves("loki"):
        yield "an external Loki", ("loki_url",)
    if settings.leaves("victorialogs"):
        yield "an external VictoriaLogs", ("victorialogs_url",)
    if settings.leaves("tempo"):
        yield "an external Tempo", ("tempo_url", "tempo_otlp_url")
    if settings.leaves("jaeger"):
        yield "an external Jaeger", ("jaeger_url", "jaeger_otlp_url")
    if settings.grafana == "external":
        yield "an external Grafana", ("grafana_url",)


def _cluster_required(
    settings: ClusterSettings, environment: Environment, cluster: Cluster
) -> Iterator[tuple[str, tuple[str, ...]]]:
    buckets = tuple(f"{name}_bucket" for name in ("loki", "tempo") if settings.runs(name))
    if cluster.storage is Storage.OBJECTS and buckets:
        yield f"object storage, which {environment.name} uses,", ("objects_endpoint", *buckets)
    named = settings.clickhouse_url or settings.redis or settings.langfuse_bucket
    if settings.langfuse == "managed" and (named or not own_stores(settings, environment)):
        keys = ("clickhouse_url", "clickhouse_migration_url", "redis", "langfuse_bucket")
        yield f"Langfuse, whose data stores in {environment.name} are external,", keys
    if settings.langfuse == "managed" and (settings.langfuse_oidc_issuer or settings.langfuse_oidc_client_id):
        yield "Langfuse's single sign-on", ("domain", "langfuse_oidc_issuer", "langfuse_oidc_client_id")
    if cluster.encrypted:
        yield "the collector's TLS", ("collector_tls_secret",)
    if settings.grafana == "managed":
        yield from _grafana_required(settings, environment, cluster)


def _grafana_required(
    settings: ClusterSettings, environment: Environment, cluster: Cluster
) -> Iterator[tuple[str, tuple[str, ...]]]:
    if cluster.single_sign_on or settings.oidc_client_id:
        urls = ("oidc_auth_url", "oidc_token_url", "oidc_api_url")
        yield f"single sign-on in {environment.name}", ("domain", "oidc_client_id", *urls, "oidc_role_path")
    if cluster.sizes["grafana"].replicas > 1:
        yield "Grafana, of which several run,", ("grafana_database",)


def own_stores(settings: ClusterSettings, environment: Environment) -> bool:
    """Whether Langfuse's data stores run here: only where the environment allows it and none are named."""
    allowed = environment.cluster is not None and environment.cluster.embedded_stores
    return settings.langfuse == "managed" and allowed and not settings.clickhouse_url


def secrets(settings: ClusterSettings, environment: Environment) -> Iterator[str]:
    """Keys of the secret settings that the environment and these settings make necessary."""
    if environment.cluster and environment.cluster.guarded:
        yield "otlpTokens"
    yield from receiver_secrets(settings)
    for service in external(settings):
        yield from secret_settings(service)
    if settings.objects_endpoint and settings.objects_keys:
        yield from ("objectsAccessKey", "objectsSecretKey")
    if settings.langfuse == "external":
        yield "langfuseKeys"
    if settings.langfuse == "managed" and not own_stores(settings, environment):
        yield from ("langfuseDatabaseUrl", "clickhousePassword", "redisPassword")
    if settings.oidc_client_id:
        yield "oidcClientSecret"
    if settings.langfuse_oidc_client_id:
        yield "langfuseOidcClientSecret"
    if settings.grafana_database:
        yield "grafanaDatabasePassword"


def receiver_secrets(settings: ClusterSettings) -> Iterator[str]:
    """Keys of the secrets of those who are told of alerts."""
    yield from (RECEIVER_SECRETS[kind] for kind in dict.fromkeys((*settings.pages, *settings.tickets)))
    if settings.dead_mans_switch:
        yield "deadMansSwitchUrl"


def missing_receivers(settings: ClusterSettings, environment: Environment) -> Iterator[str]:
    """Who must be told in this environment and would not be; of an external Alertmanager that is not known here."""
    if settings.alertmanager == "external":
        return
    stack, alerting = environment.name, environment.cluster.alerting if environment.cluster else Profile.SHOW
    wake = sorted(set(get_args(ReceiverKind)) - {"slack", "email"})
    set_ = f"pulumi config set {NAMESPACE}"
    if alerting is Profile.PAGES and not {*settings.pages} & {*wake}:
        yield (
            f"no page would wake anybody in {stack}; pages needs one of {', '.join(wake)}."
            f" Fix: {set_}:pages pagerduty -s {stack}"
        )
    if alerting is Profile.PAGES and not settings.dead_mans_switch:
        yield (
            f"nobody in {stack} would learn that alerting itself has stopped; it needs a dead man's switch."
            f" Fix: {set_}:deadMansSwitch true -s {stack}"
        )
    if alertmanager.must_tell(environment.cluster) and not (settings.tickets or settings.pages):
        yield f"tickets would reach nobody in {stack}. Fix: {set_}:tickets slack -s {stack}"
