"""Keep spans inside the limits of Jaeger, which refuses what exceeds them: a span cut short beats none.

Jaeger makes a key of an index of every name, attribute and message, and a key holds 65,000 bytes. A span with a longer
one is refused as if the store were away, so that the queue would send it again for ever and nothing behind it would
arrive. Not here: content policy and masking (`redaction`).
"""

from typing import Any, Final

_NAME: Final = 1024
_TEXT: Final = 32_000
_ALL: Final = 40_000  # in JSON, where bytes are shorter than in an index
_LONG_KEY: Final = "^(?s:.{512})"


def processor() -> dict[str, Any]:
    """Configuration of the last step before Jaeger; lengths in bytes.

    Texts are cut. Lists, maps and bytes have no length that could be cut: of a span with much in it they become texts.
    """
    span = [
        *_cut("span.name", _NAME),
        *_cut("span.status.message", _TEXT),
        *_cut("span.trace_state", _NAME),
        *_attributes("span.attributes"),
    ]
    return {
        "error_mode": "ignore",
        "trace_statements": [
            {"statements": _attributes("resource.attributes")},
            {"statements": [*_cut("scope.name", _NAME), *_cut("scope.version", _NAME)]},
            {"statements": span},
            {"statements": [*_cut("spanevent.name", _NAME), *_attributes("spanevent.attributes")]},
        ],
    }


def _cut(path: str, most: int) -> list[str]:
    return [f"set({path}, Substring({path}, 0, {most})) where Len({path}) > {most}"]


def _attributes(path: str) -> list[str]:
    much = f"Len(String({path})) > {_ALL}"
    return [
        f'delete_matching_keys({path}, "{_LONG_KEY}")',
        f"truncate_all({path}, {_TEXT})",
        f"set({path}, ParseJSON(String({path}))) where {much}",
        f"flatten({path}) where {much}",
        f"truncate_all({path}, {_TEXT})",
        f'delete_matching_keys({path}, "{_LONG_KEY}")',
    ]
