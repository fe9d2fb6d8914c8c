"""What a program states of an agent and what is not fit for baggage: the prompt's hash, the attempt, the stand-in.

`emit.agent` puts it into the context, and each span that starts inside gets it. Here, not in `emit`, so that it works
under a provider that somebody else has made, too.
"""

from dataclasses import dataclass
from typing import Final

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import Span

from agentobs.contract import Attr, Operation

_KEY: Final = context.create_key("agentobs.agent")


@dataclass(frozen=True, slots=True)
class Stated:
    """What is known of the agent whose work a block is."""

    prompt_hash: str | None
    attempt: int
    fallback_from: str | None


def within(inside: Context, stated: Stated | None) -> Context:
    """Return a context that carries it; None takes away what is said of the agent around."""
    return context.set_value(_KEY, stated, inside)


def put_on(span: SdkSpan, parent: Context | None) -> None:
    """Set the prompt hash on a span that starts inside an agent, retry and fallback on the agent's own."""
    stated = (context.get_current() if parent is None else parent).get(_KEY)
    if not isinstance(stated, Stated):
        return
    if stated.prompt_hash is not None:
        span.set_attribute(Attr.PROMPT_HASH.value, stated.prompt_hash)
    if span.attributes and span.attributes.get(Attr.OPERATION.value) == Operation.INVOKE_AGENT.value:
        mark_attempt(span, stated.attempt, stated.fallback_from, None)


def mark_attempt(span: Span, attempt: int | None, fallback_from: str | None, reason: str | None) -> None:
    """Set the retry and fallback attributes of one attempt; what is not known is not stated."""
    if attempt is not None:
        span.set_attribute(Attr.RETRY_ATTEMPT.value, attempt)
    if reason is not None:
        span.set_attribute(Attr.RETRY_REASON.value, reason)
    if fallback_from is not None:
        span.set_attribute(Attr.FALLBACK.value, True)
        span.set_attribute(Attr.FALLBACK_FROM.value, fallback_from)
