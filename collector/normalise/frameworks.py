"""Frameworks that emit GenAI names with habits of their own, recognised by their instrumentation scope.

LangGraph, CrewAI and Agno emit through OpenInference or OpenLLMetry and are handled there.
"""

from typing import Any, Final

from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import IS_AGENT, IS_INFERENCE, IS_ROOT, IS_TOOL, NAME, NO_OPERATION, SCOPE, cached, span
from collector.signals import Attr, Operation

ADK_TOOL_RESULT: Final = "gcp.vertex.agent.tool_response"
PYDANTIC_TOOL_RESULT: Final = "tool_response"
TOOL_STATUS: Final = "gen_ai.tool.status"


def _forget(key: str, where: str) -> str:
    return f'delete_key(span.attributes, "{key}") where {where}'


def _pydantic_ai() -> dict[str, Any]:
    message = span("logfire.msg")
    output = f'{IS_TOOL} and IsString({message}) and HasPrefix({message}, "running output function")'
    return steps.group(
        # A function that shapes the final output is no tool call.
        _forget(Attr.OPERATION, output),
        *steps.fill(Attr.AGENT_NAME, span("agent_name")),
        steps.merge_json(span("metadata")),
        *steps.fill(Attr.PROMPT_NAME, cached("prompt_name")),
        *steps.fill(Attr.PROMPT_VERSION, cached("prompt_version"), as_string=True),
        when=f'{SCOPE} == "pydantic-ai"',
        quiet=True,
    )


def _google_adk() -> dict[str, Any]:
    model, output, reasoning = span(Attr.REQUEST_MODEL), span(Attr.OUTPUT_TOKENS), span(Attr.REASONING_TOKENS)
    counted_twice = f'{IS_INFERENCE} and IsInt({output}) and IsInt({reasoning}) and Index({model}, "/") > 0'
    return steps.group(
        _forget(Attr.OPERATION, f'{IS_TOOL} and {span(Attr.TOOL_NAME)} == "(merged tools)"'),
        steps.become(Operation.INVOKE_WORKFLOW, f'{NO_OPERATION} and {NAME} == "invocation" and {IS_ROOT}'),
        # The old schema reports each model call on `call_llm` too.
        _forget(Attr.OPERATION, f'{IS_INFERENCE} and {NAME} == "call_llm"'),
        *steps.rename("gen_ai.usage.experimental.reasoning_tokens", Attr.REASONING_TOKENS),
        # ADK adds reasoning to candidates; behind LiteLLM (`provider/model`) the candidates contain it already.
        f"set({output}, {output} - {reasoning}) where {counted_twice} and {output} >= {reasoning}",
        when=f'{SCOPE} == "gcp.vertex.agent"',
        quiet=True,
    )


def _strands() -> dict[str, Any]:
    multi = " or ".join(f'{steps.OPERATION} == "{name}"' for name in ("invoke_swarm", "invoke_graph"))
    return steps.group(
        steps.become(Operation.INVOKE_WORKFLOW, multi),
        *steps.fill(Attr.PROMPT_NAME, span("prompt.name")),
        *steps.fill(Attr.PROMPT_VERSION, span("prompt.version"), as_string=True),
        ottl.constant(
            span(Attr.ERROR_TYPE),
            "tool_error",
            f'{span(TOOL_STATUS)} == "error" and {span(Attr.ERROR_TYPE)} == nil and not {steps.IS_ERROR}',
        ),
        when=f'{SCOPE} == "strands.telemetry.tracer"',
    )


def _openai_agents() -> dict[str, Any]:
    return steps.group(
        # The instrumentation opens a SERVER span per trace and calls it an agent.
        steps.become(Operation.INVOKE_WORKFLOW, f"{IS_AGENT} and span.kind == SPAN_KIND_SERVER and {IS_ROOT}"),
        _forget(Attr.AGENT_NAME, f'{span(Attr.AGENT_NAME)} == "OpenAI Agent"'),
        when=f'{SCOPE} == "opentelemetry.instrumentation.openai_agents"',
    )


def groups() -> list[dict[str, Any]]:
    """Statement groups, one per framework."""
    return [_pydantic_ai(), _google_adk(), _strands(), _openai_agents()]
