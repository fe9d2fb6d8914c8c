"""Situations that users of agent frameworks met in public: what was sent, and what the KPIs should have counted.

Inputs are of our own making. Each is one run; `repeat` says how often it happened.
"""

from dataclasses import dataclass, field
from typing import Any

from collector.check import Kind
from support import otlp


@dataclass(frozen=True)
class Sent:
    """One span. The first of a case is the root, the others are below it or another."""

    name: str
    attributes: dict[str, Any]
    scope: str
    kind: str = "internal"
    failed: str | None = None
    exception: str = ""
    seconds: float = 0.1
    alone: bool = False
    """In a trace of its own."""
    parent: int = 0
    """Which span of the case it is below."""


@dataclass(frozen=True)
class FieldCase:
    """A run and its truth: model calls, tokens, US dollars, tools by name and class, outcomes; over all repetitions."""

    id: str
    spans: tuple[Sent, ...]
    repeat: int
    calls: int = 0
    tokens: tuple[int, int] = (0, 0)
    usd: float = 0
    unpriced: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    tools: dict[tuple[str, str], int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    doubtful: int = 0
    differs: int = 0
    told: dict[str, int] = field(default_factory=dict)
    """What the telemetry check says of it, where counting alone cannot make it right: kind and count."""


def _model(name: str, scope: str, failed: str | None = None, /, **attributes: Any) -> Sent:
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return Sent(name, {"gen_ai.operation.name": "chat", **named}, scope, "client", failed, alone=True)


def _throttled(provider: str, model: str, kind: str, message: str) -> Sent:
    stated = {"gen_ai.provider.name": provider, "gen_ai.request.model": model, "error.type": kind}
    return _model("chat m", "my.agent", message, **stated)


def _priced(model: str, scope: str, key: str) -> Sent:
    used = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 10, "gen_ai.request.model": model}
    return _model("chat x", scope, **used, **{key: 0.5})


