"""Versions: an explicit one first, the hash of the system prompt as fallback.

Versions become labels, so a number is made text. Explicit versions of other vocabularies are read by their dialects.
"""

from typing import Any, Final

from agentobs.contract import Attr
from collector.normalise import steps
from collector.normalise.steps import IS_AGENT, IS_INFERENCE, span

_HEX: Final = 12  # enough to tell the prompts of a system apart, short enough for a legend
_VERSIONS: Final = (Attr.PROMPT_VERSION, Attr.TOOL_VERSION, Attr.GRAPH_VERSION)


def groups() -> list[dict[str, Any]]:
    """Statement groups of versions."""
    instructions, prompt_hash, version = (
        span(Attr.SYSTEM_INSTRUCTIONS),
        span(Attr.PROMPT_HASH),
        span(Attr.PROMPT_VERSION),
    )
    numbers = " or ".join(f"({span(key)} != nil and not IsString({span(key)}))" for key in _VERSIONS)
    return [
        steps.group(
            *(
                f"set({span(k)}, String({span(k)})) where {span(k)} != nil and not IsString({span(k)})"
                for k in _VERSIONS
            ),
            when=numbers,
        ),
        steps.group(
            # String(), because instructions may come as a list of parts.
            steps.prompt_hash(f"String({instructions})"),
            when=f"{prompt_hash} == nil and {instructions} != nil and ({IS_INFERENCE} or {IS_AGENT})",
        ),
        steps.group(
            f'set({version}, Concat(["sha", Substring({prompt_hash}, 0, {_HEX})], "-"))'
            f" where IsString({prompt_hash}) and Len({prompt_hash}) >= {_HEX}",
            when=f"{prompt_hash} != nil and {version} == nil",
        ),
    ]
