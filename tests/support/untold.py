"""What no span of the recorded frameworks' runs tells, with its reason: everything else must be counted right."""

from collections.abc import Iterable, Mapping

from support.accuracy import Counted, Value, Way, expected, wrong

# What no span of a run tells, by runs (all whose name begins so).
TOKENS = ("input tokens", "output tokens", "cached tokens")
MODELS = ("model calls", *TOKENS)
TOOLS = ("tool calls", "tools failed", "tools timed out", "tools retried")
FAILURES = ("tools failed", "tools retried")
TIMEOUTS = ("tools failed", "tools timed out")
TASKS = ("tasks success", "tasks failure")
UNTOLD = {
    "ai-sdk.ai-sdk-5": ("model calls", "cached tokens", "tools retried"),  # a span per attempt: sdk/js numbers them
    "autogen.native": (*MODELS, *TASKS, "tools retried"),  # no model spans; the runtime's messages are roots
    "autogen.openinference": ("cached tokens",),
    "claude-agent-sdk": (*TASKS, *TOOLS),  # the agent is a tool `Agent`; results are not in spans
    "dspy": TOKENS,
    "haystack.native": (*TIMEOUTS, "tools retried"),  # a text without a word for it
    "haystack.openinference": ("cached tokens", *TOOLS),  # no tool spans
    "langgraph.otel-genai": FAILURES,
    "litellm.otel-callback": (*MODELS, *TASKS, "tools retried"),  # written over the program's own spans
    "mastra": ("model calls", *TIMEOUTS),  # a model span is a whole run of an agent
    "openai-agents.openinference-hidden": FAILURES,
    "openai-agents.openinference-openllmetry": (*MODELS, *TOOLS, *TASKS),  # twice, in two traces
    "openai-agents.otel-agents-v2": ("cached tokens",),
    "openai-agents.otel-genai": FAILURES,
    "openai-mcp": FAILURES,
    "openai-mcp.otel-genai-bare": (*FAILURES, *TASKS),
    "semantic-kernel": ("cached tokens",),
    "smolagents": ("cached tokens", *TASKS),  # the agent's span of a failed run never ends
    "spring-ai": (*FAILURES, *TASKS),
    # The client's spans have no parent and no word of LangChain. Where that runs, the processor asks it.
    "langgraph.openinference-anthropic": MODELS,
    "langgraph.openinference-client": MODELS,
}
# What single spans do not tell, and the spans around them do.
UNTOLD_ALONE = {
    "": ("tools retried",),
    "agno": TIMEOUTS,
    "autogen": TOOLS,  # agents as tools
    "google-adk": (*TASKS, *TOOLS),
    "openai-agents": (*TASKS, *TIMEOUTS),  # the root reads OK; the tool's span does not say what failed
    "openai-mcp": TOOLS,  # calls of the protocol only
    "openai-mcp.otel-genai-bare": FAILURES,
    "pydantic-ai.native-anthropic": MODELS,  # the client's spans beside the framework's
    "semantic-kernel": TOOLS,  # agents as plugins
    "strands": TASKS,
}
# No span says which agent works.
NAMELESS = (
    "autogen.native", "claude-agent-sdk", "dspy", "haystack", "litellm", "llama-index", "mastra.otel-bridge",
    "openai-agents.openinference-openllmetry", "openai-mcp.otel-genai-bare", "spring-ai",
)  # fmt: skip
NAMED_BY_EACH_SPAN = (
    "google-adk.native", "google-adk.native-legacy", "langgraph.openinference", "langgraph.openllmetry",
    "pydantic-ai.native", "pydantic-ai.native-v2",
)  # fmt: skip


def _untold(name: str, table: Mapping[str, Iterable[str]]) -> set[str]:
    return {what for prefix, values in table.items() if name.startswith(prefix) for what in values}


def off(counted: Counted, name: str, way: Way) -> tuple[dict[Value, tuple[float, float]], set[Value]]:
    """Values of a run that are not what happened, though its spans tell them; and all that they tell."""
    untold = _untold(name, UNTOLD) | (_untold(name, UNTOLD_ALONE) if way is Way.PLAIN else set())
    unnamed = name.startswith(NAMELESS) if way is Way.WITH_SDK else name not in NAMED_BY_EACH_SPAN
    want = expected(name)

    def is_told(value: Value) -> bool:
        return value.what not in untold and not (value.agent and unnamed)

    told = {value for value in want if is_told(value)}
    return {value: pair for value, pair in wrong(want, counted[way][name]).items() if is_told(value)}, told
