"""What no store takes and no client means: text that is not UTF-8, and spans without an id.

One such value makes a strict store refuse the whole request, and behind the queues a request holds what several
senders sent. So both are repaired before they meet: each broken byte becomes U+FFFD, and a missing id a random one.
Not here: lengths (`trace_limits`, `log_limits`), secrets (`redaction`).
"""

from typing import Any, Final

TRACES: Final = "transform/repair_traces"
LOGS: Final = "transform/repair_logs"
IDS: Final = "transform/ids"
_BROKEN: Final = r"\\x{FFFD}"  # an expression takes a broken byte for this character
_ESCAPED: Final = r"\\ufffd"  # and a list or map as text shows it so
_NEW: Final = "\N{REPLACEMENT CHARACTER}"
_NO_TRACE, _NO_SPAN = f'TraceID("{"0" * 32}")', f'SpanID("{"0" * 16}")'


def ids() -> dict[str, Any]:
    """Configuration of the first step behind a door: before a trace is given to a sampler, it needs a name."""
    random = 'MD5(Concat([UUID(), String(span.start_time_unix_nano)], ""))'
    return {
        "error_mode": "silent",
        "trace_statements": [
            {
                "conditions": [f"span.trace_id == {_NO_TRACE} or span.span_id == {_NO_SPAN}"],
                "statements": [
                    f"set(span.trace_id.string, {random}) where span.trace_id == {_NO_TRACE}",
                    f"set(span.span_id.string, Substring({random}, 0, 16)) where span.span_id == {_NO_SPAN}",
                ],
            }
        ],
    }


def texts(*paths: str) -> list[str]:
    """Statements for texts that are there at most once."""
    return [f'set({path}, Decode({path}, "utf-8")) where {path} != ""' for path in paths]


def attributes(scope: str) -> list[str]:
    """Statements for the attributes of `scope`. Sound ones pay for one look at all of them as JSON, which shows.

    What is broken inside a list or map comes back from JSON. A NaN beside it leaves no JSON: then the values are looked
    at as text, and what is inside becomes attributes of its own.
    """
    target = f"{scope}.attributes"
    everything = f'Concat([Concat(Values({target}), " "), Concat(Keys({target}), " ")], " ")'
    json, text, broken, nested, whole = (
        f'{scope}.cache["{name}"]' for name in ("json", "text", "broken", "nested", "whole")
    )
    replaced = [f'replace_all_patterns({target}, "{part}", "{_BROKEN}", "{_NEW}")' for part in ("value", "key")]
    return [
        f"set({json}, String({target}))",
        f'set({broken}, true) where {json} != nil and Index({json}, "{_ESCAPED}") >= 0',
        f"set({text}, {everything}) where {json} == nil or {broken} == true",
        f'set({broken}, true) where {json} == nil and Decode({text}, "utf-8") != {text}',
        f'set({nested}, true) where {text} != nil and Index({text}, "{_ESCAPED}") >= 0',
        *(f"{statement} where {broken} == true" for statement in replaced),
        f"set({whole}, ParseJSON(String({target}))) where {nested} == true",
        f"set({target}, {whole}) where {whole} != nil",
        f"flatten({target}) where {nested} == true and {whole} == nil",
        *(f"{statement} where {nested} == true and {whole} == nil" for statement in replaced),
    ]


def traces() -> dict[str, Any]:
    """Configuration of the first step of the storage branch of traces."""
    return {
        "error_mode": "silent",
        "trace_statements": [
            {"statements": attributes("resource")},
            {"statements": [*texts("scope.name", "scope.version"), *attributes("scope")]},
            {"statements": [*texts("span.name", "span.status.message"), *attributes("span")]},
            {"statements": [*texts("spanevent.name"), *attributes("spanevent")]},
        ],
    }


def logs() -> dict[str, Any]:
    """The same for log records; a body that is a list or map comes back from JSON."""
    body = "log.body"
    nested = f'not IsString({body}) and Index(String({body}), "{_ESCAPED}") >= 0'
    return {
        "error_mode": "silent",
        "log_statements": [
            {"statements": attributes("resource")},
            {"statements": [*texts("scope.name", "scope.version"), *attributes("scope")]},
            {
                "statements": [
                    *texts("log.event_name", "log.severity_text"),
                    f'set({body}, Decode({body}, "utf-8")) where IsString({body})',
                    f"set({body}, ParseJSON(String({body}))) where {nested}",
                    *attributes("log"),
                ]
            },
        ],
    }
