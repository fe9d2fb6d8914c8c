"""Frameworks by the instrumentation scope of their spans, for sentences that people read."""

import re
from typing import Final

_NAMES: Final = {
    "@mastra/otel-bridge": "Mastra",
    "@mastra/otel-exporter": "Mastra",
    "@n8n/agents": "n8n",
    "agent_framework": "Microsoft Agent Framework",
    "ai": "Vercel AI SDK",
    "autogen-core": "AutoGen",
    "com.anthropic.claude_code.tracing": "Claude Agent SDK",
    "gcp.vertex.agent": "Google ADK",
    "gen_ai": "Vercel AI SDK",
    "haystack": "Haystack",
    "langfuse-sdk": "Langfuse SDK",
    "litellm": "LiteLLM",
    "org.springframework.boot": "Spring AI",
    "pydantic-ai": "Pydantic AI",
    "strands.telemetry.tracer": "Strands",
}
_BY_PART: Final = {
    "agno": "Agno",
    "autogen": "AutoGen",
    "crewai": "CrewAI",
    "dspy": "DSPy",
    "google_adk": "Google ADK",
    "haystack": "Haystack",
    "langchain": "LangChain or LangGraph",
    "llama_index": "LlamaIndex",
    "openai_agents": "OpenAI Agents",
    "semantickernel": "Semantic Kernel",
    "semantic_kernel": "Semantic Kernel",
    "smolagents": "smolagents",
}
_CLIENTS: Final = (
    "anthropic", "bedrock", "cohere", "google_gen", "groq", "mistralai", "ollama", "openai", "together", "vertexai",
)  # fmt: skip
_INSTRUMENTATION: Final = re.compile(
    r"(?:openinference|opentelemetry)\.instrumentation\.|.*semantic_?kernel", re.IGNORECASE
)


def may_be_python(scope: str, language: str) -> bool:
    """Whether the program is written in Python, as far as its spans say: then this project's library mends it."""
    elsewhere = scope.startswith(("@", "Microsoft.", "Experimental.", "org.")) or scope in {"ai", "gen_ai"}
    return language == "python" or (not language and not elsewhere)


def is_node(scope: str, language: str) -> bool:
    """Whether the program runs on Node, whose spans need not say so."""
    return language == "nodejs" or (not language and (scope.startswith("@") or scope in {"ai", "gen_ai"}))


def knows_agents(scope: str) -> bool:
    """Whether the scope is a framework's, whose spans say more than those of a provider's client."""
    last = scope.lower().rpartition(".")[2]
    is_client = last.startswith(_CLIENTS) and not last.startswith("openai_agents")
    return bool(framework(scope)) and not is_client and scope != "opentelemetry.util.genai.handler"


def framework(scope: str) -> str:
    """Name of the framework whose spans have this scope; empty where it is none that is known."""
    if scope in _NAMES:
        return _NAMES[scope]
    if not _INSTRUMENTATION.match(scope):
        return ""
    parts = (scope.lower().partition(".instrumentation.")[2] or scope.lower()).split(".")
    found = (name for word, name in _BY_PART.items() if any(part.startswith(word) for part in parts))
    return next(found, scope.rpartition(".")[2])
