"""How senders count tokens: the parts inside the whole, or beside it."""

from agentobs.contract import Attr
from support.dialects.case import CACHE, IN, MODEL, OLLM, OP, OUT, PROVIDER, REASONING, WRITE, Case

_DOUBTFUL = Attr.USAGE_DOUBTFUL
_CLAUDE = {OP: "chat", PROVIDER: "anthropic", MODEL: "claude-sonnet-4-5"}
_GPT = {OP: "chat", PROVIDER: "openai", MODEL: "gpt-4.1"}
_GEMINI = {OP: "generate_content", PROVIDER: "gcp.gemini", MODEL: "gemini-2.5-pro"}

# name, what is sent, what is counted: input, output, cached, written, reasoning
_ROWS = (
    ("inside, as the conventions say", {**_GPT, IN: 1000, OUT: 50, CACHE: 800, REASONING: 20}, (1000, 50), None),
    ("Anthropic counts the cache beside input", {**_CLAUDE, IN: 50, OUT: 9, CACHE: 1000, WRITE: 200}, (1250, 9), None),
    ("Anthropic only writes its cache", {**_CLAUDE, IN: 50, OUT: 9, WRITE: 200}, (250, 9), None),
    ("Anthropic's count made inclusive by its sender", {**_CLAUDE, IN: 1250, OUT: 9, CACHE: 1000}, (1250, 9), None),
    (
        "Anthropic's small cache, told by the total",
        {**_CLAUDE, IN: 500, OUT: 9, CACHE: 100, "gen_ai.usage.total_tokens": 609},
        (600, 9),
        None,
    ),
    (
        "an inclusive total leaves the input alone",
        {**_CLAUDE, IN: 500, OUT: 9, CACHE: 100, "gen_ai.usage.total_tokens": 509},
        (500, 9),
        None,
    ),
    ("Bedrock", {**_CLAUDE, PROVIDER: "aws.bedrock", MODEL: "nova", IN: 5, OUT: 9, CACHE: 70}, (75, 9), None),
    ("Claude on Vertex", {**_CLAUDE, PROVIDER: "gcp.vertex_ai", IN: 5, OUT: 9, CACHE: 70}, (75, 9), None),
    ("Strands", {OP: "chat", PROVIDER: "strands-agents", IN: 5, OUT: 9, CACHE: 70}, (75, 9), None),
    ("Gemini's thoughts beside the answer", {**_GEMINI, IN: 10, OUT: 5, REASONING: 90}, (10, 95), None),
    (
        "Gemini's few thoughts, told by the total",
        {**_GEMINI, IN: 10, OUT: 50, REASONING: 9, "gen_ai.usage.total_tokens": 69},
        (10, 59),
        None,
    ),
    (
        "both beside, told by the total",
        {OP: "chat", MODEL: "m", IN: 10, OUT: 50, CACHE: 7, REASONING: 9, "gen_ai.usage.total_tokens": 76},
        (17, 59),
        None,
    ),
    ("xAI", {OP: "chat", PROVIDER: "x_ai", MODEL: "grok-4", IN: 10, OUT: 5, REASONING: 90}, (10, 95), None),
    ("more cached than sent", {**_GPT, IN: 50, OUT: 9, CACHE: 1000}, (50, 9), "cache_above_input"),
    ("more reasoning than output", {**_GPT, IN: 50, OUT: 9, REASONING: 10}, (50, 9), "reasoning_above_output"),
    ("no model, no provider", {OP: "chat", IN: 50, OUT: 9, CACHE: 1000}, (50, 9), "cache_above_input"),
    ("counts that are none", {**_GPT, IN: "many", OUT: 5}, (None, 5), "unusable"),
    ("a count that nobody can mean", {**_GPT, IN: 10**18, OUT: 5}, (None, 5), "unusable"),
    ("a negative count", {**_GPT, IN: 4, OUT: -5}, (4, None), "unusable"),
    ("no counts at all", _GPT, (None, None), None),
)
USAGE = (
    *(
        Case(f"usage: {name}", "chat", sent, {IN: counted[0], OUT: counted[1], _DOUBTFUL: doubtful}, "llm")
        for name, sent, counted, doubtful in _ROWS
    ),
    Case(
        "Anthropic's counts by OpenLLMetry",
        "anthropic.chat",
        {
            OP: "chat",
            "gen_ai.system": "anthropic",
            MODEL: "claude-sonnet-4-5",
            IN: 50,
            OUT: 100,
            "gen_ai.usage.cache_read_input_tokens": 100_000,
            "gen_ai.usage.cache_creation_input_tokens": 2000,
        },
        {IN: 102_050, CACHE: 100_000, WRITE: 2000, _DOUBTFUL: None},
        "llm",
        scope=f"{OLLM}.anthropic",
        kind="client",
    ),
    Case(
        "pydantic-ai's parts under details",
        "chat claude-sonnet-4-5",
        {
            **_CLAUDE,
            "gen_ai.system": "anthropic",
            IN: 130_208,
            OUT: 100,
            "gen_ai.usage.details.cache_read_tokens": 128_955,
            "gen_ai.usage.details.cache_write_tokens": 1248,
            "gen_ai.usage.details.input_tokens": 5,
        },
        {IN: 130_208, CACHE: 128_955, WRITE: 1248, _DOUBTFUL: None},
        "llm",
        scope="pydantic-ai",
        kind="client",
    ),
    Case(
        "pydantic-ai's reasoning under details beside today's cache",
        "chat gpt-4.1",
        {**_GPT, "gen_ai.system": "openai", IN: 50, OUT: 9, CACHE: 7, "gen_ai.usage.details.reasoning_tokens": 3},
        {IN: 50, OUT: 9, CACHE: 7, REASONING: 3},
        "llm",
        scope="pydantic-ai",
        kind="client",
    ),
    Case(
        "an agent's sums are left alone",
        "invoke_agent planner",
        {OP: "invoke_agent", PROVIDER: "anthropic", IN: 50, OUT: 9, CACHE: 1000},
        {IN: 50, _DOUBTFUL: None},
        "agent",
    ),
)
