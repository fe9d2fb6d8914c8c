"""Settings of the controller, from arguments and variables; secrets only by variable or file, never by argument."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from delivery.access import Role, Secrets
from delivery.access.identity import Identity, KeysAt, LocalUser, Peer, Roles, SignedToken
from delivery.errors import DeliveryError

PREFIX: Final = "AGENTOBS_CONTROLLER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grafana:
    """Where annotations go."""

    url: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Langfuse:
    """Where the label of an environment is moved to the prompt versions that run there."""

    url: str
    public_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`promotes`: environments whose canaries become stable by themselves after the last step.

    `tasks_per_session` says how many tasks a session has; alike ones prove less (`delivery.rollout.plan`).
    """

    state: Path
    identity: Identity
    secrets: Secrets = field(repr=False)
    origin: str | None = None
    agent_token: str | None = field(default=None, repr=False)
    webhook_token: str | None = field(default=None, repr=False)
    prometheus: str | None = None
    prometheus_token: str | None = field(default=None, repr=False)
    otlp: str | None = None
    otlp_token: str | None = field(default=None, repr=False)
    grafana: Grafana | None = None
    langfuse: Langfuse | None = None
    promotes: frozenset[str] = frozenset()
    tasks_per_session: float = 6.0
    acts: bool = True

    @property
    def tls(self) -> bool:
        """Whether people reach the console over TLS."""
        return (self.origin or "").startswith("https://")


def read(state: Path, variables: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a process. Raises DeliveryError that names the variable, what was expected and the fix."""
    said = _Said(variables)
    secrets = Secrets.kept(state)
    return Settings(
        state=state,
        identity=_identity(said, secrets),
        secrets=secrets,
        origin=said.address("ORIGIN"),
        agent_token=said.secret("AGENT_TOKEN"),
        webhook_token=said.secret("WEBHOOK_TOKEN"),
        prometheus=said.address("PROMETHEUS_URL"),
        prometheus_token=said.secret("PROMETHEUS_TOKEN"),
        otlp=said.address("OTLP_ENDPOINT"),
        otlp_token=said.secret("OTLP_TOKEN"),
        grafana=_grafana(said),
        langfuse=_langfuse(said),
        promotes=said.words("PROMOTE"),
        tasks_per_session=said.number("TASKS_PER_SESSION", 6.0),
        acts=said.choice("ACT", {"yes": True, "no": False}, "yes"),
    )


class _Said:
    """Variables with the prefix; an empty one is none."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str) -> str | None:
        return self._variables.get(PREFIX + name, "").strip() or None

    def secret(self, name: str) -> str | None:
        """From a variable, or from the file that a variable names."""
        path = self.text(f"{name}_FILE")
        if path is None:
            return self.text(name)
        try:
            return Path(path).read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            raise DeliveryError(f"{PREFIX}{name}_FILE: {path} cannot be read; fix: its path and rights") from None

    def address(self, name: str) -> str | None:
        found = self.text(name)
        if found is not None and not found.startswith(("http://", "https://")):
            raise DeliveryError(f"{PREFIX}{name} is no address; expected http(s)://host[:port]")
        return found.rstrip("/") if found else None

    def words(self, name: str) -> frozenset[str]:
        return frozenset(filter(None, (word.strip() for word in (self.text(name) or "").split(","))))

    def number(self, name: str, default: float) -> float:
        found = self.text(name)
        try:
            value = float(found) if found else default
        except ValueError:
            value = 0.0
        if not 1 <= value <= 1000:  # noqa: PLR2004 tasks of a session
            raise DeliveryError(f"{PREFIX}{name} is {found!r}; expected a number from 1 to 1000")
        return value

    def choice(self, name: str, of: Mapping[str, bool], default: str) -> bool:
        found = self.text(name) or default
        if found not in of:
            raise DeliveryError(f"{PREFIX}{name} is {found!r}; expected one of {', '.join(of)}")
        return of[found]

    def needed(self, name: str, why: str) -> str:
        found = self.text(name)
        if found is None:
            raise DeliveryError(f"{PREFIX}{name} is missing; {why}")
        return found


def _identity(said: _Said, secrets: Secrets) -> Identity:
    kind = said.text("IDENTITY") or "local"
    if kind == "local":
        return LocalUser(secrets)
    if kind == "peer":
        return Peer(_networks(said), _roles(said))
    if kind == "token":
        return SignedToken(
            KeysAt(said.needed("JWKS", "the keys of the proxy that signs: a file or an address")),
            said.needed("AUDIENCE", "tokens for others must not open this console"),
            _roles(said),
            issuer=said.text("ISSUER"),
            header=(said.text("TOKEN_HEADER") or "authorization").lower(),
        )
    raise DeliveryError(f"{PREFIX}IDENTITY is {kind!r}; expected local, token (signed by a proxy) or peer (its header)")


def _networks(said: _Said) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = said.words("PEERS")
    if not found:
        raise DeliveryError(f"{PREFIX}PEERS is missing; the addresses of the proxy whose header is believed")
    try:
        return [ipaddress.ip_network(each) for each in sorted(found)]
    except ValueError as error:
        raise DeliveryError(f"{PREFIX}PEERS: {error}; expected addresses or networks, with commas between") from None


def _roles(said: _Said) -> Roles:
    """Groups of each role; without any everybody whom the proxy lets in may look."""
    found = {role: said.words(f"{role.name}S") for role in Role}
    return found if any(found.values()) else {Role.VIEWER: frozenset({"*"})}


def _grafana(said: _Said) -> Grafana | None:
    url = said.address("GRAFANA_URL")
    return Grafana(url=url, token=said.secret("GRAFANA_TOKEN")) if url else None


def _langfuse(said: _Said) -> Langfuse | None:
    url = said.address("LANGFUSE_URL")
    if url is None:
        return None
    public, secret = said.text("LANGFUSE_PUBLIC_KEY"), said.secret("LANGFUSE_SECRET_KEY")
    if public is None or secret is None:
        raise DeliveryError(f"{PREFIX}LANGFUSE_PUBLIC_KEY and _SECRET_KEY are needed beside _URL")
    return Langfuse(url=url, public_key=public, secret_key=secret)
