"""Stores that somebody else runs: OTLP over HTTP with a login that the collector reads from a file or a variable.

The file is read again when it changes, so that a token rotates without a restart. A store that answers 401 or 403 is
not tried again: what it refuses is lost and counted (`otelcol_exporter_send_failed_*`). Not here: queues (`delivery`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from collector.tiers import Token


class Scheme(StrEnum):
    """How the `Authorization` header begins; `Basic` is followed by base64 of `user:password`."""

    BEARER = "Bearer"
    BASIC = "Basic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A store at `url`, to which `/v1/<signal>` is added; without a token everybody may write there."""

    url: str
    token: Token | None = None
    scheme: Scheme = Scheme.BEARER


def _authenticator(name: str) -> str:
    return f"bearertokenauth/{name}"


def exporter(name: str, destination: Destination) -> dict[str, Any]:
    """Configuration of `otlp_http/<name>`, without queue and retry; needs the extension of the same name."""
    auth = {"auth": {"authenticator": _authenticator(name)}} if destination.token else {}
    return {"endpoint": destination.url, **_compression(destination.url), "timeout": "30s", **auth}


def extensions(destinations: Mapping[str, Destination]) -> dict[str, dict[str, Any]]:
    """What reads the tokens, by the name under which an exporter refers to it."""
    return {
        _authenticator(name): {"scheme": str(each.scheme), **each.token.extension()}
        for name, each in destinations.items()
        if each.token
    }


def _compression(url: str) -> dict[str, Any]:
    """None inside a network, where it costs more CPU than it saves; across the internet the quickest gzip."""
    if url.startswith("http://"):
        return {"compression": "none"}
    return {"compression": "gzip", "compression_params": {"level": 1}}
