"""External services: how each of our configurations logs in there, and which secrets that takes.

A login is a bearer token, or user and password. The secret settings are called after the service: `lokiToken` (token
or password) and `lokiUser`; `lokiLogin` is base64 of both, for headers.
"""

from collections.abc import Iterable
from typing import Any, Final

from collector import profiles
from collector.elsewhere import Destination, Scheme
from collector.stores import LogKind, TraceKind
from collector.tiers import Token
from stacks.deployment import Auth, Deployment, External
from stacks.workload import SecretUse

FOLDER: Final = "/etc/agentobs/secrets"
"""Where a pod has secrets that are files."""
STORES: Final = ("prometheus", *LogKind, *TraceKind)
"""What the collector sends to, and Grafana reads."""


def secret_settings(service: External) -> tuple[str, ...]:
    """The secret settings that a login needs."""
    every = {Auth.NONE: (), Auth.BEARER: ("Token",), Auth.BASIC: ("User", "Token")}
    return tuple(f"{service.name}{suffix}" for suffix in every[service.auth])


def stores(deployment: Deployment, names: Iterable[str] = STORES) -> tuple[External, ...]:
    """Those of the named stores that are external."""
    return tuple(deployment.external[name] for name in names if name in deployment.external)


def destination(service: External) -> Destination:
    """Where a collector sends, and the file with its token."""
    if service.auth is Auth.NONE:
        return Destination(url=service.otlp_url)
    scheme = Scheme.BASIC if service.auth is Auth.BASIC else Scheme.BEARER
    return Destination(
        url=service.otlp_url, token=Token(file=f"{profiles.SECRETS}/{service.name}-login"), scheme=scheme
    )


def collector_secrets(services: Iterable[External]) -> tuple[SecretUse, ...]:
    """The files that `destination` names."""
    return tuple(
        SecretUse(
            value=f"{service.name}{'Login' if service.auth is Auth.BASIC else 'Token'}",
            file=f"{profiles.SECRETS}/{service.name}-login",
        )
        for service in services
        if service.auth is not Auth.NONE
    )


def http_client(service: External) -> dict[str, Any]:
    """The login in a configuration of Prometheus' making, which Tempo's service write has too."""
    token = f"{FOLDER}/{service.name}Token"
    match service.auth:
        case Auth.BEARER:
            return {"authorization": {"credentials_file": token}}
        case Auth.BASIC:
            return {"basic_auth": {"username_file": f"{FOLDER}/{service.name}User", "password_file": token}}
        case _:
            return {}


def client_secrets(services: Iterable[External]) -> tuple[SecretUse, ...]:
    """The files that `http_client` names."""
    return tuple(
        SecretUse(value=key, file=f"{FOLDER}/{key}", reread=True)
        for service in services
        for key in secret_settings(service)
    )


def variable(key: str) -> str:
    """The variable in which a pod has a secret setting: `LOKI_TOKEN` for `lokiToken`."""
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in key)


def variable_secrets(services: Iterable[External]) -> tuple[SecretUse, ...]:
    """The logins as variables, for what reads its configuration through them."""
    return tuple(
        SecretUse(value=key, variable=variable(key)) for service in services for key in secret_settings(service)
    )
