"""What an operator owns per cluster (`stacks/Pulumi.<stack>.yaml`), read strictly: all bad keys are named at once.

Not here: what engineers decide per environment (`environments.py`), the values of secrets.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator
from pydantic.alias_generators import to_camel

from alerts.routing import Email, Opsgenie, PagerDuty, Profile, Receiver, Slack, Webhook
from collector.address import base_address
from stacks.cluster.secrets import SECRETS, SECRETS_DIR
from stacks.components import alertmanager
from stacks.components.langfuse import PROJECT
from stacks.environments import Cluster, Database, Environment, LangfuseStores, ObjectStore, Oidc, Storage
from stacks.settings import NAMESPACE, CommonSettings, SettingsError, ours, read

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
LangfuseChoice = Literal["managed", "external", "off"]
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ReceiverKind = Literal["webhook", "pagerduty", "opsgenie", "slack", "email"]
_RECEIVER_SECRETS: Final[Mapping[str, str]] = {
    "webhook": "webhookUrl",
    "pagerduty": "pagerdutyRoutingKey",
    "opsgenie": "opsgenieApiKey",
    "slack": "slackWebhookUrl",
    "email": "emailPassword",
}


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class ClusterSettings(CommonSettings):
    """The keys for an environment on Kubernetes, beside those that every stack has. Lists are words with commas."""

    context: str
    namespace: str = "agentobs"
    sender_namespaces: Words = ()
    storage_class: str | None = None
    registry: str | None = None
    rollout_timeout: Annotated[str, Field(pattern=r"^[1-9][0-9]*[sm]$")] = "15m"
    pull_secret: str | None = None
    pull_policy: Literal["Always", "IfNotPresent"] = "Always"
    ingress_namespace: str | None = None
    ingress_class: str | None = None
    gateway: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")] | None = None
    tls_issuer: str | None = None
    identities: Mapping[str, Mapping[str, str]] = {}
    domain: str | None = None
    langfuse: LangfuseChoice = "managed"
    langfuse_url: str | None = None
    langfuse_admin: str = "admin@localhost.localdomain"
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
    pages: Annotated[tuple[ReceiverKind, ...], BeforeValidator(_words)] = ()
    tickets: Annotated[tuple[ReceiverKind, ...], BeforeValidator(_words)] = ()
    dead_mans_switch: Annotated[bool, Field(strict=False)] = False
    slack_channel: str | None = None
    email_to: str | None = None
    email_from: str | None = None
    email_smarthost: str | None = None
    email_username: str | None = None

    @field_validator("namespace", "ingress_namespace", "ingress_class", "tls_issuer", "storage_class", "pull_secret")
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

    @field_validator("oidc_auth_url", "oidc_token_url", "oidc_api_url")
    @classmethod
    def _sign_on_address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url is not None and (parts.scheme != "https" or not parts.hostname or parts.username):
            raise ValueError("this is no address to sign in at; write https://host/path, without user and password")
        return url

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

    def applied_to(self, environment: Environment) -> Environment:
        """The environment with the operator's choices. Raises RoutingError where nobody would be told."""
        return replace(
            self.common(environment),
            pages=tuple(self._receiver(kind) for kind in self.pages),
            tickets=tuple(self._receiver(kind) for kind in self.tickets),
            dead_mans_switch=self._switch(),
            receiver_secrets=tuple(self._told_secrets()),
            langfuse_url=self._langfuse_url(),
            langfuse_keys="langfuseOwnKeys" if self.langfuse == "managed" else "langfuseKeys",
            langfuse_public_url=f"https://langfuse.{self.domain}" if self.domain else None,
            langfuse_admin=self.langfuse_admin,
            langfuse_stores=self._langfuse_stores(),
            langfuse_traces_url=self._langfuse_traces_url(),
            objects=self._objects(),
            collector_tls=self.collector_tls_secret,
            grafana_database=self._grafana_database(),
            grafana_url=f"https://grafana.{self.domain}" if self.domain else None,
            oidc=self._oidc(),
        )

    def _langfuse_url(self) -> str | None:
        if self.langfuse == "off":
            return None
        return self.langfuse_url if self.langfuse == "external" else "http://langfuse-web:3000"

    def _langfuse_stores(self) -> LangfuseStores | None:
        if self.langfuse != "managed" or not (self.clickhouse_url and self.redis and self.langfuse_bucket):
            return None
        return LangfuseStores(
            clickhouse_url=self.clickhouse_url,
            clickhouse_migration_url=self.clickhouse_migration_url or "",
            clickhouse_user=self.clickhouse_user,
            clickhouse_cluster=self.clickhouse_cluster,
            redis=self.redis,
            redis_tls=self.redis_tls,
            bucket=self.langfuse_bucket,
        )

    def _langfuse_traces_url(self) -> str | None:
        if self.langfuse != "managed" or not self.domain:
            return None
        return f"https://langfuse.{self.domain}/project/{PROJECT}/traces"

    def _objects(self) -> ObjectStore | None:
        if not (self.objects_endpoint and self.loki_bucket and self.tempo_bucket):
            return None
        return ObjectStore(
            endpoint=self.objects_endpoint,
            region=self.objects_region,
            buckets={"loki": self.loki_bucket, "tempo": self.tempo_bucket},
            keys=self.objects_keys,
            path_style=self.objects_path_style,
            tls=self.objects_tls,
        )

    def _grafana_database(self) -> Database | None:
        if not self.grafana_database:
            return None
        address, _, name = self.grafana_database.partition("/")
        return Database(
            address=address, name=name or "grafana", user=self.grafana_database_user, tls=self.grafana_database_tls
        )

    def _oidc(self) -> Oidc | None:
        if not self.oidc_client_id:
            return None
        return Oidc(
            name=self.oidc_name,
            client_id=self.oidc_client_id,
            auth_url=self.oidc_auth_url or "",
            token_url=self.oidc_token_url or "",
            api_url=self.oidc_api_url or "",
            role_path=self.oidc_role_path or "",
        )

    def incomplete(self, environment: Environment) -> Iterator[str]:
        """What a choice, the operator's or the environment's, still needs to know: a sentence with the keys."""
        for owner, keys in self._needs(environment):
            absent = [to_camel(key) for key in keys if not getattr(self, key)]
            if absent:
                fix = f"pulumi config set {NAMESPACE}:{absent[0]} <value> -s {environment.name}"
                yield f"{owner} needs {', '.join(absent)}. Fix: {fix}"

    def _needs(self, environment: Environment) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Who needs what: the operator's choices, then the environment's."""
        told = {*self.pages, *self.tickets}
        if "slack" in told:
            yield "the receiver slack", ("slack_channel",)
        if "email" in told:
            yield "the receiver email", ("email_to", "email_from", "email_smarthost", "email_username")
        if self.ingress_class or self.gateway:
            yield "an ingress or a gateway", ("domain", "ingress_namespace")
        if self.langfuse == "external":
            yield "an external Langfuse", ("langfuse_url",)
        if environment.cluster:
            yield from self._cluster_needs(environment, environment.cluster)

    def _cluster_needs(self, environment: Environment, cluster: Cluster) -> Iterator[tuple[str, tuple[str, ...]]]:
        if cluster.storage is Storage.OBJECTS:
            yield f"object storage, which {environment.name} uses,", ("objects_endpoint", "loki_bucket", "tempo_bucket")
        named = self.clickhouse_url or self.redis or self.langfuse_bucket
        if self.langfuse == "managed" and (named or not self.own_stores(environment)):
            keys = ("clickhouse_url", "clickhouse_migration_url", "redis", "langfuse_bucket")
            yield f"Langfuse, whose data stores in {environment.name} somebody else runs,", keys
        if cluster.encrypted:
            yield "the collector's TLS", ("collector_tls_secret",)
        if cluster.single_sign_on or self.oidc_client_id:
            urls = ("oidc_auth_url", "oidc_token_url", "oidc_api_url")
            yield f"single sign-on in {environment.name}", ("domain", "oidc_client_id", *urls, "oidc_role_path")
        if cluster.sizes["grafana"].replicas > 1:
            yield "Grafana, of which several run,", ("grafana_database",)

    def own_stores(self, environment: Environment) -> bool:
        """Whether Langfuse's data stores run here: only where the environment allows it and none are named."""
        allowed = environment.cluster is not None and environment.cluster.embedded_stores
        return self.langfuse == "managed" and allowed and not self.clickhouse_url

    def needed_secrets(self, environment: Environment) -> Iterator[str]:
        """Keys of the secret settings that the environment and these settings make necessary."""
        if environment.cluster and environment.cluster.guarded:
            yield "otlpTokens"
        yield from self._told_secrets()
        if self.objects_endpoint and self.objects_keys:
            yield from ("objectsAccessKey", "objectsSecretKey")
        if self.langfuse == "external":
            yield "langfuseKeys"
        if self.langfuse == "managed" and not self.own_stores(environment):
            yield from ("langfuseDatabaseUrl", "clickhousePassword", "redisPassword")
        if self.oidc_client_id:
            yield "oidcClientSecret"
        if self.grafana_database:
            yield "grafanaDatabasePassword"

    def _told_secrets(self) -> Iterator[str]:
        yield from (_RECEIVER_SECRETS[kind] for kind in dict.fromkeys((*self.pages, *self.tickets)))
        if self.dead_mans_switch:
            yield "deadMansSwitchUrl"

    def _switch(self) -> Webhook | None:
        return (
            Webhook(url_file=f"{SECRETS_DIR}/deadMansSwitchUrl", send_resolved=False) if self.dead_mans_switch else None
        )

    def _receiver(self, kind: str) -> Receiver:
        file = f"{SECRETS_DIR}/{_RECEIVER_SECRETS[kind]}"
        made: Mapping[str, Any] = {
            "webhook": lambda: Webhook(url_file=file),
            "pagerduty": lambda: PagerDuty(routing_key_file=file),
            "opsgenie": lambda: Opsgenie(api_key_file=file),
            "slack": lambda: Slack(channel=self.slack_channel or "", api_url_file=file),
            "email": lambda: Email(
                to=self.email_to or "",
                sender=self.email_from or "",
                smarthost=self.email_smarthost or "",
                username=self.email_username or "",
                password_file=file,
            ),
        }
        receiver: Receiver = made[kind]()
        return receiver


