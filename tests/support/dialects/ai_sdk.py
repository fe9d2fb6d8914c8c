"""Vercel AI SDK 4 to 6, and n8n, which uses it: `ai.*` attributes of a wrapper and of the request inside it."""

from typing import Any

from agentobs.contract import Attr
from support.dialects.case import (
    AGENT,
    CACHE,
    CLASS,
    IN,
    MODEL,
    OP,
    OUT,
    OUTCOME,
    PROVIDER,
    REASONING,
    ROOT,
    SESSION,
    TOOL,
    TOOL_SPAN,
    VERSION,
    WORKFLOW,
    WRITE,
    Case,
    exception,
)


def _ai(operation: str, **more: Any) -> dict[str, Any]:
    return {"ai.operationId": operation, "operation.name": f"{operation} triage", **more}


_FUNCTION = {"resource.name": "triage", "ai.telemetry.functionId": "triage"}
_WRAPPER = {"ai.model.id": "gpt-4.1", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 20}
_REQUEST = {
    **_WRAPPER,
    "gen_ai.system": "openai.responses",
    MODEL: "gpt-4.1",
    Attr.RESPONSE_MODEL: "gpt-4.1-2025-04-14",
    IN: 100,
    OUT: 20,
}
_STATED_BY_AI = {
    "ai.telemetry.metadata.promptVersion": 3,
    "ai.telemetry.metadata.promptName": "p",
    "ai.telemetry.metadata.sessionId": "s",
}
AI_SDK = (
    Case(
        "ai sdk: a request to the provider is the model call",
        "ai.generateText.doGenerate",
        _ai("ai.generateText.doGenerate", **_REQUEST, **_FUNCTION),
        {OP: "chat", MODEL: "gpt-4.1", PROVIDER: "openai", IN: 100, OUT: 20, AGENT: "triage", CLASS: "none"},
        "llm",
        scope="ai",
    ),
    Case(
        "ai sdk: the wrapper is the agent's run, and no model call",
        "ai.generateText",
        _ai("ai.generateText", **_WRAPPER, **_FUNCTION, **_STATED_BY_AI),
        {OP: "invoke_agent", AGENT: "triage", IN: None, VERSION: "3", Attr.PROMPT_NAME: "p", SESSION: "s"},
        "agent",
        scope="ai",
    ),
    Case(
        "ai sdk: a wrapper at the top is the task too",
        "ai.streamText",
        _ai("ai.streamText", **_WRAPPER, **_FUNCTION),
        {WORKFLOW: "triage", OUTCOME: "failure"},
        "agent task",
        scope="ai",
        parent=ROOT,
        status="error",
        message="Failed after 3 attempts. Last error: The server had an error",
    ),
    Case("ai sdk: a wrapper without a name", "ai.generateText", _ai("ai.generateText", **_WRAPPER), {OP: None}),
    *(
        Case(f"ai sdk: {name} is a model call", name, _ai(name, **_REQUEST), {OP: "chat"}, "llm", scope="my.tracer")
        for name in ("ai.streamText.doStream", "ai.generateObject.doGenerate", "ai.streamObject.doStream")
    ),
    Case("ai sdk: embedding", "ai.embed.doEmbed", _ai("ai.embed.doEmbed", **_FUNCTION), {OP: "embeddings"}, scope="ai"),
    Case("ai sdk: embedding wrapper", "ai.embedMany", _ai("ai.embedMany", **_FUNCTION), {OP: None}, scope="ai"),
    Case(
        "ai sdk: tool call",
        "ai.toolCall",
        _ai("ai.toolCall", **{"ai.toolCall.name": "lookup", "ai.toolCall.id": "c1", "ai.toolCall.args": "{}"}),
        {**TOOL_SPAN, Attr.TOOL_CALL_ID: "c1", CLASS: "none"},
        "tool",
        scope="ai",
    ),
    Case(
        "ai sdk: tool call that threw",
        "ai.toolCall",
        _ai("ai.toolCall", **{"ai.toolCall.name": "lookup"}),
        {**TOOL_SPAN, CLASS: "tool_error"},
        "tool",
        scope="ai",
        status="error",
        message="archive has no invoice 3",
        events=exception("Error", "archive has no invoice 3"),
    ),
    Case(
        "ai sdk: a result that is an error",
        "ai.toolCall",
        _ai("ai.toolCall", **{"ai.toolCall.name": "lookup", "ai.toolCall.result": '{"content":[],"isError":true}'}),
        {CLASS: "tool_error"},
        "tool",
        scope="ai",
    ),
    Case(
        "ai sdk 6: its own counts alone",
        "ai.generateText.doGenerate",
        _ai(
            "ai.generateText.doGenerate",
            **{
                "ai.model.id": "claude-sonnet-4-5",
                "ai.model.provider": "anthropic.messages",
                "ai.usage.inputTokens": "1000",
                "ai.usage.outputTokens": 50,
                "ai.usage.inputTokenDetails.cacheReadTokens": 600,
                "ai.usage.inputTokenDetails.cacheWriteTokens": 100,
                "ai.usage.outputTokenDetails.reasoningTokens": 7,
            },
        ),
        {PROVIDER: "anthropic", MODEL: "claude-sonnet-4-5", IN: 1000, OUT: 50, CACHE: 600, WRITE: 100, REASONING: 7},
        "llm",
        scope="ai",
    ),
    Case(
        "ai sdk: rate limit told by the message of a retry",
        "ai.generateText.doGenerate",
        _ai("ai.generateText.doGenerate", **_REQUEST),
        {CLASS: "rate_limited"},
        "llm",
        scope="ai",
        status="error",
        events=exception("AI_APICallError", "Rate limit reached, try again"),
        message="Rate limit reached, try again",
    ),
    *(
        Case(
            f"ai sdk: provider {own}",
            "ai.generateText.doGenerate",
            _ai("ai.generateText.doGenerate", **{"gen_ai.system": own}),
            {PROVIDER: name},
            "llm",
            scope="ai",
        )
        for own, name in (
            ("anthropic.messages", "anthropic"),
            ("google.generative-ai", "gcp.gemini"),
            ("amazon-bedrock", "aws.bedrock"),
            ("azure.chat", "azure.ai.openai"),
        )
    ),
    Case("not the ai sdk", "ai.embeddings.job", {}, {OP: None, AGENT: None}),
    Case(
        "ai sdk 7: a step is none",
        "step 1",
        {OP: "agent_step"},
        {OP: "agent_step"},
        scope="gen_ai",
    ),
    Case(
        "n8n's tool",
        "execute_tool calculator",
        {OP: "execute_tool", TOOL: "calculator", "ai.toolCall.name": "calculator"},
        {},
        "tool",
        scope="@n8n/agents",
    ),
)
