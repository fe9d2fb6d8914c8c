"""Model calls and tool calls once their operation is known: what is none leaves, what is one gets sound values."""

from typing import Any, Final

from agentobs.contract import Attr
from collector import ottl
from collector.normalise import mcp, steps, usage
from collector.normalise.steps import HANDOFF, IS_INFERENCE, IS_TOOL, span

# Tools by which agents call each other: of the frameworks, and agents offered as tools under the name of a usual role.
# Every branch starts with a letter of its own, which lets the regular expression run in one pass.
_ROLES: Final = "coordinator|critic|executor|orchestrator|planner|researcher|reviewer|router|supervisor|writer"
HANDOFF_TOOL: Final = (
    r"^(?:transfer_(?:back_)?to_.+|hand_?off(?:_.+)?|delegate_(?:task|work)_to_.+"
    rf"|ask_(?:question_to_coworker|{_ROLES})|{_ROLES}|Delegate work to coworker|Ask question to coworker)$"
)
AGENT_SUFFIX: Final = "_agent"
# `ask_north_researcher`: a role with a name of its own.
ASKED: Final = ("ask_", rf"_(?:{_ROLES})$")
# Routes that LiteLLM and its like put before a model's name.
ROUTE: Final = (
    r"^(?P<route>openai|azure|azure_ai|anthropic|bedrock|vertex_ai|gemini|mistral|groq|cohere|deepseek|xai|openrouter"
    r"|together_ai|fireworks_ai|perplexity|ollama|ollama_chat|litellm_proxy|databricks|watsonx|huggingface)/"
)
# What frameworks write where the provider belongs.
_NO_PROVIDERS: Final = ("gcp.vertex.agent", "strands-agents", "langgraph", "langchain", "litellm")
_SPRING_TOOL: Final = "spring.ai.tool.definition.name"
_REQUIRED_COUNTS: Final = (Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS)
_FURTHER_COUNTS: Final = (Attr.CACHE_READ_TOKENS, Attr.REASONING_TOKENS, Attr.CACHE_WRITE_TOKENS)


def _is_none(key: Attr) -> str:
    """A comparison with a string or nothing is false: one check finds a missing, a negative and a wrong count."""
    return f"not ({span(key)} >= 0 and {span(key)} <= {usage.LARGEST})"


def _counts() -> dict[str, Any]:
    """Token counts are integers from 0 to a billion: digits become one, all else leaves rather than poison a sum."""
    statements = []
    for key in (*_REQUIRED_COUNTS, *_FURTHER_COUNTS):
        count = span(key)
        statements += [
            f"set({count}, Int({count})) where not IsInt({count}) and Int({count}) != nil",
            ottl.constant(span(Attr.USAGE_DOUBTFUL), usage.UNUSABLE, f"{count} != nil and {_is_none(key)}"),
            f'delete_key(span.attributes, "{key}") where {count} != nil and {_is_none(key)}',
        ]
    doubtful = [_is_none(key) for key in _REQUIRED_COUNTS]
    doubtful += [f"({span(key)} != nil and {_is_none(key)})" for key in _FURTHER_COUNTS]
    # Counts that are numbers may still be counted in another way.
    return steps.group(
        *statements,
        *usage.statements(),
        when=f"{IS_INFERENCE} and ({' or '.join(doubtful)} or {usage.is_open()})",
        quiet=True,
    )


def _models() -> dict[str, Any]:
    model, provider = span(Attr.REQUEST_MODEL), span(Attr.PROVIDER)
    route = f'ExtractPatterns({model}, "{ROUTE}")["route"]'
    unknown = " or ".join(f'{provider} == "{name}"' for name in _NO_PROVIDERS)
    routed = f'IsString({model}) and IsMatch({model}, "{ROUTE}")'
    return steps.group(
        *steps.fill(Attr.REQUEST_MODEL, span(Attr.RESPONSE_MODEL)),
        f"set({provider}, {route}) where {routed} and ({provider} == nil or {unknown})",
        f'replace_pattern({model}, "{ROUTE}", "") where {routed}',
        when=f'{IS_INFERENCE} and ({model} == nil or Index({model}, "/") > 0)',
    )


def _tools() -> dict[str, Any]:
    name = span(Attr.TOOL_NAME)
    asked, roles = ASKED
    is_handoff = (
        f'HasSuffix({name}, "{AGENT_SUFFIX}") or IsMatch({name}, "{HANDOFF_TOOL}")'
        f' or (HasPrefix({name}, "{asked}") and IsMatch({name}, "{roles}"))'
    )
    # Only spans of the MCP protocol have a reason not to be INTERNAL. A tool behind a queue runs in the CONSUMER; the
    # PRODUCER only asks for it, and a SERVER's call has been counted by its client.
    not_internal = "(span.kind == SPAN_KIND_CLIENT or span.kind == SPAN_KIND_CONSUMER)"
    outside = f"{not_internal} and {span(Attr.MCP_METHOD)} == nil and not {mcp.IS_FASTMCP}"
    return steps.group(
        *steps.fill(Attr.TOOL_NAME, span(_SPRING_TOOL)),
        steps.become(HANDOFF, f"IsString({name}) and ({is_handoff})"),
        f"set(span.kind, SPAN_KIND_INTERNAL) where span.kind == SPAN_KIND_UNSPECIFIED or ({outside})",
        # Most tool spans are as they should be.
        when=f"{IS_TOOL} and span.kind != SPAN_KIND_SERVER"
        f" and (span.kind != SPAN_KIND_INTERNAL or not IsString({name}) or {is_handoff})",
    )


def groups() -> list[dict[str, Any]]:
    """Statement groups that run after the dialects."""
    return [_models(), _counts(), _tools()]
