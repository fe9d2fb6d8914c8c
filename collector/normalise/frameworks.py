"""Frameworks that emit GenAI names with habits of their own, recognised by their instrumentation scope.

LangGraph, CrewAI and Agno emit through OpenInference or OpenLLMetry and are handled there.
"""

from typing import Any, Final

from agentobs.contract import Attr, Label, Operation
from collector import ottl
from collector.normalise import ai_sdk, steps
from collector.normalise.steps import IS_AGENT, IS_INFERENCE, IS_ROOT, IS_TOOL, NAME, NO_OPERATION, SCOPE, cached, span

TOOL_STATUS: Final = "gen_ai.tool.status"


_STRANDS: Final = "strands.telemetry.tracer"
_AGENTS: Final = "opentelemetry.instrumentation.openai_agents"
_HAYSTACK: Final = "haystack"
_CLAUDE_CODE: Final = "com.anthropic.claude_code.tracing"
_MASTRA: Final = "@mastra/"


def _only(*statements: str, where: str) -> list[str]:
    """Statements that hold for one framework only."""
    conditioned = (s.split(" where ", maxsplit=1) for s in statements)
    return [f"{s} where {where}{f' and ({rest[0]})' if rest else ''}" for s, *rest in conditioned]


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
        *steps.fill(Attr.COST_STATED, span("operation.cost"), where=IS_INFERENCE),
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


def _strands() -> list[str]:
    multi = " or ".join(f'{steps.OPERATION} == "{name}"' for name in ("invoke_swarm", "invoke_graph"))
    return _only(
        steps.become(Operation.INVOKE_WORKFLOW, multi),
        *steps.fill(Attr.PROMPT_NAME, span("prompt.name")),
        *steps.fill(Attr.PROMPT_VERSION, span("prompt.version"), as_string=True),
        ottl.constant(
            span(Attr.ERROR_TYPE),
            "tool_error",
            f'{span(TOOL_STATUS)} == "error" and {span(Attr.ERROR_TYPE)} == nil and not {steps.IS_ERROR}',
        ),
        where=f'{SCOPE} == "{_STRANDS}"',
    )


def _openai_agents() -> list[str]:
    return _only(
        # The instrumentation opens a SERVER span per trace and calls it an agent.
        steps.become(Operation.INVOKE_WORKFLOW, f"{IS_AGENT} and span.kind == SPAN_KIND_SERVER and {IS_ROOT}"),
        _forget(Attr.AGENT_NAME, f'{span(Attr.AGENT_NAME)} == "OpenAI Agent"'),
        where=f'{SCOPE} == "{_AGENTS}"',
    )


def _mastra() -> list[str]:
    """Captured: its exporter speaks the conventions, with the version of the prompt in metadata of the program's.

    It copies metadata to all that a run does, also to sub-agents, whose prompt it is not: only the run's own tells.
    """
    metadata, tool = "mastra.metadata.", span(Attr.TOOL_NAME)
    return _only(
        *ai_sdk.providers(),
        *steps.fill(Attr.PROMPT_NAME, span(f"{metadata}promptName"), where=IS_ROOT),
        *steps.fill(Attr.PROMPT_VERSION, span(f"{metadata}promptVersion"), where=IS_ROOT, as_string=True),
        *steps.fill(Attr.CONVERSATION_ID, span(f"{metadata}sessionId"), span(f"{metadata}threadId")),
        *steps.rename("gen_ai.usage.reasoning_tokens", Attr.REASONING_TOKENS),
        # An agent that another one calls as a tool.
        steps.become(steps.HANDOFF, f'{IS_TOOL} and IsString({tool}) and HasPrefix({tool}, "agent-")'),
        where=f'HasPrefix({SCOPE}, "{_MASTRA}")',
    )


