"""What a span becomes in Langfuse: kept or not, its type, its name, and whether it is the root of its trace.

One tool call is one TOOL: the spans of the MCP protocol around it are plain spans. The collector sees one span at a
time, so it cannot know what the parent of a span is, nor carry a trace's name from the root to the others.
"""

from typing import Any, Final

from agentobs.contract import EMBEDDINGS, INFERENCE, RETRIEVAL, ROLE_TASK, Attr, Operation
from agentobs.contract.kinds import OPENINFERENCE_KIND, TRACELOOP_KIND
from collector import ottl
from collector.langfuse.names import Kind, Langfuse
from collector.normalise import mcp, steps
from collector.normalise.steps import IS_TOOL, NAME, OPERATION, group, present, span

TYPE: Final = span(Langfuse.TYPE)
_UNTYPED: Final = f"{TYPE} == nil"
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
# Attributes that only spans of agents, models, tools and their frameworks have. The slice attributes are none of them:
# baggage copies these to every span, database and HTTP calls too.
_MARKS: Final = (
    Attr.OPERATION,
    Attr.MCP_METHOD,
    Attr.SPAN_ROLE,
    Attr.TOOL_NAME,
    Attr.REQUEST_MODEL,
    Langfuse.TYPE,
    OPENINFERENCE_KIND,
    TRACELOOP_KIND,
)
_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(INFERENCE, Kind.GENERATION),
    Operation.EXECUTE_TOOL: Kind.TOOL,
    Operation.INVOKE_AGENT: Kind.AGENT,
    "create_agent": Kind.AGENT,
    Operation.INVOKE_WORKFLOW: Kind.CHAIN,
    "plan": Kind.CHAIN,
    steps.HANDOFF: Kind.CHAIN,
    EMBEDDINGS: Kind.EMBEDDING,
    RETRIEVAL: Kind.RETRIEVER,
}
_LOGFIRE_NAME: Final = "logfire.msg"


def dropped() -> dict[str, Any]:
    """Configuration of `filter/langfuse`: infrastructure spans, and spans without ids.

    One span without an id makes Langfuse refuse the whole request. An unmarked INTERNAL span inside a conversation
    stays: it is a step that the application traced itself, and others hang from it.
    """
    unmarked = ottl.all_of(*(f"{span(key)} == nil" for key in _MARKS))
    outside = f"(span.kind != SPAN_KIND_INTERNAL or {span(Attr.CONVERSATION_ID)} == nil)"
    return {
        "error_mode": "ignore",
        "trace_conditions": [
            f'span.span_id.string == "{_NO_SPAN}"',
            f'span.trace_id.string == "{_NO_TRACE}"',
            f"{unmarked} and {outside}",
        ],
    }


def _typed(kind: Kind, condition: str) -> str:
    return ottl.constant(TYPE, kind, f"{_UNTYPED} and {condition}")


def _types() -> list[dict[str, Any]]:
    # A client span that is itself `execute_tool` is the only span of its call, except beside FastMCP's.
    protocol = f"{present(Attr.MCP_METHOD)} and (not {IS_TOOL} or span.kind == SPAN_KIND_SERVER or {mcp.IS_FASTMCP})"
    known = f'IsMatch({TYPE}, "^({"|".join(Kind)})$")'
    return [
        group(
            f"set({TYPE}, ToLowerCase({TYPE})) where IsString({TYPE})",
            f'delete_key(span.attributes, "{Langfuse.TYPE}") where not IsString({TYPE}) or not {known}',
            when=present(Langfuse.TYPE),
        ),
        group(
            _typed(Kind.SPAN, protocol),
            *(_typed(kind, f'{OPERATION} == "{operation}"') for operation, kind in _KINDS.items()),
            _typed(Kind.CHAIN, f'{span(Attr.SPAN_ROLE)} == "{ROLE_TASK}" or {_UNTYPED} and {present(TRACELOOP_KIND)}'),
            # Without a type Langfuse guesses, and takes whatever names a model for a model call.
            _typed(Kind.SPAN, f"{span(OPENINFERENCE_KIND)} == nil"),
            when=_UNTYPED,
        ),
    ]


def _names() -> list[dict[str, Any]]:
    """Langfuse names an observation after its tool, then after Logfire's message, and only then after its span."""
    return [
        group(
            f'delete_key(span.attributes, "{Attr.TOOL_NAME}") where {TYPE} != "{Kind.TOOL}"',
            f'delete_key(span.attributes, "{_LOGFIRE_NAME}")',
            when=(
                f'{present(Attr.TOOL_NAME)} and {TYPE} != "{Kind.TOOL}"',
                present(_LOGFIRE_NAME),
            ),
        )
    ]


def _roots() -> list[dict[str, Any]]:
    """The task span is the root of its trace: the HTTP span above it is not sent."""
    trace_name, workflow = span(Langfuse.TRACE_NAME), span(Attr.WORKFLOW_NAME)
    return [
        group(
            ottl.copy(trace_name, workflow, condition=f"{trace_name} == nil"),
            when=present(Attr.WORKFLOW_NAME),
        ),
        group(
            f"set(span.parent_span_id, SpanID(0x{_NO_SPAN}))",
            f"set({span(Langfuse.IS_APP_ROOT)}, true)",
            ottl.copy(trace_name, NAME, condition=f"{trace_name} == nil"),
            when=f'{span(Attr.SPAN_ROLE)} == "{ROLE_TASK}"',
        ),
    ]


def groups() -> list[dict[str, Any]]:
    """Statement groups of types and roots."""
    return [*_types(), *_roots()]


def naming() -> list[dict[str, Any]]:
    """Statement groups of names; they run when metadata has the tool's name."""
    return _names()
