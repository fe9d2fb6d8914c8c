"""Error classes: every spelling of a failure becomes one of `signals.ErrorClass` in `error_class`.

Sources in this order: `error.type`, the exception event, the status message, and for tools the text of the result,
because most frameworks return a failed MCP call as a normal result with status OK. A class that came with a span stays.
"""

from typing import Any, Final

from collector import ottl
from collector.normalise import frameworks, openinference, openllmetry, steps
from collector.normalise.steps import IS_ERROR, IS_TOOL, cached, span
from collector.signals import Attr, ErrorClass, Label

# Order matters: the first class that matches wins.
ERROR_CLASSES: Final[tuple[tuple[ErrorClass, str], ...]] = (
    (ErrorClass.TIMEOUT, r"(?i)(timeout|timed.?out|deadline|^504$|^408$|^524$|^-32001$)"),
    (ErrorClass.RATE_LIMITED, r"(?i)(rate.?limit|too.?many.?requests|quota|overloaded|^429$|^529$)"),
    (ErrorClass.CANCELLED, r"(?i)(cancel|abort)"),
    (ErrorClass.INVALID_INPUT, r"(?i)(invalid|validation|valueerror|bad.?request|^400$|^422$|^-32602$|^-32600$)"),
    (ErrorClass.TOOL_ERROR, r"(?i)tool.?(retry.?)?(error|exception|execution)"),
)
# Messages are prose: only phrases that leave no doubt.
_MESSAGE_TIMEOUT: Final = r"(?i)(timed.?out|timeouterror|readtimeout|deadline exceeded|request timeout|-32001)"
_MESSAGE_CANCELLED: Final = r"(?i)cancell?ed"
_MESSAGE_RATE_LIMITED: Final = r"(?i)(rate.?limit|too many requests|error code: 429)"
# Types that say no more than that something failed.
VAGUE_TYPE: Final = r"^(?:_OTHER|(?:.+\.)?Mcp_?Error|(?:.+\.)?MCPError|(?:.+\.)?ToolRetryError|Exception|Error)$"

# What frameworks write for a failed tool, at the beginning of the result or of a string in it; or a result whose first
# key is `error`. The same words inside a sentence are somebody's data.
_PHRASES: Final = (
    r"Error (?:executing|invoking|calling|running|from) (?:MCP )?tool|Tool execution failed"
    r"|An error occurred while running the tool"
)
_FIRST_KEYS: Final = r"^[^a-zA-Z]{0,8}(?:(?:output|result|data|content)[^a-zA-Z]{1,8}){0,3}"
FAILED_RESULT: Final = rf"(?:^|[\"'])(?:{_PHRASES})|{_FIRST_KEYS}(?i:error)" + r"[\\\"']{1,2}\s*:\s*[\\]?[\"'][^\\\"']"
TIMED_OUT_RESULT: Final = r"(?i)timed.?out|timeout"
_MAX_TYPE: Final = 256
_MAX_MESSAGE: Final = 8192  # longer ones are dumps that no expression shall search
_SHORT: Final = 1000  # longer results are data, not error texts
_RESULTS: Final = (
    "gen_ai.tool.call.result",
    openinference.TOOL_RESULT,
    openllmetry.TOOL_RESULT,
    frameworks.ADK_TOOL_RESULT,
    frameworks.PYDANTIC_TOOL_RESULT,
)

_CLASS: Final = span(Label.ERROR_CLASS)
_TYPE: Final = span(Attr.ERROR_TYPE)
_UNSET: Final = f"{_CLASS} == nil"
_FAILED: Final = f"{IS_ERROR} or {_TYPE} != nil"


def _quoted(pattern: str) -> str:
    """Escape a pattern for an OTTL string."""
    return pattern.replace("\\", "\\\\").replace('"', '\\"')


def _matches(source: str, pattern: str) -> str:
    return f'IsMatch({source}, "{_quoted(pattern)}")'


