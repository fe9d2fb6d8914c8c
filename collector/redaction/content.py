"""Content policy: which store may hold message content at all. What stays is redacted in any case.

Not here: masking (`patterns`, `processors`). Exception messages stay, masked: without them a trace explains nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from collector.signals import Attr


class ContentPolicy(StrEnum):
    """What a store gets of prompts, answers, tool arguments and tool results."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True)
class Content:
    """The policy of each store."""

    traces: ContentPolicy
    logs: ContentPolicy
    langfuse: ContentPolicy


_EVERYWHERE: Final = Content(ContentPolicy.KEEP, ContentPolicy.KEEP, ContentPolicy.KEEP)
LOCAL: Final = _EVERYWHERE
DEV: Final = _EVERYWHERE
STAGING: Final = _EVERYWHERE
PROD: Final = Content(traces=ContentPolicy.DROP, logs=ContentPolicy.DROP, langfuse=ContentPolicy.KEEP)

_FIXED: Final = (
    Attr.INPUT_MESSAGES,
    Attr.OUTPUT_MESSAGES,
    Attr.SYSTEM_INSTRUCTIONS,
    Attr.TOOL_DEFINITIONS,
    Attr.TOOL_ARGUMENTS,
    Attr.TOOL_RESULT,
    "input.value",
    "output.value",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "langfuse.observation.input",
    "langfuse.observation.output",
)
_INDEXED: Final = r"^(?:gen_ai\\.(?:prompt|completion)\\.[0-9]+\\.|llm\\.(?:input|output)_messages\\.)"
# Whoever writes the indexed families writes message 0; without it there is nothing to look for.
_FIRST: Final = (
    "gen_ai.prompt.0.role",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.role",
    "gen_ai.completion.0.content",
    "llm.input_messages.0.message.role",
    "llm.output_messages.0.message.role",
)


def _deletions(scope: str) -> list[str]:
    attributes = f"{scope}.attributes"
    return [
        *(f'delete_key({attributes}, "{key}")' for key in _FIXED),
        f'delete_matching_keys({attributes}, "{_INDEXED}")',
    ]


def content_processor(policy: ContentPolicy) -> dict[str, Any] | None:
    """Configuration of a `transform` that removes message content; None where it is kept."""
    if policy is ContentPolicy.KEEP:
        return None
    return {
        "error_mode": "ignore",
        "trace_statements": [{"statements": _deletions("span")}, {"statements": _deletions("spanevent")}],
        "log_statements": [{"statements": _deletions("log")}],
    }
