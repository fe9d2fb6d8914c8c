"""Error classes: every spelling of a failure becomes one of `contract.ErrorClass` in `error_class`.

Sources in this order: `error.type`, the exception event, the status message, and for tools the text of the result,
because most frameworks return a failed MCP call as a normal result with status OK. A class that came with a span stays.
What is no failure although it travels as an exception (a pause for a person, a hand-over) is taken off the span first.
The words: `failure_words`.
"""

from typing import Any, Final

from agentobs.contract import ROLE_TASK, Attr, ErrorClass, Label, Outcome
from agentobs.contract.failures import (
    FAILED_RESULT,
    HANDOVER,
    IS_ERROR_FLAG,
    ONLY_TIMED_OUT,
    PAUSE,
    RESULT_HEAD,
    RESULT_TAIL,
    SHORT_RESULT,
    STATUS_ERROR,
    SUSPICIOUS_WORDS,
    TIMED_OUT_RESULT,
    TOOL_RESULTS,
    VAGUE_TYPE,
)
from collector import ottl
from collector.normalise import steps
from collector.normalise.failure_words import FAILURES
from collector.normalise.steps import IS_ERROR, IS_ROOT, IS_TOOL, cached, span


def _one_of(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


def _types(name: ErrorClass) -> str:
    return "(?i)" + _one_of(*(each for words in FAILURES if words.error_class is name for each in words.types))


def _messages(name: ErrorClass) -> str:
    return "(?i)" + _one_of(*(each for words in FAILURES if words.error_class is name for each in words.messages))


# Order matters: the first class that matches wins.
ERROR_CLASSES: Final[tuple[tuple[ErrorClass, str], ...]] = tuple(
    (name, _types(name))
    for name in (
        ErrorClass.TIMEOUT,
        ErrorClass.RATE_LIMITED,
        ErrorClass.BLOCKED,
        ErrorClass.CANCELLED,
        ErrorClass.INVALID_INPUT,
        ErrorClass.TOOL_ERROR,
    )
)
MESSAGE_TIMEOUT: Final = _messages(ErrorClass.TIMEOUT)
MESSAGE_RATE_LIMITED: Final = _messages(ErrorClass.RATE_LIMITED)
_MESSAGE_BLOCKED: Final = _messages(ErrorClass.BLOCKED)
_MESSAGE_CANCELLED: Final = _messages(ErrorClass.CANCELLED)
# OpenInference writes `repr(exception)` as message; the type stands in an event.
_PAUSE_MESSAGE: Final = "^(?:GraphInterrupt|NodeInterrupt|HumanFeedbackPending)[(:]"

_MAX_TYPE: Final = 256
_MAX_MESSAGE: Final = 8192  # longer ones are dumps that no expression shall search
_HTTP_STATUS: Final = "http.response.status_code"
_HTTP_CLASSES: Final = {
    429: ErrorClass.RATE_LIMITED,
    529: ErrorClass.RATE_LIMITED,
    408: ErrorClass.TIMEOUT,
    504: ErrorClass.TIMEOUT,
}

_CLASS: Final = span(Label.ERROR_CLASS)
_TYPE: Final = span(Attr.ERROR_TYPE)
_UNSET: Final = f"{_CLASS} == nil"
# A class that came with a span and is none of ours would be a label of its own.
_OURS: Final = " or ".join(f'{_CLASS} == "{name}"' for name in ErrorClass)
_FAILED: Final = f"{IS_ERROR} or {_TYPE} != nil"
_STATUS_MESSAGE: Final = "span.status.message"


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
        _classed(ErrorClass.TIMEOUT, f"IsString({message}) and {_in_message(message, MESSAGE_TIMEOUT)}"),
        _classed(ErrorClass.RATE_LIMITED, f"IsString({message}) and {_in_message(message, MESSAGE_RATE_LIMITED)}"),
        ottl.copy(_TYPE, kind, condition=f"{_TYPE} == nil"),
        when=f'spanevent.name == "exception" and {IS_ERROR} and {_UNSET}',
    )


def _control_flow() -> list[str]:
    """What is no failure: the span is no error any more, and a task that waits for a person says so."""
    pause = cached("pause")
    untyped = f"({_TYPE} == nil or {_matches(_TYPE, VAGUE_TYPE)})"
    is_task = f'({IS_ROOT} or {span(Attr.SPAN_ROLE)} == "{ROLE_TASK}")'
    none = f'{_CLASS} == "{ErrorClass.NONE}"'
    said = f"{untyped} and {_in_message(_STATUS_MESSAGE, _PAUSE_MESSAGE)}"
    return [
        f"set({pause}, true) where {_TYPE} != nil and {_matches(_TYPE, PAUSE)}",
        f"set({pause}, true) where {said}",
        ottl.constant(_CLASS, ErrorClass.NONE, f"{pause} == true"),
        ottl.constant(_CLASS, ErrorClass.NONE, f"{_UNSET} and {_TYPE} != nil and {_matches(_TYPE, HANDOVER)}"),
        ottl.constant(
            span(Attr.TASK_OUTCOME),
            Outcome.NEEDS_HUMAN,
            f"{pause} == true and {is_task} and {span(Attr.TASK_OUTCOME)} == nil",
        ),
        f"set(span.status.code, STATUS_CODE_UNSET) where {none} and {IS_ERROR}",
        f'delete_key(span.attributes, "{Attr.ERROR_TYPE}") where {none}',
    ]


