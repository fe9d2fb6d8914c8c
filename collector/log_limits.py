"""Keep log records inside the limits of stores, which refuse what exceeds them: a record cut short beats none.

Loki's defaults, which VictoriaLogs is told to take too: 64 KiB and 128 entries of structured metadata per record,
where resource and scope attributes count too, and lines of 256 KiB. Not here: content policy and masking (`redaction`).
"""

from typing import Any, Final

_ATTRIBUTE: Final = 4096
_ATTRIBUTES: Final = 96
_SHORT: Final = 400  # for records that are too large in all: 96 of these and a stack trace fit
_ALL: Final = 60_000
_FEW: Final = 10  # so many attributes of full length fit in any case
_STACKTRACE: Final = "exception.stacktrace"
_STACKTRACE_END: Final = 16_384
_BODY: Final = 250_000


def processor() -> dict[str, Any]:
    """Configuration of the last step before the store of logs; lengths in bytes.

    Of a stack trace the end stays, where the raised error is. It goes through the cache, so that the general cut does
    not shorten it further.
    """
    attributes, trace, kept = "log.attributes", f'log.attributes["{_STACKTRACE}"]', 'log.cache["trace"]'
    end = f"Substring({kept}, Len({kept}) - {_STACKTRACE_END}, {_STACKTRACE_END})"
    too_large = f"Len({attributes}) > {_FEW} and Len(String({attributes})) > {_ALL}"
    statements = [
        f"set({kept}, {trace}) where IsString({trace})",
        f"set({kept}, {end}) where {kept} != nil and Len({kept}) > {_STACKTRACE_END}",
        f"truncate_all({attributes}, {_ATTRIBUTE})",
        f'limit({attributes}, {_ATTRIBUTES}, ["{_STACKTRACE}"])',
        f"truncate_all({attributes}, {_SHORT}) where {too_large}",
        f"set({trace}, {kept}) where {kept} != nil",
        f"set(log.body, Substring(log.body, 0, {_BODY})) where IsString(log.body) and Len(log.body) > {_BODY}",
    ]
    return {"error_mode": "ignore", "log_statements": [{"statements": statements}]}
