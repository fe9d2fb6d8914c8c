"""What an operator owns per cluster (`stacks/Pulumi.<stack>.yaml`): names, types and forms.

Not here: what engineers decide per environment (`environments.py`), what an environment demands of these settings
(`needs`), the values of secrets.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator

from agentobs.address import base_address
from collector.stores import GRAFANA, LogKind, TraceKind
from stacks.deployment import Auth
from stacks.settings import CommonSettings, Words, words

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
BackendChoice = Literal["managed", "external"]
LangfuseChoice = Literal["managed", "external", "off"]
_ROLE: Final = re.compile(r"[\s()]*['\"`]+(None|Viewer|Editor|Admin|GrafanaAdmin)['\"`]+[\s()]*")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ReceiverKind = Literal["webhook", "pagerduty", "opsgenie", "slack", "email"]
RECEIVER_SECRETS: Final[Mapping[str, str]] = {
    "webhook": "webhookUrl",
    "pagerduty": "pagerdutyRoutingKey",
    "opsgenie": "opsgenieApiKey",
    "slack": "slackWebhookUrl",
    "email": "emailPassword",
}
"""Receiver -> the secret setting that it needs."""


ServicePort = Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+:[1-9][0-9]{0,4}$")]
PortNumber = Annotated[int, Field(gt=0, le=65_535)]


class ClusterSettings(CommonSettings):
    """The keys for an environment on Kubernetes, beside those that every stack has. Lists are words with commas."""

    traces: TraceKind = GRAFANA.traces
    logs: LogKind = GRAFANA.logs
    context: str
    namespace: str = "agentobs"
    sender_namespaces: Words = ()
    storage_class: str | None = None
    registry: str | None = None
    rollout_timeout: Annotated[str, Field(pattern=r"^[1-9][0-9]*[sm]$")] = "15m"
    pull_secret: str | None = None
    pull_policy: Literal["Always", "IfNotPresent"] = "Always"
    user_namespaces: Annotated[bool, Field(strict=False)] = False
    ingress_namespace: str | None = None
    service_pod_ports: Mapping[ServicePort, PortNumber] = {}
    ingress_class: str | None = None
    gateway: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")] | None = None
    tls_issuer: str | None = None
    identities: Mapping[str, Mapping[str, str]] = {}
    domain: str | None = None
    prometheus: BackendChoice = "managed"
    prometheus_url: str | None = None
    prometheus_otlp_url: str | None = None
    prometheus_auth: Auth = Auth.NONE
    prometheus_namespace: str | None = None
    plain_rules: bool = False
    remote_write_url: str | None = None
    remote_write_auth: Auth = Auth.NONE
    alertmanager: BackendChoice = "managed"
    alertmanager_url: str | None = None
    alertmanager_auth: Auth = Auth.NONE
    loki: BackendChoice = "managed"
    loki_url: str | None = None
    loki_otlp_url: str | None = None
    loki_auth: Auth = Auth.NONE
    tempo: BackendChoice = "managed"
    tempo_url: str | None = None
    tempo_otlp_url: str | None = None
    tempo_auth: Auth = Auth.NONE
    victorialogs: BackendChoice = "managed"
    victorialogs_url: str | None = None
    victorialogs_otlp_url: str | None = None
    victorialogs_auth: Auth = Auth.NONE
    jaeger: BackendChoice = "managed"
    jaeger_url: str | None = None
    jaeger_otlp_url: str | None = None
    jaeger_auth: Auth = Auth.NONE
    grafana: BackendChoice = "managed"
    grafana_url: str | None = None
    grafana_namespace: str | None = None
    snapshot_class: str | None = None
    langfuse: LangfuseChoice = "managed"
    langfuse_url: str | None = None
    langfuse_admin: str = "admin@localhost.localdomain"
    langfuse_oidc_issuer: str | None = None
    langfuse_oidc_client_id: str | None = None
    clickhouse_url: str | None = None
    clickhouse_migration_url: str | None = None
    clickhouse_user: str = "langfuse"
    clickhouse_cluster: bool = False
    redis: str | None = None
    redis_tls: bool = True
    langfuse_bucket: str | None = None
    collector_tls_secret: str | None = None
    objects_endpoint: str | None = None
    objects_region: str = "us-east-1"
    objects_path_style: bool = False
    objects_tls: bool = True
    objects_keys: bool = True
    loki_bucket: str | None = None
    tempo_bucket: str | None = None
    grafana_database: str | None = None
    grafana_database_user: str = "grafana"
    grafana_database_tls: bool = True
    oidc_name: str = "Single sign-on"
    oidc_client_id: str | None = None
    oidc_auth_url: str | None = None
    oidc_token_url: str | None = None
    oidc_api_url: str | None = None
    oidc_role_path: str | None = None
    pages: Annotated[tuple[ReceiverKind, ...], BeforeValidator(words)] = ()
    tickets: Annotated[tuple[ReceiverKind, ...], BeforeValidator(words)] = ()
    dead_mans_switch: Annotated[bool, Field(strict=False)] = False
    slack_channel: str | None = None
    email_to: str | None = None
    email_from: str | None = None
    email_smarthost: str | None = None
    email_username: str | None = None

    def uses(self, name: str) -> bool:
        """Whether a backend is in use at all: of stores of traces and logs one of each is."""
        return name not in {*TraceKind, *LogKind} or name in {self.traces, self.logs}

    def runs(self, name: str) -> bool:
        """Whether a backend runs here."""
        return self.uses(name) and getattr(self, name) == "managed"

    def leaves(self, name: str) -> bool:
        """Whether a backend that is in use is external."""
        return self.uses(name) and getattr(self, name) == "external"

    @field_validator(
        "namespace",
        "ingress_namespace",
        "ingress_class",
        "tls_issuer",
        "storage_class",
        "pull_secret",
        "prometheus_namespace",
        "grafana_namespace",
        "snapshot_class",
    )
    @classmethod
    def _kubernetes_name(cls, name: str | None) -> str | None:
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name of Kubernetes; use lower case letters, digits and -")
        return name

    @field_validator("redis", "objects_endpoint", "grafana_database", "email_smarthost")
    @classmethod
    def _host(cls, address: str | None) -> str | None:
        if address is not None and not _HOST.fullmatch(address.partition("/")[0]):
            raise ValueError("this is no host; write host:port, without a scheme, a user or a password")
        return address

    @field_validator("domain")
    @classmethod
    def _domain_name(cls, name: str | None) -> str | None:
        if name is not None and (not _HOST.fullmatch(name) or "." not in name or ":" in name):
            raise ValueError(f"{name!r} is not a domain; write for example agents.example.com")
        return name

    @field_validator("oidc_auth_url", "oidc_token_url", "oidc_api_url", "langfuse_oidc_issuer")
    @classmethod
    def _sign_on_address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url is not None and (parts.scheme != "https" or not parts.hostname or parts.username):
            raise ValueError("this is no address to sign in at; write https://host/path, without user and password")
        return url

    @field_validator("oidc_role_path")
    @classmethod
    def _conditional(cls, path: str | None) -> str | None:
        """An alternative without a condition makes whoever can sign in at the provider a viewer, or more."""
        if path is not None and any(_ROLE.fullmatch(each) for each in path.split("||")):
            raise ValueError(
                "it gives a role without a condition, so to everybody who can sign in; give each role a condition, such"
                " as contains(groups, 'agents') && 'Viewer': whom none names gets no access"
            )
        return path

    @field_validator(
        "prometheus_url",
        "prometheus_otlp_url",
        "remote_write_url",
        "alertmanager_url",
        "loki_url",
        "loki_otlp_url",
        "tempo_url",
        "tempo_otlp_url",
        "victorialogs_url",
        "victorialogs_otlp_url",
        "jaeger_url",
        "jaeger_otlp_url",
        "grafana_url",
    )
    @classmethod
    def _remote_address(cls, url: str | None) -> str | None:
        """Never shows the value, which may hold a login."""
        if url is None:
            return None
        parts = urlsplit(url)
        login = parts.username or parts.password or parts.query or parts.fragment
        if parts.scheme not in {"http", "https"} or not parts.hostname or login:
            raise ValueError("this is no address; write https://host[:port][/path], without user, password or ?query")
        return url.rstrip("/")

    @field_validator("langfuse_url", "clickhouse_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        return base_address(url, "the address") if url is not None else None

    @field_validator("clickhouse_migration_url")
    @classmethod
    def _native_address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url is not None and (parts.scheme != "clickhouse" or not parts.hostname or parts.username):
            raise ValueError("this is no address; write clickhouse://host:9000, without user and password")
        return url

    @field_validator("email_to", "email_from", "langfuse_admin")
    @classmethod
    def _mail_address(cls, address: str | None) -> str | None:
        if address is not None and not _MAIL.fullmatch(address):
            raise ValueError(f"{address!r} is not a mail address")
        return address

    @field_validator("registry")
    @classmethod
    def _registry(cls, host: str | None) -> str | None:
        if host is not None and not _HOST.fullmatch(host.split("/", 1)[0]):
            raise ValueError(
                f"{host!r} is not a registry; write its host, such as registry.example.com or host:5000/path"
            )
        return host