def _results() -> dict[str, Any]:
    """Tool calls that failed although their span does not say so."""
    first, *others = map(span, TOOL_RESULTS)
    short = f"(IsString({first}) and (Len({first}) > {SHORT_RESULT} or {_suspicious(first)}))"
    elsewhere = " or ".join(f"{other} != nil" for other in others)
    to_read = f"({short} or IsMap({first}) or ({first} == nil and ({elsewhere})))"
    result, text, suspicious = cached("result"), cached("text"), cached("suspicious")
    ends = f"Substring({result}, 0, {RESULT_HEAD}), Substring({result}, Len({result}) - {RESULT_TAIL}, {RESULT_TAIL})"
    flags = " or ".join(_matches(text, pattern) for pattern in (FAILED_RESULT, IS_ERROR_FLAG, STATUS_ERROR))
    structured = " or ".join(f'{result}["{key}"] == true' for key in ("isError", "is_error"))
    return steps.group(
        f"set({result}, Coalesce([{', '.join((first, *others))}]))",
        f"set({text}, {result}) where IsString({result}) and Len({result}) <= {SHORT_RESULT}",
        f'set({text}, Concat([{ends}], "\\n")) where {text} == nil and IsString({result})',
        f"set({suspicious}, true) where {text} != nil and {_suspicious(text)}",
        ottl.constant(_CLASS, ErrorClass.TOOL_ERROR, f"{suspicious} == true and ({flags})"),
        ottl.constant(_CLASS, ErrorClass.TOOL_ERROR, f"{text} == nil and IsMap({result}) and ({structured})"),
        ottl.constant(
            _CLASS,
            ErrorClass.TIMEOUT,
            f"{suspicious} == true and (({_CLASS} != nil and {_matches(text, TIMED_OUT_RESULT)})"
            f" or {_matches(text, ONLY_TIMED_OUT)})",
        ),
        when=f"{IS_TOOL} and not ({_FAILED}) and {_UNSET} and {to_read}",
        quiet=True,
    )


def _suspicious(text: str) -> str:
    """A search for literals is cheap and settles it for nearly every result."""
    found = (f'Index({text}, "{word}") >= 0' for word in SUSPICIOUS_WORDS)
    return f"({' or '.join(found)})"


def _failures() -> dict[str, Any]:
    message, result = _STATUS_MESSAGE, span(TOOL_RESULTS[0])
    by_type = [_classed(name, _matches(_TYPE, pattern)) for name, pattern in ERROR_CLASSES]
    by_status = [_classed(name, f"{span(_HTTP_STATUS)} == {code}") for code, name in _HTTP_CLASSES.items()]
    vague = f"({_TYPE} == nil or {_matches(_TYPE, VAGUE_TYPE)})"
    return steps.group(
        # It names a kind of failure; somebody's whole dump in its place would go through every expression below.
        f"set({_TYPE}, Substring({_TYPE}, 0, {_MAX_TYPE})) where IsString({_TYPE}) and Len({_TYPE}) > {_MAX_TYPE}",
        # Claude Code and others have an `error_class` of their own: it is what we call the type.
        ottl.copy(_TYPE, _CLASS, condition=f"{_TYPE} == nil"),
        f'delete_key(span.attributes, "{Label.ERROR_CLASS}") where {_CLASS} != nil',
        *_control_flow(),
        by_type[0],
        _classed(ErrorClass.TIMEOUT, _in_message(message, MESSAGE_TIMEOUT)),
        _classed(
            ErrorClass.TIMEOUT,
            f"{IS_TOOL} and IsString({result}) and Len({result}) <= {SHORT_RESULT}"
            f" and {_matches(result, TIMED_OUT_RESULT)}",
        ),
        *by_type[1:],
        _classed(ErrorClass.RATE_LIMITED, _in_message(message, MESSAGE_RATE_LIMITED)),
        _classed(ErrorClass.BLOCKED, f"{vague} and {_in_message(message, _MESSAGE_BLOCKED)}"),
        *by_status,
        _classed(ErrorClass.CANCELLED, f"{vague} and {_in_message(message, _MESSAGE_CANCELLED)}"),
        _classed(ErrorClass.TOOL_ERROR, f"{IS_TOOL} and {vague}"),
        ottl.constant(_CLASS, ErrorClass.OTHER, _UNSET),
        when=f"({_FAILED}) and ({_UNSET} or not ({_OURS}))",
    )


def groups() -> list[dict[str, Any]]:
    """Statement groups of failures; the last one gives every healthy span its class."""
    return [
        _exceptions(),
        _results(),
        _failures(),
        steps.group(ottl.constant(_CLASS, ErrorClass.NONE), when=f"{_UNSET} or not ({_OURS})"),
    ]
