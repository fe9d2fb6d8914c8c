"""OpenLLMetry (Traceloop): `traceloop.span.kind`, `traceloop.entity.name`, `llm.usage.*`, association properties.

Message content in numbered keys (`gen_ai.prompt.N.content`) stays as it is: no KPI reads it.
"""

from typing import Any, Final

from agentobs.contract import Attr, Operation
from agentobs.contract.kinds import KINDS, REQUEST_TYPE, TRACELOOP_KIND
from collector import ottl
from collector.normalise import renames, steps
from collector.normalise.steps import IS_AGENT, NO_OPERATION, SCOPE, span

_NODES: Final = "gen_ai.workflow.nodes"
_ASSOCIATION: Final = "traceloop.association.properties."
_LANGCHAIN: Final = f'{SCOPE} == "opentelemetry.instrumentation.langchain"'
_BECAME_WORKFLOW: Final = f'{steps.OPERATION} == "{Operation.INVOKE_WORKFLOW}"'
_USAGE: Final = {
    "llm.usage.prompt_tokens": Attr.INPUT_TOKENS,
    "llm.usage.completion_tokens": Attr.OUTPUT_TOKENS,
    "llm.usage.cache_read_input_tokens": Attr.CACHE_READ_TOKENS,
    "llm.usage.cache_creation_input_tokens": Attr.CACHE_WRITE_TOKENS,
    "llm.usage.reasoning_tokens": Attr.REASONING_TOKENS,
}


def _is(kind: str) -> str:
    return f'{span(TRACELOOP_KIND)} == "{kind}"'


def _property(name: str) -> str:
    return span(f"{_ASSOCIATION}{name}")


def _models() -> list[str]:
    first = "gen_ai.prompt.0"
    types = [
        steps.become(operation, f'{NO_OPERATION} and {span(REQUEST_TYPE)} == "{name}"')
        for name, operation in KINDS[REQUEST_TYPE].items()
    ]
    return [
        *types,
        *steps.fill(Attr.REQUEST_MODEL, span("llm.request.model")),
        *steps.fill(Attr.RESPONSE_MODEL, span("llm.response.model")),
        *steps.fill(Attr.PROVIDER, span("llm.vendor")),
        *(statement for key, new in _USAGE.items() for statement in steps.fill(new, span(key))),
        *renames.usage(),
        steps.prompt_hash(span(f"{first}.content"), f'{span(f"{first}.role")} == "system"'),
    ]


def _workflows() -> list[str]:
    """A workflow is no agent: LangGraph runs get a graph span and a `.workflow` span, both called `invoke_agent`."""
    # The graph of a single agent has a model node (`agent` in older versions), a workflow's has agents.
    one_agent = f'IsMatch({span(_NODES)}, "[^a-zA-Z_](model|agent)[^a-zA-Z_]")'
    whole_graph = f"{_LANGCHAIN} and {IS_AGENT} and {span(_NODES)} != nil and not {one_agent}"
    is_workflow = f"({_is('workflow')} and ({NO_OPERATION} or {IS_AGENT}))"
    return [
        steps.become(Operation.INVOKE_WORKFLOW, f"{is_workflow} or ({whole_graph})"),
        *steps.fill(
            Attr.WORKFLOW_NAME,
            span("traceloop.workflow.name"),
            span("traceloop.entity.name"),
            span(Attr.AGENT_NAME),
            where=_BECAME_WORKFLOW,
        ),
        f'delete_key(span.attributes, "{Attr.AGENT_NAME}") where {_BECAME_WORKFLOW}',
    ]


def _agents_and_tools() -> list[str]:
    meta, version = _property("_meta"), "version[^0-9a-zA-Z]+(?P<version>[0-9a-zA-Z.+_-]+)"
    found = f'{meta} != nil and IsString({meta}) and IsMatch({meta}, "{version}")'
    target = span(Attr.TOOL_VERSION)
    return [
        steps.become(Operation.INVOKE_AGENT, f"{_is('agent')} and {NO_OPERATION}"),
        steps.become(Operation.EXECUTE_TOOL, f"{_is('tool')} and {NO_OPERATION}"),
        *steps.fill(Attr.AGENT_NAME, span("traceloop.entity.name"), where=_is("agent")),
        *steps.fill(Attr.AGENT_NAME, _property("lc_agent_name"), where=f"not ({_BECAME_WORKFLOW})"),
        *steps.fill(Attr.TOOL_NAME, span("traceloop.entity.name"), where=_is("tool")),
        f'set({target}, ExtractPatterns({meta}, "{version}")["version"]) where {target} == nil and {found}',
    ]


def groups() -> list[dict[str, Any]]:
    """Statement groups of this dialect."""
    return [
        steps.group(
            *_models(),
            *_workflows(),
            *_agents_and_tools(),
            *steps.fill(Attr.CONVERSATION_ID, _property("session_id")),
            *steps.fill(Attr.PROMPT_NAME, _property("prompt_name"), span("traceloop.prompt.key")),
            *steps.fill(
                Attr.PROMPT_VERSION, _property("prompt_version"), span("traceloop.prompt.version"), as_string=True
            ),
            when=(
                f'HasPrefix({SCOPE}, "opentelemetry.instrumentation.")',
                f"{ottl.attribute('span', TRACELOOP_KIND)} != nil",
            ),
            quiet=True,
        )
    ]
