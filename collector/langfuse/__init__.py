"""The Langfuse branch: sampled, redacted, normalised spans as Langfuse 4 must get them, and the way there.

Langfuse guesses input, type, name, usage and cost of a span from a dozen vocabularies; these processors leave it
nothing to guess. Only traces go there: evaluations reach it as scores (`agentobs.scores`), never as log records.
Not here: sampling and redaction, which come before; queue and retry, which every exporter gets alike.
"""

from typing import Any, Final

from agentobs.address import base_address
from collector.langfuse import content, observations, slices, usage
from collector.tiers import Token

KEYS: Final = "bearertokenauth/langfuse"
_INGESTION_VERSION: Final = "4"


def processors() -> dict[str, dict[str, Any]]:
    """Processors of the branch, in the order in which they run."""
    return {
        "filter/langfuse": observations.dropped(),
        "transform/langfuse": {
            "error_mode": "ignore",
            "trace_statements": [
                *slices.resources(),
                *slices.inherited(),
                *observations.groups(),
                *slices.groups(),
                *observations.naming(),
                *usage.groups(),
                *content.groups(),
                *slices.resources_after(),
            ],
        },
    }


def exporter(url: str) -> dict[str, Any]:
    """Configuration of `otlp_http/langfuse`, without queue and retry; needs the extension of `keys`.

    `url` is Langfuse's base address. Raises ValueError naming what is wrong with it and the fix.
    """
    address = base_address(url, "the Langfuse URL")
    return {
        "endpoint": f"{address}/api/public/otel",
        **_compression(address),
        # Longer than its slowest answer: a request that is repeated after a timeout may be stored twice.
        "timeout": "30s",
        "auth": {"authenticator": KEYS},
        "headers": {"x-langfuse-ingestion-version": _INGESTION_VERSION},
    }


def keys(token: Token) -> dict[str, dict[str, Any]]:
    """The extension that reads base64 of `public_key:secret_key` where `token` says, and trims it."""
    return {KEYS: {"scheme": "Basic", **token.extension()}}


def _compression(address: str) -> dict[str, Any]:
    """None inside a network, where it costs more CPU than all else together; across the internet the quickest gzip."""
    if address.startswith("http://"):
        return {"compression": "none"}
    return {"compression": "gzip", "compression_params": {"level": 1}}  # Langfuse unpacks gzip only
