"""Spring AI, Microsoft's, Mastra, Haystack, Claude Code, LiteLLM, Gemini CLI, Dify, Temporal."""

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
    PARENT,
    PROVIDER,
    ROOT,
    SESSION,
    TOOL,
    TOOL_SPAN,
    VERSION,
    WRITE,
    Case,
)

_SPRING = {"gen_ai.system": "spring_ai", "spring.ai.kind": "tool_call", "spring.ai.tool.definition.name": "weather"}
_JVM = (
    Case(
        "spring ai 1: tool",
        "tool_call weather",
        {OP: "framework", **_SPRING},
        {OP: "execute_tool", TOOL: "weather", CLASS: "tool_error"},
        "tool",
        status="error",
        message="Connection refused",
    ),
    Case(
        "spring ai 2: tool",
        "execute_tool weather",
        {OP: "execute_tool", **_SPRING, "spring.ai.tool.call.result": "Connection refused"},
        {TOOL: "weather", CLASS: "none"},
        "tool",
    ),
    Case(
        "spring ai: a tool that says that it failed",
        "execute_tool weather",
        {OP: "execute_tool", **_SPRING, "spring.ai.tool.call.result": "Error: Connection refused"},
        {TOOL: "weather", CLASS: "tool_error"},
        "tool",
    ),
    Case(
        "spring ai: client",
        "spring_ai chat_client",
        {OP: "framework", "gen_ai.system": "spring_ai", "spring.ai.kind": "chat_client"},
        {OP: "framework"},
    ),
    Case(
        "spring ai: counts are texts",
        "chat gpt-4.1",
        {
            OP: "chat",
            "gen_ai.system": "openai",
            MODEL: "gpt-4.1",
            IN: "120",
            OUT: "30",
            "gen_ai.usage.total_tokens": "150",
        },
        {IN: 120, OUT: 30},
        "llm",
    ),
)
_MICROSOFT = (
    *(
        Case(
            f"semantic kernel: {name}",
            f"{name} gpt-4.1",
            {
                OP: name,
                "gen_ai.system": "openai",
                MODEL: "gpt-4.1",
                "gen_ai.response.prompt_tokens": 100,
                "gen_ai.response.completion_tokens": 20,
            },
            {OP: operation, PROVIDER: "openai", IN: 100, OUT: 20, "gen_ai.response.prompt_tokens": None},
            "llm",
            scope="Microsoft.SemanticKernel.Diagnostics",
            kind="client",
        )
        for name, operation in (
            ("chat.completions", "chat"),
            ("chat.streaming_completions", "chat"),
            ("text.completions", "text_completion"),
        )
    ),
    Case(
        "semantic kernel of today: a model call",
        "chat gpt-4.1-mini",
        {OP: "chat", "gen_ai.system": "openai", MODEL: "gpt-4.1-mini", IN: 1100, OUT: 41},
        {PROVIDER: "openai", IN: 1100},
        "llm",
        scope="semantic_kernel.utils.telemetry.model_diagnostics.decorators",
    ),
    Case(
        "agent framework: its MCP client is not the tool call",
        "tools/call lookup",
        {"mcp.method.name": "tools/call", **TOOL_SPAN},
        {},
        scope="agent_framework",
        kind="client",
    ),
    Case(
        "agent framework: throttled behind its own exception",
        "chat gpt-4.1",
        {OP: "chat", MODEL: "gpt-4.1", "error.type": "ChatClientException"},
        {CLASS: "rate_limited"},
        "llm",
        scope="agent_framework",
        status="error",
        message='ChatClientException("service failed to complete the prompt: Error code: 429 - slow down")',
    ),
)
_MASTRA = "mastra.metadata."
_HAYSTACK_ANSWER = (
    '{"replies": [{"role": "assistant", "meta": {"model": "gpt-4.1-2025-04-14", "usage": {"prompt_tokens": 100,'
    ' "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 30}}}}]}'
)
_CLAUDE = {OP: "chat", "gen_ai.system": "anthropic", MODEL: "claude-sonnet-4-5", "span.type": "llm_request"}
_LITELLM = {"gen_ai.system": "openai", MODEL: "gpt-4.1", IN: 10, OUT: 5}
_OTHERS = (
    Case(
        "mastra: model call",
        "chat gpt-4.1",
        {OP: "chat", PROVIDER: "openai.chat", IN: 10, f"{_MASTRA}promptVersion": 3, f"{_MASTRA}sessionId": "s"},
        # The prompt is that of the run's first agent, and this may be a sub-agent's call.
        {PROVIDER: "openai", VERSION: None, SESSION: "s"},
        "llm",
        scope="@mastra/otel-exporter",
        kind="client",
    ),
    *(
        Case(
            f"mastra: {who}'s run",
            f"invoke_agent {who}",
            {OP: "invoke_agent", AGENT: who, f"{_MASTRA}promptVersion": 3, f"{_MASTRA}promptName": "p"},
            {AGENT: who, VERSION: version, Attr.PROMPT_NAME: version and "p"},
            families,
            scope="@mastra/otel-bridge",
            parent=parent,
        )
        for who, parent, version, families in (
            ("coordinator", ROOT, "3", "agent task"),
            ("researcher", PARENT, None, "agent"),
        )
    ),
    Case("mastra: step", "agent_step x", {OP: "agent_step"}, {}, scope="@mastra/otel-exporter"),
    Case(
        "mastra: an agent asked as a tool",
        "execute_tool agent-north",
        {OP: "execute_tool", TOOL: "agent-north"},
        {OP: "agent_handoff"},
        scope="@mastra/otel-exporter",
    ),
    Case(
        "haystack: model call",
        "haystack.agent.step.llm",
        {"haystack.agent.step.llm.output": _HAYSTACK_ANSWER},
        {OP: "chat", MODEL: "gpt-4.1-2025-04-14", IN: 100, OUT: 20, CACHE: 30},
        "llm",
        scope="haystack",
    ),
    Case("haystack: model call without content", "haystack.agent.step.llm", {}, {OP: "chat"}, "llm", scope="haystack"),
    Case(
        "haystack: a generator in a pipeline",
        "haystack.component.run",
        {"haystack.component.type": "OpenAIChatGenerator", "haystack.component.output": _HAYSTACK_ANSWER},
        {OP: "chat", IN: 100},
        "llm",
        scope="haystack",
    ),
    Case(
        "haystack: another component",
        "haystack.component.run",
        {"haystack.component.type": "ChatPromptBuilder", "haystack.component.name": "prompt"},
        {OP: None},
        scope="haystack",
    ),
    Case(
        "haystack: agent",
        "haystack.component.run",
        {"haystack.component.type": "Agent", "haystack.component.name": "north"},
        {OP: "invoke_agent", AGENT: "north"},
        "agent",
        scope="haystack",
    ),
    Case("haystack: the run inside", "haystack.agent.run", {}, {OP: None}, scope="haystack"),
    Case(
        "haystack: tool",
        "haystack.agent.step.tool",
        {"haystack.tool.name": "lookup", "haystack.agent.step.tool.output": "found"},
        {**TOOL_SPAN, CLASS: "none"},
        "tool",
        scope="haystack",
    ),
    Case("haystack: task", "haystack.pipeline.run", {}, {OUTCOME: "success"}, "task", scope="haystack", parent=ROOT),
    Case(
        "claude code: model call",
        "claude_code.llm_request",
        {**_CLAUDE, IN: 1160, OUT: 42, CACHE: 512, "input_tokens": 648, "cache_read_tokens": 512},
        {IN: 1160, OUT: 42, CACHE: 512, PROVIDER: "anthropic"},
        "llm",
        scope="com.anthropic.claude_code.tracing",
    ),
    Case(
        "claude code: its own counts alone",
        "claude_code.llm_request",
        {**_CLAUDE, "input_tokens": 648, "output_tokens": 42, "cache_read_tokens": 512, "cache_creation_tokens": 3},
        {IN: 1163, OUT: 42, CACHE: 512, WRITE: 3},
        "llm",
        scope="com.anthropic.claude_code.tracing",
    ),
    Case(
        "claude code: its own error_class is none of ours",
        "claude_code.llm_request",
        {**_CLAUDE, "error_class": "server_error", "status_code": 500, "success": False},
        {CLASS: "other", "error.type": "server_error"},
        "llm",
        scope="com.anthropic.claude_code.tracing",
        status="error",
        message="The server had an error",
    ),
    Case(
        "claude code: its own error_class tells of a limit",
        "claude_code.llm_request",
        {**_CLAUDE, "error_class": "rate_limit", "status_code": 400},
        {CLASS: "rate_limited", "error.type": "rate_limit"},
        "llm",
        scope="com.anthropic.claude_code.tracing",
        status="error",
    ),
    Case(
        "claude code: overloaded",
        "claude_code.llm_request",
        {**_CLAUDE, "status_code": 529},
        {CLASS: "rate_limited"},
        "llm",
        scope="com.anthropic.claude_code.tracing",
        status="error",
    ),
    Case(
        "claude code: a sub-agent",
        "claude_code.tool",
        {OP: "execute_tool", TOOL: "Agent"},
        {OP: "agent_handoff"},
        scope="com.anthropic.claude_code.tracing",
    ),
    Case(
        "claude code: tool",
        "claude_code.tool",
        {OP: "execute_tool", TOOL: "lookup", "tool_name": "mcp__register__lookup"},
        {TOOL: "lookup"},
        "tool",
        scope="com.anthropic.claude_code.tracing",
    ),
    Case(
        "litellm: call",
        "litellm_request",
        {OP: "acompletion", **_LITELLM},
        {OP: "chat", IN: 10},
        "llm",
        scope="litellm",
    ),
    Case("litellm: embedding", "litellm_request", {OP: "aembedding", **_LITELLM}, {OP: "embeddings"}, scope="litellm"),
    Case(
        "litellm: the raw request repeats it", "raw_gen_ai_request", {"llm.openai.id": "c"}, {OP: None}, scope="litellm"
    ),
    Case(
        "litellm wrote over an agent's span",
        "invoke_agent north",
        {OP: "acompletion", AGENT: "north", **_LITELLM},
        {OP: "invoke_agent"},
        "agent",
        scope="own.loop",
    ),
    *(
        Case(f"gemini cli: {name}", name, {OP: name, AGENT: "gemini-cli", TOOL: "ls"}, {OP: operation}, family)
        for name, operation, family in (
            ("llm_call", "chat", "llm"),
            ("tool_call", "execute_tool", "tool"),
            ("agent_call", "invoke_agent", "agent"),
            ("user_prompt", "user_prompt", ""),
            ("schedule_tool_calls", "schedule_tool_calls", ""),
        )
    ),
    *(
        Case(f"dify: {kind}", "node", {"gen_ai.span.kind": kind, TOOL: "t", AGENT: "a"}, {OP: operation}, family)
        for kind, operation, family in (
            ("LLM", "chat", "llm"),
            ("TOOL", "execute_tool", "tool"),
            ("AGENT", "invoke_agent", "agent"),
            ("RETRIEVER", "retrieval", ""),
            ("CHAIN", None, ""),
        )
    ),
    Case(
        "a stated kind beside an operation",
        "invoke_agent a",
        {"gen_ai.span.kind": "LLM", OP: "invoke_agent"},
        {OP: "invoke_agent"},
        "agent",
    ),
    Case(
        "temporal: a tool in a worker",
        "execute_tool render_pdf",
        {OP: "execute_tool", TOOL: "render_pdf", "error.type": "IOError"},
        {TOOL: "render_pdf", CLASS: "other"},
        "tool",
        scope="temporal",
        kind="consumer",
        status="error",
    ),
)
FURTHER = (*_JVM, *_MICROSOFT, *_OTHERS)
