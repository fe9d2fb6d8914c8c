"""An operator's settings, resolved into the `Deployment` that components read."""

from dataclasses import replace
from typing import Any

from alerts.routing import Email, Opsgenie, PagerDuty, Receiver, Slack, Webhook
from stacks.cluster.external import external
from stacks.cluster.required import receiver_secrets
from stacks.cluster.secrets import SECRETS_DIR
from stacks.cluster.settings import RECEIVER_SECRETS, ClusterSettings
from stacks.components.langfuse import PROJECT
from stacks.deployment import Database, Deployment, Issuer, LangfuseStores, ObjectStore, Oidc
from stacks.environments import Environment


def resolve(settings: ClusterSettings, environment: Environment) -> Deployment:
    """The environment with the operator's choices."""
    return replace(
        settings.deployment(environment),
        pages=tuple(_receiver(settings, kind) for kind in settings.pages),
        tickets=tuple(_receiver(settings, kind) for kind in settings.tickets),
        dead_mans_switch=_switch(settings),
        receiver_secrets=tuple(receiver_secrets(settings)),
        langfuse_url=_langfuse_url(settings),
        langfuse_keys="langfuseOwnKeys" if settings.langfuse == "managed" else "langfuseKeys",
        langfuse_public_url=f"https://langfuse.{settings.domain}" if settings.domain else None,
        langfuse_admin=settings.langfuse_admin,
        langfuse_oidc=_langfuse_oidc(settings),
        langfuse_stores=_langfuse_stores(settings),
        langfuse_traces_url=_langfuse_traces_url(settings),
        objects=_objects(settings),
        collector_tls=settings.collector_tls_secret,
        grafana_database=_grafana_database(settings),
        grafana_url=f"https://grafana.{settings.domain}" if settings.domain else None,
        oidc=_oidc(settings),
        dashboards_url=_dashboards_url(settings),
        external={each.name: each for each in external(settings)},
        plain_rules=settings.plain_rules,
    )


def _dashboards_url(settings: ClusterSettings) -> str | None:
    """Where an alert's board is."""
    ours = f"https://grafana.{settings.domain}" if settings.domain and settings.grafana == "managed" else None
    return settings.dashboards_url or settings.grafana_url or ours


def _langfuse_url(settings: ClusterSettings) -> str | None:
    if settings.langfuse == "off":
        return None
    return settings.langfuse_url if settings.langfuse == "external" else "http://langfuse-web:3000"


def _langfuse_stores(settings: ClusterSettings) -> LangfuseStores | None:
    if settings.langfuse != "managed" or not (settings.clickhouse_url and settings.redis and settings.langfuse_bucket):
        return None
    return LangfuseStores(
        clickhouse_url=settings.clickhouse_url,
        clickhouse_migration_url=settings.clickhouse_migration_url or "",
        clickhouse_user=settings.clickhouse_user,
        clickhouse_cluster=settings.clickhouse_cluster,
        redis=settings.redis,
        redis_tls=settings.redis_tls,
        bucket=settings.langfuse_bucket,
    )


def _langfuse_traces_url(settings: ClusterSettings) -> str | None:
    if settings.langfuse != "managed" or not settings.domain:
        return None
    return f"https://langfuse.{settings.domain}/project/{PROJECT}/traces"


def _objects(settings: ClusterSettings) -> ObjectStore | None:
    if not settings.objects_endpoint:
        return None
    named = {"loki": settings.loki_bucket, "tempo": settings.tempo_bucket}
    return ObjectStore(
        endpoint=settings.objects_endpoint,
        region=settings.objects_region,
        buckets={name: bucket for name, bucket in named.items() if bucket},
        keys=settings.objects_keys,
        path_style=settings.objects_path_style,
        tls=settings.objects_tls,
    )


def _grafana_database(settings: ClusterSettings) -> Database | None:
    if not settings.grafana_database:
        return None
    address, _, name = settings.grafana_database.partition("/")
    return Database(
        address=address, name=name or "grafana", user=settings.grafana_database_user, tls=settings.grafana_database_tls
    )


def _oidc(settings: ClusterSettings) -> Oidc | None:
    if not settings.oidc_client_id:
        return None
    return Oidc(
        name=settings.oidc_name,
        client_id=settings.oidc_client_id,
        auth_url=settings.oidc_auth_url or "",
        token_url=settings.oidc_token_url or "",
        api_url=settings.oidc_api_url or "",
        role_path=settings.oidc_role_path or "",
    )


def _langfuse_oidc(settings: ClusterSettings) -> Issuer | None:
    if settings.langfuse != "managed" or not (settings.langfuse_oidc_issuer and settings.langfuse_oidc_client_id):
        return None
    return Issuer(
        name=settings.oidc_name, url=settings.langfuse_oidc_issuer, client_id=settings.langfuse_oidc_client_id
    )


def _switch(settings: ClusterSettings) -> Webhook | None:
    return (
        Webhook(url_file=f"{SECRETS_DIR}/deadMansSwitchUrl", send_resolved=False) if settings.dead_mans_switch else None
    )


def _receiver(settings: ClusterSettings, kind: str) -> Receiver:
    file = f"{SECRETS_DIR}/{RECEIVER_SECRETS[kind]}"
    made: dict[str, Any] = {
        "webhook": lambda: Webhook(url_file=file),
        "pagerduty": lambda: PagerDuty(routing_key_file=file),
        "opsgenie": lambda: Opsgenie(api_key_file=file),
        "slack": lambda: Slack(channel=settings.slack_channel or "", api_url_file=file),
        "email": lambda: Email(
            to=settings.email_to or "",
            sender=settings.email_from or "",
            smarthost=settings.email_smarthost or "",
            username=settings.email_username or "",
            password_file=file,
        ),
    }
    receiver: Receiver = made[kind]()
    return receiver
