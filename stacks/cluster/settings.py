"""What an operator owns per cluster (`stacks/Pulumi.<stack>.yaml`), read strictly: all bad keys are named at once.

Not here: what engineers decide per environment (`environments.py`), the values of secrets.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, field_validator

from alerts.routing import Email, Opsgenie, PagerDuty, Receiver, RoutingError, Slack, Webhook
from stacks.cluster.secrets import SECRETS, SECRETS_DIR
from stacks.components import alertmanager
from stacks.environments import Environment
from stacks.settings import NAMESPACE, CommonSettings, SettingsError, ours, read

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
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
    pull_secret: str | None = None
    ingress_namespace: str | None = None
    pages: Annotated[tuple[ReceiverKind, ...], BeforeValidator(_words)] = ()
    tickets: Annotated[tuple[ReceiverKind, ...], BeforeValidator(_words)] = ()
    dead_mans_switch: Annotated[bool, Field(strict=False)] = False
    slack_channel: str | None = None
    email_to: str | None = None
    email_from: str | None = None
    email_smarthost: str | None = None
    email_username: str | None = None

    @field_validator("namespace", "ingress_namespace", "storage_class", "pull_secret")
    @classmethod
    def _kubernetes_name(cls, name: str | None) -> str | None:
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name of Kubernetes; use lower case letters, digits and -")
        return name

    @field_validator("registry")
    @classmethod
    def _registry(cls, host: str | None) -> str | None:
        if host is not None and not _HOST.fullmatch(host.split("/", 1)[0]):
            raise ValueError(f"{host!r} is not a registry; write its host, such as registry.example.com or host:5000/path")
        return host

    def applied_to(self, environment: Environment) -> Environment:
        """The environment with the operator's choices. Raises RoutingError where nobody would be told."""
        return replace(
            self.common(environment),
            pages=tuple(self._receiver(kind) for kind in self.pages),
            tickets=tuple(self._receiver(kind) for kind in self.tickets),
            dead_mans_switch=self._switch(),
            receiver_secrets=tuple(self._told_secrets()),
        )

    def incomplete(self) -> Iterator[str]:
        """What a chosen receiver still needs to know."""
        needs = {
            "slack": {"slackChannel": self.slack_channel},
            "email": {
                "emailTo": self.email_to,
                "emailFrom": self.email_from,
                "emailSmarthost": self.email_smarthost,
                "emailUsername": self.email_username,
            },
        }
        for kind in dict.fromkeys((*self.pages, *self.tickets)):
            absent = [key for key, value in needs.get(kind, {}).items() if not value]
            if absent:
                yield f"the receiver {kind} needs {', '.join(absent)}. Fix: pulumi config set {NAMESPACE}:{absent[0]} <value>"

    def needed_secrets(self, environment: Environment) -> Iterator[str]:
        """Keys of the secret settings that the environment and these settings make necessary."""
        if environment.cluster and environment.cluster.guarded:
            yield "otlpTokens"
        yield from self._told_secrets()

    def _told_secrets(self) -> Iterator[str]:
        yield from (_RECEIVER_SECRETS[kind] for kind in dict.fromkeys((*self.pages, *self.tickets)))
        if self.dead_mans_switch:
            yield "deadMansSwitchUrl"

    def _switch(self) -> Webhook | None:
        return Webhook(url_file=f"{SECRETS_DIR}/deadMansSwitchUrl", send_resolved=False) if self.dead_mans_switch else None

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
    for names in settings.incomplete():
        yield f"settings of stack {stack}: {names}"
    try:
        alertmanager.routes(settings.applied_to(environment))
    except RoutingError as error:
        yield f"settings of stack {stack}: {error}"
