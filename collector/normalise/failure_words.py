"""How providers, frameworks and languages say what went wrong: tables that `errors` makes expressions of.

Types are what `error.type` or an exception's class says; they are matched anywhere in the name. Messages are prose, so
only phrases that leave no doubt. *captured*: seen in a run of November 2026 or in telemetry that somebody published;
*source*: read in the published code or reference. Results of tools, and what is no failure:
`agentobs.contract.failures`.
"""

from dataclasses import dataclass
from typing import Final

from agentobs.contract import ErrorClass


@dataclass(frozen=True, slots=True)
class Words:
    """What one sender writes for one class: regular expressions of types, of messages, and where they are from."""

    sender: str
    error_class: ErrorClass
    types: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    source: str = "captured"


_C: Final = ErrorClass
FAILURES: Final = (
    Words("languages", _C.TIMEOUT, ("timeout", "timed.?out"), ("timed.?out", "timeouterror", "readtimeout")),
    Words("gRPC", _C.TIMEOUT, ("deadline",), ("deadline[ _]exceeded",)),
    Words("HTTP", _C.TIMEOUT, ("^504$", "^408$", "^524$"), ("request timeout",)),
    Words("MCP", _C.TIMEOUT, ("^-32001$",), ("-32001",)),
    # What the gateway of this product answers, as a code; its client may know the words alone.
    Words("gateway", _C.TIMEOUT, ("^-32012$",), (r"did not end within \d",)),
    Words(
        "gateway", _C.RATE_LIMITED, ("^-32011$",), (r"calls \S+ more often than \d", r"calls of \S+ running already")
    ),
    Words(
        "gateway",
        _C.BLOCKED,
        ("^-3201[05678]$", "refusederror", "pins.*killederror"),
        (
            r"is stopped: .+ \(.+, .+\)",
            "is not what was reviewed:",
            r"the ceiling of .+ is \$",
            "failed several times in a row and is left alone",
            "is not one that this caller speaks for",
        ),
    ),
    # HttpClient throws TaskCanceledException when it has waited long enough.
    Words(".NET", _C.TIMEOUT, (), (r"HttpClient\.Timeout", r"timeout of [\d.:]+ ?\w* ?(?:seconds )?elaps"), "source"),
    Words("tools in prose", _C.TIMEOUT, (), (r"did not (?:answer|respond|reply|finish|complete) (?:with)?in",)),
    Words("OpenAI", _C.RATE_LIMITED, ("rate.?limit", "quota"), ("rate.?limit", "insufficient_quota")),
    Words("HTTP", _C.RATE_LIMITED, ("^429$", "^529$", "too.?many.?requests"), ("too many requests",)),
    Words(
        "HTTP in prose",
        _C.RATE_LIMITED,
        (),
        (r"^(?:429|529)\b", r"(?:http|status(?: ?code)?:?|error code:|code:|\() ?(?:429|529)\b"),
    ),
    Words("Anthropic", _C.RATE_LIMITED, ("overloaded",), ("overloaded_error", "overloadederror")),
    Words("Gemini, OpenAI", _C.RATE_LIMITED, (), ("model is (?:currently )?overloaded",), "source"),
    Words("Bedrock", _C.RATE_LIMITED, ("throttl", "throughput.?exceeded", "servicequota"), ("throttlingexception",)),
    Words("Strands", _C.RATE_LIMITED, ("modelthrottled",), ("throttled",)),
    Words(
        "Vertex, Gemini", _C.RATE_LIMITED, ("resource.?exhausted",), ("resource_exhausted", "resource has been exhau")
    ),
    Words(
        "Azure", _C.RATE_LIMITED, ("exceeded.?call.?rate",), ("exceeded (?:the )?(?:call|token) rate limit",), "source"
    ),
    Words("languages", _C.CANCELLED, ("cancel",), ("cancell?ed",)),
    # A consumer that stopped reading; an aborted connection is another thing.
    Words("Python", _C.CANCELLED, ("generatorexit", "keyboardinterrupt"), (), "source"),
    Words("JavaScript", _C.CANCELLED, ("(?:^|[^n])abort",), ("operation was aborted",)),
    Words(
        "languages",
        _C.INVALID_INPUT,
        ("invalid", "validation", "valueerror", "bad.?request", "^400$", "^422$", "^-32602$", "^-32600$"),
    ),
    Words("frameworks", _C.TOOL_ERROR, ("tool.?(?:call.?|retry.?)?(?:error|exception|execution)",)),
    # What a tool raises to have the model try again with other arguments.
    Words("pydantic-ai", _C.TOOL_ERROR, ("model.?retry",), (), "source"),
)