def _haystack() -> list[str]:
    """Captured: names of its own, no GenAI names at all; model and tokens only inside the content, where it is kept."""
    component, kind = span("haystack.component.name"), span("haystack.component.type")
    call, answer = f'{NAME} == "haystack.agent.step.llm"', cached("replies") + '[0]["meta"]'
    run = f'{NAME} == "haystack.component.run"'
    counts = {Attr.INPUT_TOKENS: "prompt_tokens", Attr.OUTPUT_TOKENS: "completion_tokens"}
    return _only(
        steps.become(Operation.CHAT, f"{NO_OPERATION} and {call}"),
        steps.become(
            Operation.CHAT, f'{NO_OPERATION} and ({run} and IsString({kind}) and HasSuffix({kind}, "Generator"))'
        ),
        steps.become(Operation.EXECUTE_TOOL, f'{NAME} == "haystack.agent.step.tool"'),
        steps.become(Operation.INVOKE_AGENT, f'{run} and {kind} == "Agent"'),
        # An agent outside of a pipeline has no name.
        steps.become(Operation.INVOKE_AGENT, f'{NAME} == "haystack.agent.run" and {IS_ROOT}'),
        steps.become(Operation.INVOKE_WORKFLOW, f'{NAME} == "haystack.pipeline.run" and {IS_ROOT}'),
        *steps.fill(Attr.AGENT_NAME, component, where=IS_AGENT),
        *steps.fill(Attr.TOOL_NAME, span("haystack.tool.name"), where=IS_TOOL),
        steps.merge_json(span("haystack.agent.step.llm.output")),
        steps.merge_json(span("haystack.component.output")),
        *steps.fill(Attr.REQUEST_MODEL, f'{answer}["model"]', where=IS_INFERENCE),
        *(
            f'set({span(target)}, Int({answer}["usage"]["{key}"]))'
            f' where {IS_INFERENCE} and {answer}["usage"]["{key}"] != nil'
            for target, key in counts.items()
        ),
        f'set({span(Attr.CACHE_READ_TOKENS)}, Int({answer}["usage"]["prompt_tokens_details"]["cached_tokens"]))'
        f' where {IS_INFERENCE} and {answer}["usage"]["prompt_tokens_details"]["cached_tokens"] != nil',
        where=f'{SCOPE} == "{_HAYSTACK}"',
    )


def _claude_code() -> list[str]:
    """Captured: the conventions' names, and counts and failures under names of its own."""
    tool = span(Attr.TOOL_NAME)
    fresh, read, written = (span(key) for key in ("input_tokens", "cache_read_tokens", "cache_creation_tokens"))
    return _only(
        # Its tools by which a sub-agent works, new and old name.
        steps.become(steps.HANDOFF, f'{IS_TOOL} and ({tool} == "Agent" or {tool} == "Task")'),
        # Before it had the conventions' names: input excludes the cache.
        f"set({span(Attr.INPUT_TOKENS)}, {fresh} + {read} + {written}) where {IS_INFERENCE}"
        f" and {span(Attr.INPUT_TOKENS)} == nil and IsInt({fresh}) and IsInt({read}) and IsInt({written})",
        *steps.fill(Attr.OUTPUT_TOKENS, span("output_tokens"), where=IS_INFERENCE),
        *steps.fill(Attr.CACHE_READ_TOKENS, read, where=IS_INFERENCE),
        *steps.fill(Attr.CACHE_WRITE_TOKENS, written, where=IS_INFERENCE),
        # Its own `error_class`, where there is one, says more.
        ottl.copy(
            span(Attr.ERROR_TYPE),
            span("status_code"),
            condition=f"{span(Attr.ERROR_TYPE)} == nil and {span(Label.ERROR_CLASS)} == nil and {steps.IS_ERROR}",
            as_string=True,
        ),
        where=f'{SCOPE} == "{_CLAUDE_CODE}"',
    )


def groups() -> list[dict[str, Any]]:
    """Statement groups. Every group costs every span a little, so those with few statements share one."""
    shared = (_strands(), _openai_agents(), _mastra(), _haystack(), _claude_code())
    scopes = " or ".join(f'{SCOPE} == "{name}"' for name in (_STRANDS, _AGENTS, _HAYSTACK, _CLAUDE_CODE))
    return [
        _pydantic_ai(),
        _google_adk(),
        steps.group(
            *(statement for statements in shared for statement in statements),
            when=f'{scopes} or HasPrefix({SCOPE}, "{_MASTRA}")',
            quiet=True,
        ),
    ]
