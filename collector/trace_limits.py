"""Keep spans inside the limits of Jaeger: one value that is too long would block everything behind it.

Jaeger's store makes a key of a program's name, an attribute's name and its value, refuses keys of more than 65,000
bytes, and answers as if it were away for a moment, so that the whole request is sent again without end.
"""

from typing import Any, Final

_VALUE: Final = 60_000
_MESSAGE: Final = "span.status.message"


def processor() -> dict[str, Any]:
    """Configuration of the last step before Jaeger; lengths in bytes."""
    cut = f"set({_MESSAGE}, Substring({_MESSAGE}, 0, {_VALUE})) where Len({_MESSAGE}) > {_VALUE}"
    return {
        "error_mode": "ignore",
        "trace_statements": [
            {"statements": [f"truncate_all(resource.attributes, {_VALUE})"]},
            {"statements": [f"truncate_all(span.attributes, {_VALUE})", cut]},
            {"statements": [f"truncate_all(spanevent.attributes, {_VALUE})"]},
        ],
    }
