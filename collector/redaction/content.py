"""Content policy: which store may hold message content at all. What stays is redacted in any case.

Not here: what is content (`allowed`), masking (`processors`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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
