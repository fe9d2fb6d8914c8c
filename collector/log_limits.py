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


MARGIN: Final = 1024
"""What is left beyond a limit before redaction, so that no secret is cut into something that no rule knows."""


def processor(more: int = 0) -> dict[str, Any]:
    """Configuration of the last step before the store of logs; lengths in bytes, `more` on top of each limit.

    The same with a margin comes before redaction, which then does not search what is cut away anyway.

    Of a stack trace the end stays, where the raised error is. It goes through the cache, so that the general cut does
    not shorten it further.
    """
    attributes, trace, kept = "log.attributes", f'log.attributes["{_STACKTRACE}"]', 'log.cache["trace"]'
    longest, body = _STACKTRACE_END + more, _BODY + more
    end = f"Substring({kept}, Len({kept}) - {longest}, {longest})"
    too_large = f"Len({attributes}) > {_FEW} and Len(String({attributes})) > {_ALL + more}"
    statements = [
        f"set({kept}, {trace}) where IsString({trace})",
        f"set({kept}, {end}) where {kept} != nil and Len({kept}) > {longest}",
        f"truncate_all({attributes}, {_ATTRIBUTE + more})",
        f'limit({attributes}, {_ATTRIBUTES}, ["{_STACKTRACE}"])',
        f"truncate_all({attributes}, {_SHORT + more}) where {too_large}",
        f"set({trace}, {kept}) where {kept} != nil",
        f"set(log.body, Substring(log.body, 0, {body})) where IsString(log.body) and Len(log.body) > {body}",
    ]
    return {"error_mode": "ignore", "log_statements": [{"statements": statements}]}
