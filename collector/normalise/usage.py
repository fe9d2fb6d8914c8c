"""Token counts become the conventions': input holds what the cache gave and took, output holds the reasoning.

Providers count differently, and instrumentations pass their counts on or convert them. A sender that counts parts
beside the whole is told by the total that it sends along, or by parts that cannot be inside the whole. Where neither
tells, the parts are inside, which is the convention. What no convention explains stays as it came and is marked.
"""

from dataclasses import dataclass
from typing import Final

from agentobs.contract import Attr
from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import cached, span

CACHE_ABOVE_INPUT: Final = "cache_above_input"
REASONING_ABOVE_OUTPUT: Final = "reasoning_above_output"
UNUSABLE: Final = "unusable"
LARGEST: Final = 1_000_000_000
"""No honest span or event reports more tokens, dollars, steps or score. One infinite value would stay in a sum for
ever, and two near the end of int64 make it negative."""

_INPUT, _OUTPUT = span(Attr.INPUT_TOKENS), span(Attr.OUTPUT_TOKENS)
_READ, _WRITE, _REASONING = (
    span(Attr.CACHE_READ_TOKENS),
    span(Attr.CACHE_WRITE_TOKENS),
    span(Attr.REASONING_TOKENS),
)
_MODEL: Final = span(Attr.REQUEST_MODEL)
_PROVIDER: Final = span(Attr.PROVIDER)
_TOTALS: Final = ("gen_ai.usage.total_tokens", "llm.token_count.total")
_HAS_TOTAL: Final = f"({' or '.join(steps.present(key) for key in _TOTALS)})"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who counts a part beside its whole, where `cache` or `reasoning` says so; `where` recognises it."""

    name: str
    where: str
    source: str
    cache: bool = False
    reasoning: bool = False


# Everybody else counts parts inside: OpenAI and what speaks its API, pydantic-ai, Claude Code, AI SDK 6 and 7, ADK,
# Mastra, Microsoft's Agent Framework, LangChain's `usage_metadata` (all captured).
SENDERS: Final = (
    Sender("Anthropic", f'{_PROVIDER} == "anthropic"', "API: input_tokens excludes both cache counts", cache=True),
    Sender(
        "Claude elsewhere",
        f'(IsString({_MODEL}) and Index({_MODEL}, "claude") >= 0)',
        "the same API behind Vertex, Azure",
        cache=True,
    ),
    Sender("Bedrock", f'{_PROVIDER} == "aws.bedrock"', "Converse: inputTokens excludes the cache", cache=True),
    Sender("Strands", f'{_PROVIDER} == "strands-agents"', "passes Bedrock's counts on", cache=True),
    Sender(
        "Google",
        f'(IsString({_PROVIDER}) and HasPrefix({_PROVIDER}, "gcp."))',
        "API: candidates exclude thoughts",
        reasoning=True,
    ),
    Sender("xAI", f'{_PROVIDER} == "x_ai"', "API: completion_tokens excludes reasoning_tokens", reasoning=True),
)


def is_open() -> str:
    """Condition: a part may stand beside its whole, or cannot be inside. Most calls end here."""
    read = f"({_READ} > 0 and not ({_INPUT} >= {_READ}))"
    written = f"({_WRITE} > 0 and (not ({_INPUT} >= {_WRITE}) or ({_READ} > 0 and {_READ} + {_WRITE} > {_INPUT})))"
    reasoned = f"({_REASONING} > 0 and not ({_OUTPUT} >= {_REASONING}))"
    told = f"({_HAS_TOTAL} and ({_READ} > 0 or {_WRITE} > 0 or {_REASONING} > 0))"
    return f"({read} or {written} or {reasoned} or {told})"


def _any_of(*conditions: str) -> str:
    return f"({' or '.join(conditions)})"


def statements() -> list[str]:
    """Statements that run when names are canonical and counts are numbers."""
    parts, rest, doubtful = cached("parts"), cached("rest"), span(Attr.USAGE_DOUBTFUL)
    beside_cache = _any_of(*(sender.where for sender in SENDERS if sender.cache))
    beside_reasoning = _any_of(*(sender.where for sender in SENDERS if sender.reasoning))
    total = f"Coalesce([{', '.join(map(span, _TOTALS))}])"
    with_both = f"{rest} == {parts} + {_REASONING}"
    cache_is_beside = (
        f"({rest} == {parts} or ({_REASONING} != nil and {with_both}) or ({parts} > {_INPUT} and {beside_cache}))"
    )
    reasoning_is_beside = (
        f"{_REASONING} > 0 and ({rest} == {_REASONING} or ({parts} > 0 and {with_both})"
        f" or ({_REASONING} > {_OUTPUT} and {beside_reasoning}))"
    )
    return [
        f"set({parts}, 0)",
        f"set({parts}, {_READ}) where {_READ} != nil",
        f"set({parts}, {parts} + {_WRITE}) where {_WRITE} != nil",
        f"set({rest}, Int({total}) - {_INPUT} - {_OUTPUT}) where {_HAS_TOTAL} and {_INPUT} != nil and {_OUTPUT} != nil",
        f"set({_INPUT}, {_INPUT} + {parts}) where IsInt({_INPUT}) and {parts} > 0 and {cache_is_beside}",
        f"set({_OUTPUT}, {_OUTPUT} + {_REASONING}) where IsInt({_OUTPUT}) and {reasoning_is_beside}",
        ottl.constant(doubtful, CACHE_ABOVE_INPUT, f"{parts} > 0 and not ({_INPUT} >= {parts})"),
        ottl.constant(doubtful, REASONING_ABOVE_OUTPUT, f"{_REASONING} > 0 and not ({_OUTPUT} >= {_REASONING})"),
    ]
