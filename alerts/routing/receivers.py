"""Where notifications go, each kind as Alertmanager wants it. Secrets are read from files, never written here.

Not here: which alert goes to which of them (`document`), what a message says (`messages`).
"""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar, Final, Protocol

from agentobs.errors import AgentobsError
from alerts.routing import messages

_TITLE: Final = messages.use("title")
_TEXT: Final = messages.use("text")
_IS_PAGE: Final = 'eq .CommonLabels.severity "page"'


class RoutingError(AgentobsError, ValueError):
    """A routing that would lose alerts or leak a secret; the message names what is wrong and the fix."""


class Receiver(Protocol):
    """One place to notify. `kind` is Alertmanager's key for it; `wakes` says whether it can wake somebody."""

    kind: ClassVar[str]
    wakes: ClassVar[bool]

    def document(self) -> dict[str, Any]:
        """Return the form Alertmanager reads."""


def _verbatim(text: str) -> str:
    """Alertmanager reads a detail for PagerDuty as YAML: a colon in it makes a map, whose values are templates again.

    No YAML begins with a tab, so this stays text; PagerDuty does not show the tab.
    """
    return f"\t{text}"


def _check(owner: str, path: str) -> None:
    if not PurePath(path).is_absolute():
        raise RoutingError(f"{owner}: the file of the secret is {path!r}; fix: give its whole path, starting with /")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Any HTTP endpoint that takes Alertmanager's JSON, which holds every label and annotation.

    The address is a secret in `url_file`; only where alerts are merely shown may `url` name it. Raises RoutingError.
    """

    kind: ClassVar[str] = "webhook_configs"
    wakes: ClassVar[bool] = True
    url: str = ""
    url_file: str = ""
    send_resolved: bool = True

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.url_file):
            raise RoutingError("webhook: expected one of `url` and `url_file`; fix: give `url_file`")
        if self.url_file:
            _check("webhook", self.url_file)

    def document(self) -> dict[str, Any]:
        """Return the form Alertmanager reads."""
        where = {"url": self.url} if self.url else {"url_file": self.url_file}
        # Alertmanager's own timeout is none: a hanging endpoint would hold its group until the next interval.
        return {**where, "send_resolved": self.send_resolved, "timeout": "10s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A Slack channel; the file holds the address of the incoming webhook."""

    kind: ClassVar[str] = "slack_configs"
    wakes: ClassVar[bool] = False
    channel: str
    api_url_file: str

    def __post_init__(self) -> None:
        _check("Slack", self.api_url_file)

    def document(self) -> dict[str, Any]:
        """Return the form Alertmanager reads."""
        return {
            "channel": self.channel,
            "api_url_file": self.api_url_file,
            "send_resolved": True,
            "color": f"{{{{ if eq .Status `resolved` }}}}good{{{{ else if {_IS_PAGE} }}}}danger"
            "{{ else }}warning{{ end }}",
            "title": messages.use("slack.title"),
            "title_link": messages.use("dashboard"),
            "fallback": messages.use("slack.title"),
            "text": messages.use("slack.text"),
            "mrkdwn_in": ["text"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """A PagerDuty service; the file holds the routing key of its Events API v2 integration."""

    kind: ClassVar[str] = "pagerduty_configs"
    wakes: ClassVar[bool] = True
    routing_key_file: str

    def __post_init__(self) -> None:
        _check("PagerDuty", self.routing_key_file)

    def document(self) -> dict[str, Any]:
        """Return the form Alertmanager reads."""
        return {
            "routing_key_file": self.routing_key_file,
            "send_resolved": True,
            "description": _TITLE,
            "severity": f"{{{{ if {_IS_PAGE} }}}}critical{{{{ else }}}}warning{{{{ end }}}}",
            "client": "agentobs",
            "client_url": messages.use("dashboard"),
            # `firing` and `resolved` replace Alertmanager's own, which are JSON of everything.
            "details": {
                **{field: _verbatim(text) for field, text in messages.details().items()},
                "firing": _verbatim(messages.use("firing")),
                "resolved": f"{{{{ if .Alerts.Resolved }}}}{_verbatim(messages.use('resolved'))}{{{{ end }}}}",
            },
            "links": [
                {"href": messages.use("runbook"), "text": "Runbook"},
                {"href": messages.use("dashboard"), "text": "Dashboard"},
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Opsgenie:
    """An Opsgenie team; the file holds the key of its API integration."""

    kind: ClassVar[str] = "opsgenie_configs"
    wakes: ClassVar[bool] = True
    api_key_file: str

    def __post_init__(self) -> None:
        _check("Opsgenie", self.api_key_file)

    def document(self) -> dict[str, Any]:
        """Return the form Alertmanager reads."""
        return {
            "api_key_file": self.api_key_file,
            "send_resolved": True,
            "message": _TITLE,
            "description": _TEXT,
            "source": "agentobs",
            "entity": messages.use("where"),
            "tags": "{{ .CommonLabels.severity }},{{ .CommonLabels.owner }},{{ .CommonLabels.family }}",
            "priority": f"{{{{ if {_IS_PAGE} }}}}P1{{{{ else }}}}P3{{{{ end }}}}",
            "details": messages.details(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A mail address, sent over an SMTP server with TLS that asks for a password; the file holds it."""

    kind: ClassVar[str] = "email_configs"
    wakes: ClassVar[bool] = False
    to: str
    sender: str
    smarthost: str
    username: str
    password_file: str

    def __post_init__(self) -> None:
        _check("e-mail", self.password_file)

    def document(self) -> dict[str, Any]:
        """Return the form Alertmanager reads: plain text, which reads the same on every screen."""
        return {
            "to": self.to,
            "from": self.sender,
            "smarthost": self.smarthost,
            "auth_username": self.username,
            "auth_password_file": self.password_file,
            "require_tls": True,
            "send_resolved": True,
            "headers": {"Subject": _TITLE},
            "html": "",
            "text": _TEXT,
        }
