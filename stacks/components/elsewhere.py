"""Services that somebody else runs: how each of our configurations logs in there, and which secrets that takes.

A login is a bearer token, or user and password. The secret settings are called after the service: `lokiToken` (token
or password) and `lokiUser`; `lokiLogin` is base64 of both, for headers.
"""

from collections.abc import Iterable
from typing import Any, Final

from collector import profiles
from collector.elsewhere import Destination, Scheme
from collector.stores import LogKind, TraceKind
from collector.tiers import Token
from stacks.environments import Auth, Environment, Remote
from stacks.workload import SecretUse

FOLDER: Final = "/etc/agentobs/secrets"
"""Where a pod has secrets that are files."""
STORES: Final = ("prometheus", *LogKind, *TraceKind)
"""What the collector sends to, and Grafana reads."""


def secret_settings(remote: Remote) -> tuple[str, ...]:
    """The secret settings that a login needs."""
    every = {Auth.NONE: (), Auth.BEARER: ("Token",), Auth.BASIC: ("User", "Token")}
    return tuple(f"{remote.name}{suffix}" for suffix in every[remote.auth])


def stores(environment: Environment, names: Iterable[str] = STORES) -> tuple[Remote, ...]:
    """Those of the named stores that somebody else runs."""
    return tuple(environment.elsewhere[name] for name in names if name in environment.elsewhere)


def destination(remote: Remote) -> Destination:
    """Where a collector sends, and the file with its token."""
    if remote.auth is Auth.NONE:
        return Destination(url=remote.otlp_url)
    scheme = Scheme.BASIC if remote.auth is Auth.BASIC else Scheme.BEARER
    return Destination(url=remote.otlp_url, token=Token(file=f"{profiles.SECRETS}/{remote.name}-login"), scheme=scheme)


def collector_secrets(remotes: Iterable[Remote]) -> tuple[SecretUse, ...]:
    """The files that `destination` names."""
    return tuple(
        SecretUse(
            value=f"{remote.name}{'Login' if remote.auth is Auth.BASIC else 'Token'}",
            file=f"{profiles.SECRETS}/{remote.name}-login",
        )
        for remote in remotes
        if remote.auth is not Auth.NONE
    )


def http_client(remote: Remote) -> dict[str, Any]:
    """The login in a configuration of Prometheus' making, which Tempo's remote write has too."""
    token = f"{FOLDER}/{remote.name}Token"
    match remote.auth:
        case Auth.BEARER:
            return {"authorization": {"credentials_file": token}}
        case Auth.BASIC:
            return {"basic_auth": {"username_file": f"{FOLDER}/{remote.name}User", "password_file": token}}
        case _:
            return {}


def client_secrets(remotes: Iterable[Remote]) -> tuple[SecretUse, ...]:
    """The files that `http_client` names."""
    return tuple(
        SecretUse(value=key, file=f"{FOLDER}/{key}", reread=True)
        for remote in remotes
        for key in secret_settings(remote)
    )


def variable(key: str) -> str:
    """The variable in which a pod has a secret setting: `LOKI_TOKEN` for `lokiToken`."""
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in key)


def variable_secrets(remotes: Iterable[Remote]) -> tuple[SecretUse, ...]:
    """The logins as variables, for what reads its configuration through them."""
    return tuple(SecretUse(value=key, variable=variable(key)) for remote in remotes for key in secret_settings(remote))