@dataclass(frozen=True, slots=True)
class Read:
    """Settings that passed every check, and which secret settings came with them."""

    settings: ClusterSettings
    given: frozenset[str]


def parse(raw: Mapping[str, str], secure: Collection[str], environment: Environment) -> Read:
    """Read all configuration of a stack, `{"agentobs:key": text}`; `secure` are the keys that Pulumi keeps encrypted.

    Raises SettingsError with one line for everything that is missing, wrong or unsafe.
    """
    stack, values = str(environment.name), ours(raw)
    secrets = {key for key in values if key in SECRETS}
    problems: list[str] = []
    try:
        settings = read(ClusterSettings, {key: text for key, text in values.items() if key not in secrets}, stack)
    except SettingsError as error:
        problems.append(str(error))
    else:
        problems += [*_unsafe(settings, environment, secrets)]
    problems += [
        f"{NAMESPACE}:{key} of stack {stack} is a secret that stands there in plain text."
        f" Fix: {_set_secret(key, stack)}, and change the secret where it is issued"
        for key in sorted(secrets)
        if f"{NAMESPACE}:{key}" not in secure
    ]
    if problems:
        raise SettingsError("\n".join(problems))
    return Read(settings, frozenset(secrets))


def _set_secret(key: str, stack: str) -> str:
    return f"pulumi config set --secret {NAMESPACE}:{key} -s {stack}"


def _unsafe(settings: ClusterSettings, environment: Environment, secrets: Collection[str]) -> Iterator[str]:
    """What the environment needs and the settings do not give."""
    stack = str(environment.name)
    for key in settings.needed_secrets(environment):
        if key not in secrets:
            yield f"{NAMESPACE}:{key} of stack {stack} is missing: {SECRETS[key]}. Fix: {_set_secret(key, stack)}"
    for said in settings.incomplete(environment):
        yield f"settings of stack {stack}: {said}"
    yield from (f"settings of stack {stack}: {said}" for said in _untold(settings, environment))


def _untold(settings: ClusterSettings, environment: Environment) -> Iterator[str]:
    """Who must be told in this environment and would not be."""
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
    if alertmanager.must_tell(environment) and not (settings.tickets or settings.pages):
        yield f"tickets would reach nobody in {stack}. Fix: {set_}:tickets slack -s {stack}"
