"""Vercel AI SDK, versions 4 to 6: its own `ai.*` names. Version 7 speaks the conventions' and needs nothing.

One call of `generateText` is a wrapper span and, below it, one span per request to the provider and one per tool call.
The wrapper repeats the usage of the requests: only these are model calls. With a `functionId` the wrapper is a run of
that agent, as version 7 says itself. n8n's agents send the same spans. Sources: a captured run of version 5, reports
for 4, the published code for 6.
"""

from typing import Any, Final

from agentobs.contract import EMBEDDINGS, Attr, Operation
from collector.normalise import steps
from collector.normalise.steps import NAME, NO_OPERATION, span

_ID: Final = span("ai.operationId")
_FUNCTION: Final = span("ai.telemetry.functionId")
_METADATA: Final = "ai.telemetry.metadata."
_USAGE: Final = {
    Attr.INPUT_TOKENS: ("ai.usage.inputTokens", "ai.usage.promptTokens"),
    Attr.OUTPUT_TOKENS: ("ai.usage.outputTokens", "ai.usage.completionTokens"),
    Attr.CACHE_READ_TOKENS: ("ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
    Attr.CACHE_WRITE_TOKENS: ("ai.usage.inputTokenDetails.cacheWriteTokens",),
    Attr.REASONING_TOKENS: ("ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"),
}
# `openai.responses`: a provider and which of its APIs.
PROVIDER_API: Final = r"\\.(?:chat|responses|completion|messages|embedding)$$"
_PROVIDERS: Final = {
    "google.generative-ai": "gcp.gemini",
    "google.vertex": "gcp.vertex_ai",
    "amazon-bedrock": "aws.bedrock",
    "azure-openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "xai": "x_ai",
    "mistral": "mistral_ai",
}


def _metadata(*keys: str) -> tuple[str, ...]:
    return tuple(span(f"{_METADATA}{key}") for key in keys)


def providers() -> list[str]:
    """Statements that bring the provider's name to the conventions'."""
    provider = span(Attr.PROVIDER)
    return [
        f'replace_pattern({provider}, "{PROVIDER_API}", "") where IsString({provider})',
        *(f'set({provider}, "{name}") where {provider} == "{own}"' for own, name in _PROVIDERS.items()),
    ]


def groups() -> list[dict[str, Any]]:
    """Statement groups of this dialect."""
    request = f'(HasSuffix({_ID}, ".doGenerate") or HasSuffix({_ID}, ".doStream"))'
    tool = f'{_ID} == "ai.toolCall"'
    wrapper = f'not {request} and not HasPrefix({_ID}, "ai.embed") and not ({tool}) and {_FUNCTION} != nil'
    is_call = steps.IS_INFERENCE
    return [
        steps.group(
            steps.become(Operation.CHAT, f"{NO_OPERATION} and {request}"),
            steps.become(EMBEDDINGS, f'{NO_OPERATION} and HasSuffix({_ID}, ".doEmbed")'),
            steps.become(Operation.EXECUTE_TOOL, f"{NO_OPERATION} and {tool}"),
            steps.become(Operation.INVOKE_AGENT, f"{NO_OPERATION} and {wrapper}"),
            *steps.fill(Attr.AGENT_NAME, _FUNCTION),
            *steps.fill(Attr.TOOL_NAME, span("ai.toolCall.name"), where=steps.IS_TOOL),
            *steps.fill(Attr.TOOL_CALL_ID, span("ai.toolCall.id"), where=steps.IS_TOOL),
            *steps.fill(Attr.REQUEST_MODEL, span("ai.model.id"), where=is_call),
            *steps.fill(Attr.RESPONSE_MODEL, span("ai.response.model"), where=is_call),
            *steps.fill(Attr.RESPONSE_ID, span("ai.response.id"), where=is_call),
            *steps.fill(Attr.PROVIDER, span("ai.model.provider"), where=is_call),
            *providers(),
            *(
                statement
                for target, sources in _USAGE.items()
                for statement in steps.fill(target, *map(span, sources), where=is_call)
            ),
            *steps.fill(Attr.PROMPT_NAME, *_metadata("promptName", "prompt_name")),
            *steps.fill(Attr.PROMPT_VERSION, *_metadata("promptVersion", "prompt_version"), as_string=True),
            *steps.fill(Attr.CONVERSATION_ID, *_metadata("sessionId", "session_id", "conversationId")),
            when=f'HasPrefix({NAME}, "ai.") and {_ID} != nil',
            quiet=True,
        )
    ]
