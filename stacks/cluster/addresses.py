"""Addresses of external services: inside the cluster or outside, and on which port."""

from typing import Final
from urllib.parse import urlsplit

_INSIDE: Final = ("svc", "svc.cluster.local")
_PORTS: Final = {"http": 80, "https": 443, "postgres": 5432, "redis": 6379, "clickhouse": 9000, "smtp": 587}


def namespace(url: str) -> str | None:
    """The namespace of a service of the same cluster: `http://name.namespace.svc:port`; None for what is outside.

    Other short names are not taken for services: `example.net` has the same form as `name.namespace`.
    """
    name, _, rest = (urlsplit(url).hostname or "").partition(".")
    found, _, suffix = rest.partition(".")
    return found if name and suffix in _INSIDE else None


def service(url: str) -> str:
    """The name of a service of the same cluster."""
    return (urlsplit(url).hostname or "").partition(".")[0]


def port(url: str) -> int:
    """The port, said or meant."""
    parts = urlsplit(url)
    return parts.port or _PORTS[parts.scheme]


def place(url: str) -> str:
    """A service of the same cluster as a person names it: `name.namespace:port`."""
    return f"{service(url)}.{namespace(url)}:{port(url)}"


def encrypted(url: str) -> bool:
    """Whether nobody between can read along."""
    return urlsplit(url).scheme == "https"