_AI = {"ai.model.id": "gpt-4.1", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 20}
_REQUEST = {
    "gen_ai.system": "openai.responses",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.response.model": "gpt-4.1-2025-04-14",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}
_MANY = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
_CLAUDE = {"gen_ai.system": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
_PAUSED = "GraphInterrupt((Interrupt(value='approve?'),))"
_INTERRUPT = "langgraph.errors.GraphInterrupt"
_LANGCHAIN = "openinference.instrumentation.langchain"
_SPRING = "org.springframework.boot"
_SPRING_TOOL = {
    "gen_ai.system": "spring_ai",
    "spring.ai.kind": "tool_call",
    "spring.ai.tool.definition.name": "weather",
}

CASES = (
    FieldCase(
        "01 the AI SDK's own telemetry",
        (
            Sent(
                "ai.generateText",
                {"ai.operationId": "ai.generateText", "ai.telemetry.functionId": "triage", **_AI},
                "ai",
            ),
            Sent(
                "ai.generateText.doGenerate", {"ai.operationId": "ai.generateText.doGenerate", **_AI, **_REQUEST}, "ai"
            ),
            Sent("ai.toolCall", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "look_up"}, "ai"),
        ),
        5,
        calls=5,
        tokens=(500, 100),
        usd=5 * (100 * 2 + 20 * 8) / 1e6,
        classes={"none": 5},
        tools={("look_up", "none"): 5},
        outcomes={"success": 5},
    ),
    FieldCase(
        "01 and a request that is answered 429 first: a span for each attempt, which only the SDK can tell apart",
        (
            Sent("ai.generateText", {"ai.operationId": "ai.generateText", "ai.telemetry.functionId": "t", **_AI}, "ai"),
            Sent(
                "ai.generateText.doGenerate",
                {"ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "gpt-4.1"},
                "ai",
                failed="Rate limit reached, try again",
                exception="AI_APICallError",
            ),
            Sent(
                "ai.generateText.doGenerate", {"ai.operationId": "ai.generateText.doGenerate", **_AI, **_REQUEST}, "ai"
            ),
        ),
        2,
        calls=4,
        tokens=(200, 40),
        usd=2 * (100 * 2 + 20 * 8) / 1e6,
        classes={"none": 2, "rate_limited": 2},
        outcomes={"success": 2},
    ),
    FieldCase(
        "03 Anthropic counts the cache beside the input",
        (
            _model(
                "anthropic.chat",
                "opentelemetry.instrumentation.anthropic",
                **_CLAUDE,
                gen_ai__usage__input_tokens=50,
                gen_ai__usage__output_tokens=100,
                gen_ai__usage__cache_read_input_tokens=100_000,
                gen_ai__usage__cache_creation_input_tokens=2000,
            ),
        ),
        10,
        calls=10,
        tokens=(1_020_500, 1000),
        usd=0.3915,
        classes={"none": 10},
    ),
    FieldCase(
        "04 pydantic-ai's parts under details",
        (
            _model(
                "chat claude-sonnet-4-5",
                "pydantic-ai",
                **_CLAUDE,
                gen_ai__usage__input_tokens=130_208,
                gen_ai__usage__output_tokens=100,
                gen_ai__usage__details__cache_read_tokens=128_955,
                gen_ai__usage__details__cache_write_tokens=1248,
                gen_ai__usage__details__input_tokens=5,
            ),
        ),
        10,
        calls=10,
        tokens=(1_302_080, 1000),
        usd=0.448815,
        classes={"none": 10},
    ),
    FieldCase(
        "04 and the sender states another cost",
        (
            _model(
                "chat claude-sonnet-4-5",
                "pydantic-ai",
                **_CLAUDE,
                gen_ai__usage__input_tokens=1000,
                gen_ai__usage__output_tokens=100,
                operation__cost=0.02,
            ),
        ),
        2,
        calls=2,
        tokens=(2000, 200),
        usd=2 * 0.0045,
        classes={"none": 2},
        differs=2,
    ),
    FieldCase(
        "06 a graph pauses for a person",
        (
            Sent(
                "refunds",
                {"openinference.span.kind": "CHAIN", "metadata": '{"lc_agent_name": "refunds"}'},
                _LANGCHAIN,
                failed=_PAUSED,
                exception=_INTERRUPT,
            ),
            Sent(
                "ask_human",
                {"openinference.span.kind": "TOOL", "tool.name": "ask_human"},
                _LANGCHAIN,
                failed=_PAUSED,
                exception=_INTERRUPT,
            ),
        ),
        10,
        tools={("ask_human", "none"): 10},
        outcomes={"needs_human": 10},
    ),
    FieldCase(
        "09 throttled by five providers",
        (
            _throttled(
                "aws.bedrock", "a", "ThrottlingException", "An error occurred (ThrottlingException) when calling"
            ),
            _throttled("aws.bedrock", "b", "strands.types.exceptions.ModelThrottledException", "throttled"),
            _throttled("gcp.vertex_ai", "c", "google.api_core.exceptions.ResourceExhausted", "429 Resource has been"),
            _throttled("azure.ai.openai", "d", "openai.RateLimitError", "Error code: 429"),
            _throttled(
                "azure.ai.openai", "e", "System.ClientModel.ClientResultException", "HTTP 429 (insufficient capacity)"
            ),
        ),
        5,
        calls=25,
        classes={"rate_limited": 25},
    ),
    FieldCase(
        "11 two instrumentations of one call",
        (
            Sent(
                "planner",
                {"openinference.span.kind": "CHAIN", "metadata": '{"lc_agent_name": "planner"}'},
                _LANGCHAIN,
                seconds=1.6,
            ),
            Sent(
                "ChatOpenAI",
                {
                    "openinference.span.kind": "LLM",
                    "llm.model_name": "gpt-4.1-2025-04-14",
                    "llm.provider": "openai",
                    "llm.token_count.prompt": 1000,
                    "llm.token_count.completion": 100,
                },
                _LANGCHAIN,
                seconds=1.2,
            ),
            Sent(
                "chat gpt-4.1",
                {"gen_ai.operation.name": "chat", **_REQUEST, **_MANY},
                "opentelemetry.instrumentation.openai_v2",
                "client",
                seconds=1,
                parent=1,
            ),
        ),
        10,
        calls=20,
        tokens=(20_000, 2000),
        usd=20 * (1000 * 2 + 100 * 8) / 1e6,
        classes={"none": 20},
        outcomes={"success": 10},
        told={Kind.TWICE: 10},
    ),
    FieldCase(
        "13 Spring AI",
        (
            Sent(
                "spring_ai chat_client",
                {"gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai", "spring.ai.kind": "chat_client"},
                _SPRING,
            ),
            Sent(
                "chat gpt-4.1",
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4.1",
                    "gen_ai.usage.input_tokens": "120",
                    "gen_ai.usage.output_tokens": "30",
                    "gen_ai.usage.total_tokens": "150",
                },
                _SPRING,
            ),
            Sent(
                "tool_call weather",
                {"gen_ai.operation.name": "framework", **_SPRING_TOOL},
                _SPRING,
                failed="Connection refused",
            ),
            Sent("execute_tool weather", {"gen_ai.operation.name": "execute_tool", **_SPRING_TOOL}, _SPRING),
        ),
        5,
        calls=5,
        tokens=(600, 150),
        usd=5 * (120 * 2 + 30 * 8) / 1e6,
        classes={"none": 5},
        tools={("weather", "tool_error"): 5, ("weather", "none"): 5},
    ),
    FieldCase(
        "23 sub-agents lose the context",
        tuple(
            Sent(
                f"invoke_agent {name}",
                {
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": name,
                    "gen_ai.conversation.id": "c1",
                },
                "gcp.vertex.agent",
                alone=name != "supervisor",
                seconds=1.8 if name == "supervisor" else 1,
            )
            for name in ("supervisor", "one", "two", "three")
        ),
        5,
        outcomes={"success": 20},
        told={Kind.SCATTERED: 15},
    ),
    FieldCase(
        "25 tasks of hours",
        (
            Sent(
                "invoke_workflow research",
                {"gen_ai.operation.name": "invoke_workflow", "agentic.span.role": "task"},
                "my.agent",
                seconds=10_800,
            ),
            Sent(
                "invoke_agent reader",
                {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "reader"},
                "my.agent",
                seconds=7200,
            ),
            Sent(
                "execute_tool crawl",
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "crawl"},
                "my.agent",
                seconds=2000,
                parent=1,
            ),
        ),
        3,
        tools={("crawl", "none"): 3},
        outcomes={"success": 3},
        told={Kind.BEYOND: 3},  # the tool: its last bucket ends at half an hour
    ),
    FieldCase(
        "26 the sender knows the price",
        (
            _priced("vendor-a", "openlit", "gen_ai.usage.cost"),
            Sent(
                "llm",
                {
                    "openinference.span.kind": "LLM",
                    "llm.model_name": "vendor-b",
                    "llm.token_count.prompt": 10,
                    "llm.token_count.completion": 10,
                    "llm.cost.total": 0.5,
                },
                "my.agent",
                alone=True,
            ),
            _priced("vendor-c", "pydantic-ai", "operation.cost"),
            _priced("vendor-d", "litellm", "gen_ai.cost.total_cost"),
        ),
        10,
        calls=40,
        tokens=(400, 400),
        usd=20,
        classes={"none": 40},
    ),
    FieldCase(
        "28 n8n",
        (
            Sent(
                "Support.stream",
                {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Support"},
                "@n8n/agents",
            ),
            Sent("ai.streamText", {"ai.operationId": "ai.streamText", **_AI}, "ai"),
            Sent("ai.streamText.doStream", {"ai.operationId": "ai.streamText.doStream", **_REQUEST}, "ai"),
            Sent(
                "execute_tool calculator",
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "calculator"},
                "@n8n/agents",
            ),
        ),
        5,
        calls=5,
        tokens=(500, 100),
        usd=5 * (100 * 2 + 20 * 8) / 1e6,
        classes={"none": 5},
        tools={("calculator", "none"): 5},
        outcomes={"success": 5},
    ),
    FieldCase(
        "32 Semantic Kernel's old names",
        (
            Sent(
                "chat.completions gpt-4.1",
                {
                    "gen_ai.operation.name": "chat.completions",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4.1",
                    "gen_ai.response.prompt_tokens": 100,
                    "gen_ai.response.completion_tokens": 20,
                },
                "Microsoft.SemanticKernel.Diagnostics",
                "client",
            ),
        ),
        5,
        calls=5,
        tokens=(500, 100),
        usd=5 * (100 * 2 + 20 * 8) / 1e6,
        classes={"none": 5},
    ),
    FieldCase(
        "34 a tool behind a queue",
        (
            Sent(
                "invoke_agent boss", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "boss"}, "temporal"
            ),
            Sent(
                "execute_tool render_pdf",
                {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "render_pdf",
                    "error.type": "IOError",
                },
                "temporal",
                "consumer",
                failed="",
            ),
        ),
        10,
        tools={("render_pdf", "other"): 10},
        outcomes={"success": 10},
    ),
    FieldCase(
        "more cached than sent stays visible",
        (
            _model(
                "chat",
                "my.agent",
                gen_ai__request__model="gpt-4.1",
                gen_ai__usage__input_tokens=1000,
                gen_ai__usage__output_tokens=100,
                gen_ai__usage__cache_read__input_tokens=4000,
            ),
        ),
        3,
        calls=3,
        tokens=(3000, 300),
        usd=3 * (4000 * 0.5 + 100 * 8) / 1e6,
        classes={"none": 3},
        doubtful=3,
    ),
)


def requests(case: FieldCase) -> list[Any]:
    """The case as OTLP requests, one per span; its id is the environment."""
    resource = {**otlp.SERVICE, "deployment.environment.name": case.id}
    made = []
    for number in range(case.repeat):
        trace = b"trace-%010d" % number
        ids = [b"s%03d%04d" % (place, number) for place in range(len(case.spans))]
        for place, sent in enumerate(case.spans):
            top = sent.alone or place == 0
            span = otlp.span(
                sent.name,
                sent.attributes,
                kind=sent.kind,
                status="unset" if sent.failed is None else "error",
                message=sent.failed or "",
                trace_id=b"alone%03d-%07d" % (place, number) if sent.alone else trace,
                span_id=ids[place],
                parent=b"" if top else ids[sent.parent],
                seconds=sent.seconds,
                events=[("exception", {"exception.type": sent.exception})] if sent.exception else (),
            )
            made.append(otlp.traces([span], resource, sent.scope))
    return made
