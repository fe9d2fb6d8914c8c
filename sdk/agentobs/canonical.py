"""One spelling of a JSON document, and its digest: RFC 8785, so that every language finds the same.

`json.dumps(sort_keys=True)` will not do: it writes 1.0, 1e-7 and keys beyond the basic plane otherwise.
"""

import hashlib
from typing import Any

import rfc8785

from agentobs.errors import AgentobsError


class CanonicalError(AgentobsError):
    """A document that has no canonical form: NaN, an integer beyond 2^53, half of a surrogate pair."""


def canonical(document: Any) -> bytes:  # noqa: ANN401 any JSON
    """Return the one spelling (UTF-8) of a JSON document. Raises CanonicalError naming what has none."""
    try:
        return rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise CanonicalError(
            f"this document has no canonical form: {error}; expected JSON with finite numbers, integers below 2^53 and "
            "whole characters; fix: write a large number as text"
        ) from None


def digest(document: Any) -> str:  # noqa: ANN401 any JSON
    """Return the SHA-256 (64 hex digits) of the canonical form. Raises CanonicalError."""
    return hashlib.sha256(canonical(document)).hexdigest()
