"""The GenAI conventions: names, values and tasks."""

from agentobs.contract import Attr
from support.dialects.case import (
    AGENT,
    CACHE,
    CHAT,
    CLASS,
    HASH,
    IN,
    MODEL,
    OLLM,
    OP,
    OUT,
    OUTCOME,
    PROVIDER,
    REASONING,
    ROOT,
    TOOL,
    TOOL_SPAN,
    TOOL_VERSION,
    VERSION,
    WORKFLOW,
    WRITE,
    Case,
)

SEMCONV = (
    Case("today's names pass untouched", "chat gpt-4.1", CHAT, {**CHAT, CLASS: "none"}, "llm", kind="client"),
    Case(
        "names of the last two years",
        "chat gpt-4.1",
        {
            OP: "chat",
            "gen_ai.system": "az.ai.openai",
            MODEL: "gpt-4.1",
            "gen_ai.usage.prompt_tokens": 10,
            "gen_ai.usage.completion_tokens": 5,
            "gen_ai.usage.cache_creation.input_tokens": 3,
            "gen_ai.openai.request.seed": 7,
            "gen_ai.openai.response.system_fingerprint": "fp",
        },
        {
            PROVIDER: "azure.ai.openai",
            "gen_ai.system": None,
            IN: 10,
            OUT: 5,
            WRITE: 3,
            "gen_ai.usage.prompt_tokens": None,
            "gen_ai.usage.completion_tokens": None,
            "gen_ai.usage.cache_creation.input_tokens": None,
            "gen_ai.request.seed": 7,
            "openai.response.system_fingerprint": "fp",
        },
        "llm",
        kind="client",
    ),
    Case(
        "a model that only the response names", "chat", {OP: "chat", Attr.RESPONSE_MODEL: "m-2"}, {MODEL: "m-2"}, "llm"
    ),
    Case("a tool span without a kind", "execute_tool lookup", TOOL_SPAN, {}, "tool", kind=""),
    Case("a tool span sent as client", "execute_tool lookup", TOOL_SPAN, {}, "tool", kind="client"),
    Case("a tool span sent as consumer", "execute_tool lookup", TOOL_SPAN, {}, "tool", kind="consumer"),
    Case("who only asks for a tool is none", "execute_tool lookup", TOOL_SPAN, {}, kind="producer"),
    Case("a tool served to another process is none", "execute_tool lookup", TOOL_SPAN, {}, kind="server"),
    Case(
        "old name of the environment",
        "x",
        {},
        {},
        resource={"service.name": "s", "deployment.environment": "prod"},
    ),
)
_OLD_NAMES = {
    "gen_ai.openai.request.seed": "gen_ai.request.seed",
    "gen_ai.openai.request.response_format": "gen_ai.output.type",
    "gen_ai.openai.request.service_tier": "openai.request.service_tier",
    "gen_ai.openai.response.service_tier": "openai.response.service_tier",
    "gen_ai.openai.response.system_fingerprint": "openai.response.system_fingerprint",
    "gen_ai.thread.id": "gen_ai.conversation.id",
}
_OLD_PROVIDERS = {
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "xai": "x_ai",
    "anthropic": "anthropic",
}
_OLD_COUNTS = {
    "gen_ai.usage.cache_creation.input_tokens": WRITE,
    "gen_ai.usage.cache_creation_input_tokens": WRITE,
    "gen_ai.usage.cache_write_input_tokens": WRITE,
    "gen_ai.usage.cache_read_input_tokens": CACHE,
    "gen_ai.usage.reasoning_tokens": REASONING,
    "gen_ai.usage.details.reasoning_tokens": REASONING,
    "gen_ai.usage.experimental.reasoning_tokens": REASONING,
    "gen_ai.usage.details.cache_read_tokens": CACHE,
    "gen_ai.usage.details.cache_write_tokens": WRITE,
    "gen_ai.usage.details.cache_read_input_tokens": CACHE,
    "gen_ai.usage.details.cache_creation_input_tokens": WRITE,
    "gen_ai.usage.prompt_tokens_details.cached_tokens": CACHE,
    "gen_ai.usage.completion_tokens_details.reasoning_tokens": REASONING,
    "gen_ai.usage.cached_input_tokens": CACHE,
    "gen_ai.usage.input_tokens.cached": CACHE,
    "gen_ai.usage.output_tokens.reasoning": REASONING,
    "gen_ai.usage.cache_read_tokens": CACHE,
    "gen_ai.usage.cache_write_tokens": WRITE,
}
_COUNTED_OLD = {"gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": 5}
_COUNTED = {IN: 10, OUT: 5, **dict.fromkeys(_COUNTED_OLD)}
RENAMED = (
    *(
        Case(f"renamed: {old}", "chat", {OP: "chat", "gen_ai.system": "openai", old: 1}, {old: None, new: 1}, "llm")
        for old, new in (_OLD_NAMES | _OLD_COUNTS).items()
    ),
    *(
        Case(
            f"renamed {where}: {old}",
            "chat",
            {OP: "chat", PROVIDER: "openai", **_COUNTED_OLD, old: 1},
            {**_COUNTED, old: None, new: 1},
            "llm",
            scope=scope,
        )
        for where, scope in (("without a system", "test"), ("by openllmetry", f"{OLLM}.anthropic"))
        for old, new in _OLD_COUNTS.items()
    ),
    *(
        Case(f"provider {old}", "chat", {OP: "chat", "gen_ai.system": old}, {PROVIDER: new}, "llm")
        for old, new in _OLD_PROVIDERS.items()
    ),
    *(
        Case(
            f"renamed beside today's totals: {old}",
            "chat",
            {**CHAT, old: 1},
            {IN: 10, OUT: 5, old: None, new: 1},
            "llm",
        )
        for old, new in _OLD_COUNTS.items()
    ),
    Case(
        "the name of today wins over the old one",
        "chat",
        {OP: "chat", "gen_ai.system": "old", PROVIDER: "openai", "gen_ai.usage.prompt_tokens": 1, IN: 10},
        {PROVIDER: "openai", IN: 10},
        "llm",
    ),
)
VALUES = (
    *(
        Case(f"{key} as digits", "chat", {**CHAT, key: "12"}, {key: 12}, "llm")
        for key in (IN, OUT, CACHE, REASONING, WRITE)
    ),
    Case(
        "instructions as a list",
        "chat",
        {**CHAT, Attr.SYSTEM_INSTRUCTIONS: ["abc"]},
        {Attr.PROMPT_HASH: "02f393ea9358560882c1fe797bf99d600aa4643a68276d8e3d714d1c4f19aecc"},
        "llm",
    ),
    Case(
        "numeric versions become text",
        "chat",
        {**CHAT, VERSION: 7, TOOL_VERSION: 2.5, Attr.GRAPH_VERSION: 3},
        {VERSION: "7", TOOL_VERSION: "2.5", Attr.GRAPH_VERSION: "3"},
        "llm",
    ),
    Case("token counts as digits", "chat", {**CHAT, IN: "12", OUT: 5.0}, {IN: 12, OUT: 5}, "llm"),
    Case(
        "token counts that are none",
        "chat",
        {**CHAT, IN: "many", OUT: -5, CACHE: "", REASONING: [1], WRITE: -1},
        {IN: None, OUT: None, CACHE: None, REASONING: None, WRITE: None},
        "llm",
    ),
    Case(
        "hash of the instructions as version",
        "chat",
        {**CHAT, Attr.SYSTEM_INSTRUCTIONS: "abc"},
        {Attr.PROMPT_HASH: HASH, VERSION: "sha-ba7816bf8f01"},
        "llm",
    ),
    Case(
        "an explicit version wins over the hash",
        "chat",
        {**CHAT, Attr.SYSTEM_INSTRUCTIONS: "abc", VERSION: "7"},
        {Attr.PROMPT_HASH: HASH, VERSION: "7"},
        "llm",
    ),
    Case("a hash that is too short", "chat", {**CHAT, Attr.PROMPT_HASH: "abc"}, {VERSION: None}, "llm"),
    *(
        Case(f"{name} is an agent offered as tool", name, {OP: "execute_tool", TOOL: name}, {OP: "agent_handoff"})
        for name in (
            "handoff_to_agent",
            "delegate_task_to_member",
            "ask_executor",
            "ask_reviewer",
            "ask_north_researcher",
            "handoff",
            "reviewer",
            "search_agent",
        )
    ),
    *(
        Case(f"{name} is a tool", name, {OP: "execute_tool", TOOL: name}, {OP: "execute_tool"}, "tool")
        for name in (
            "ask_customer",
            "review",
            "agent_status",
            "transfer_money",
            "call_webhook",
            "ask_for_writers",
            "hand_over",
        )
    ),
)
TASKS = (
    Case(
        "an agent run as root is a task too",
        "invoke_agent planner",
        {OP: "invoke_agent", AGENT: "planner"},
        {WORKFLOW: "planner", OUTCOME: "success"},
        "agent task",
        parent=ROOT,
    ),
    Case(
        "timed out task",
        "invoke_workflow w",
        {OP: "invoke_workflow", WORKFLOW: "w", "error.type": "TimeoutError"},
        {OUTCOME: "timeout"},
        "task",
        parent=ROOT,
        status="error",
    ),
    Case(
        "cancelled task",
        "invoke_workflow w",
        {OP: "invoke_workflow", "error.type": "asyncio.CancelledError"},
        {OUTCOME: "cancelled", WORKFLOW: "w"},
        "task",
        parent=ROOT,
        status="error",
    ),
    Case(
        "an explicit outcome wins",
        "invoke_workflow w",
        {OP: "invoke_workflow", Attr.SPAN_ROLE: "task", OUTCOME: "needs_human"},
        {OUTCOME: "needs_human"},
        "task",
        parent=ROOT,
        status="error",
    ),
    Case("a nested workflow is no task", "invoke_workflow w", {OP: "invoke_workflow"}, {Attr.SPAN_ROLE: None}),
    Case("another role stays", "x", {OP: "invoke_workflow", Attr.SPAN_ROLE: "internal"}, {OUTCOME: None}, parent=ROOT),
    Case("a raw model call is no task", "chat", CHAT, {Attr.SPAN_ROLE: None}, "llm", parent=ROOT, kind="client"),
    Case("a raw tool call is no task", "execute_tool lookup", TOOL_SPAN, {Attr.SPAN_ROLE: None}, "tool", parent=ROOT),
)
