"""OpenInference: `openinference.span.kind` says what a span is, `llm.*`, `tool.*` and `agent.*` hold the facts.

Its LangChain instrumentation names no agent: a node and the agent in it are two CHAIN spans of the same name, and only
the agent's own span carries that name as `lc_agent_name` in the JSON attribute `metadata`.
"""

from typing import Any, Final

from agentobs.contract import Attr, Operation
from agentobs.contract.kinds import KINDS, OPENINFERENCE_KIND
from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import HANDOFF, IS_ROOT, NAME, NO_OPERATION, SCOPE, cached, span

_METADATA: Final = "metadata"
_PREFIX: Final = "openinference.instrumentation."
_LANGCHAIN: Final = f'{SCOPE} == "{_PREFIX}langchain"'
_OPENAI_AGENTS: Final = f'{SCOPE} == "{_PREFIX}openai_agents"'
_AGNO: Final = f'{SCOPE} == "{_PREFIX}agno"'
_USAGE: Final = {
    "llm.token_count.prompt": Attr.INPUT_TOKENS,
    "llm.token_count.completion": Attr.OUTPUT_TOKENS,
    "llm.token_count.prompt_details.cache_read": Attr.CACHE_READ_TOKENS,
    "llm.token_count.prompt_details.cache_write": Attr.CACHE_WRITE_TOKENS,
    "llm.token_count.completion_details.reasoning": Attr.REASONING_TOKENS,
}


def _is(kind: str) -> str:
    return f'{span(OPENINFERENCE_KIND)} == "{kind}"'


# Spans of instrumentations that are none of what they call themselves, or that a framework's own span counts already.
# LlamaIndex prepares a request in a span that looks like one; AutoGen sends its own, truer spans of agents and tools
# (0.6.2 and newer); an answer, or the end of a loop, is a tool in name only. All captured.
_NOT_COUNTED: Final = (
    ("llama_index", f'HasSuffix({NAME}, "._prepare_chat_with_tools")'),
    ("autogen_agentchat", f"({_is('AGENT')} or {_is('TOOL')})"),
    ("smolagents", f'{span("tool.name")} == "final_answer"'),
    ("dspy", f'{NAME} == "finish.__call__"'),
)
UNCOUNTED: Final = "step"
_MORE_TO_SAY: Final = ("TOOL", "AGENT")  # the kind alone does not decide


def _models() -> list[str]:
    first = "llm.input_messages.0.message"
    return [
        *(
            steps.become(operation, f"{_is(kind)} and {NO_OPERATION}")
            for kind, operation in KINDS[OPENINFERENCE_KIND].items()
            if kind not in _MORE_TO_SAY
        ),
        # `llm.model_name` is the model that answered, if any did; a failed call names its model only in the request.
        steps.merge_json(span("llm.invocation_parameters")),
        *steps.fill(
            Attr.REQUEST_MODEL,
            span("llm.request.model_name"),
            cached("model"),
            cached("ls_model_name"),
            span("llm.model_name"),
            where=_is("LLM"),
        ),
        *steps.fill(Attr.RESPONSE_MODEL, span("llm.response.model_name"), where=_is("LLM")),
        *steps.fill(Attr.PROVIDER, span("llm.provider"), span("llm.system"), where=_is("LLM")),
        *steps.fill(Attr.COST_STATED, span("llm.cost.total"), where=_is("LLM")),
        *(statement for key, new in _USAGE.items() for statement in steps.fill(new, span(key), where=_is("LLM"))),
        steps.prompt_hash(span(f"{first}.content"), f'{span(f"{first}.role")} == "system"'),
    ]


def _tools() -> list[str]:
    unnamed = f"{span('tool.name')} == nil"
    # The LangChain instrumentation takes every run with "agent" in its name for an agent, tools too.
    is_tool = f"({_is('TOOL')} or ({_is('AGENT')} and {_LANGCHAIN} and {span('tool.name')} != nil))"
    return [
        steps.become(HANDOFF, f'{_is("TOOL")} and {unnamed} and {NO_OPERATION} and HasPrefix({NAME}, "handoff")'),
        steps.become(Operation.EXECUTE_TOOL, f"{is_tool} and {NO_OPERATION}"),
        *steps.fill(Attr.TOOL_NAME, span("tool.name"), where=steps.IS_TOOL),
        # DSPy: `lookup.__call__`.
        *steps.fill(Attr.TOOL_NAME, f'TrimSuffix({NAME}, ".__call__")', where=steps.IS_TOOL),
        *steps.fill(Attr.TOOL_VERSION, cached("_meta") + '["version"]', where=steps.IS_TOOL, as_string=True),
    ]


def _agents() -> list[str]:
    lc_agent = cached("lc_agent_name")
    is_agent = f"{_is('AGENT')} and {NO_OPERATION}"
    # A node id names the agent in CrewAI; Agno's are random.
    node = f"{is_agent} and not {_AGNO} and not {_LANGCHAIN}"
    old_langchain = f"{is_agent} and {_LANGCHAIN} and {lc_agent} == nil and {cached('langgraph_node')} == nil"
    own_span = f"{_LANGCHAIN} and {NO_OPERATION} and {lc_agent} == {NAME} and {lc_agent} != nil"
    return [
        *steps.fill(Attr.AGENT_NAME, span("agent.name"), lc_agent),
        *steps.fill(Attr.AGENT_NAME, span("graph.node.id"), where=node),
        # The root that openai-agents opens per trace is an AGENT without a name: the workflow, not an agent.
        *steps.fill(Attr.AGENT_NAME, NAME, where=f"{node} and not {_OPENAI_AGENTS}"),
        *steps.fill(Attr.AGENT_NAME, NAME, where=old_langchain),
        steps.become(Operation.INVOKE_AGENT, f"{old_langchain} or ({own_span})"),
        steps.become(Operation.INVOKE_AGENT, f"{is_agent} and not {_LANGCHAIN} and {steps.present(Attr.AGENT_NAME)}"),
        steps.become(Operation.INVOKE_WORKFLOW, f"({_is('CHAIN')} or {_is('AGENT')}) and {NO_OPERATION} and {IS_ROOT}"),
    ]


def groups() -> list[dict[str, Any]]:
    """Statement groups of this dialect."""
    return [
        steps.group(
            *(
                steps.become(UNCOUNTED, f'{NO_OPERATION} and {where} and {SCOPE} == "{_PREFIX}{name}"')
                for name, where in _NOT_COUNTED
            ),
            steps.merge_json(span(_METADATA)),
            *_models(),
            *_tools(),
            *_agents(),
            *steps.fill(Attr.CONVERSATION_ID, span("session.id")),
            *steps.fill(Attr.PROMPT_NAME, cached("prompt_name")),
            # Not `llm.prompt_template.version`: it is the context's, and often another agent's.
            *steps.fill(Attr.PROMPT_VERSION, cached("prompt_version"), as_string=True),
            when=f"{ottl.attribute('span', OPENINFERENCE_KIND)} != nil",
            quiet=True,
        )
    ]