def _classed(name: ErrorClass, condition: str) -> str:
    return ottl.constant(_CLASS, name, f"{_UNSET} and {condition}")


def _in_message(message: str, pattern: str) -> str:
    return f"Len({message}) <= {_MAX_MESSAGE} and {_matches(message, pattern)}"


def _exceptions() -> dict[str, Any]:
    """A failed span without `error.type` gets it from its first exception; the message may know of a timeout."""
    exception = 'spanevent.attributes["exception.{}"]'
    kind, message = exception.format("type"), exception.format("message")
    return steps.group(
        _classed(ErrorClass.TIMEOUT, f"IsString({message}) and {_in_message(message, _MESSAGE_TIMEOUT)}"),
        ottl.copy(_TYPE, kind, condition=f"{_TYPE} == nil"),
        when=f'spanevent.name == "exception" and {IS_ERROR} and {_UNSET}',
    )


def _results() -> dict[str, Any]:
    """Tool calls that failed although their span does not say so."""
    text = cached("text")
    # A search for literals is cheap and settles it for nearly every result.
    suspicious = f'(Index({text}, "rror") >= 0 or Index({text}, "Tool execution failed") >= 0)'
    is_error = " or ".join(f'Index({text}, "\\"isError\\":{space}true") >= 0' for space in ("", " "))
    failed = f"({_matches(text, FAILED_RESULT)} or {is_error})"
    return steps.group(
        f"set({text}, Coalesce([{', '.join(span(key) for key in _RESULTS)}]))",
        ottl.constant(
            _CLASS,
            ErrorClass.TOOL_ERROR,
            f"IsString({text}) and Len({text}) <= {_SHORT} and {suspicious} and {failed}",
        ),
        ottl.constant(
            _CLASS, ErrorClass.TIMEOUT, f'{_CLASS} == "{ErrorClass.TOOL_ERROR}" and {_matches(text, TIMED_OUT_RESULT)}'
        ),
        when=f"{IS_TOOL} and not ({_FAILED}) and {_UNSET}",
    )


def _failures() -> dict[str, Any]:
    message, result = "span.status.message", span(_RESULTS[0])
    by_type = [_classed(name, _matches(_TYPE, pattern)) for name, pattern in ERROR_CLASSES]
    vague = f"({_TYPE} == nil or {_matches(_TYPE, VAGUE_TYPE)})"
    return steps.group(
        # It names a kind of failure; somebody's whole dump in its place would go through every expression below.
        f"set({_TYPE}, Substring({_TYPE}, 0, {_MAX_TYPE})) where IsString({_TYPE}) and Len({_TYPE}) > {_MAX_TYPE}",
        by_type[0],
        _classed(ErrorClass.TIMEOUT, _in_message(message, _MESSAGE_TIMEOUT)),
        _classed(
            ErrorClass.TIMEOUT,
            f"{IS_TOOL} and IsString({result}) and Len({result}) <= {_SHORT} and {_matches(result, TIMED_OUT_RESULT)}",
        ),
        *by_type[1:],
        _classed(ErrorClass.RATE_LIMITED, f"{vague} and {_in_message(message, _MESSAGE_RATE_LIMITED)}"),
        _classed(ErrorClass.CANCELLED, f"{vague} and {_in_message(message, _MESSAGE_CANCELLED)}"),
        _classed(ErrorClass.TOOL_ERROR, f"{IS_TOOL} and {vague}"),
        ottl.constant(_CLASS, ErrorClass.OTHER, _UNSET),
        when=f"({_FAILED}) and {_UNSET}",
    )


def groups() -> list[dict[str, Any]]:
    """Statement groups of failures; the last one gives every healthy span its class."""
    return [
        _exceptions(),
        _results(),
        _failures(),
        steps.group(ottl.constant(_CLASS, ErrorClass.NONE), when=_UNSET),
    ]
