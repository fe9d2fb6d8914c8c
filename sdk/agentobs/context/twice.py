"""Two instrumentations of one call or run: the inner span is marked, so that runs, calls and tokens count once."""

from typing import Any, Final

from agentobs.context.dialects import LANGCHAIN, Role, tool_name
from agentobs.context.lineage import Node
from agentobs.contract import NESTED_AGENT, NESTED_CHAT, NESTED_TOOL, Attr
from agentobs.contract.kinds import OPENINFERENCE_KIND

_OPERATION: Final[str] = Attr.OPERATION.value
_DUPLICATE: Final[str] = Attr.SPAN_DUPLICATE.value
_AUTOGEN: Final = "openinference.instrumentation.autogen_agentchat"
"""The collector passes over its spans of tools: AutoGen makes better ones itself."""
_LENT: Final[tuple[str, ...]] = (
    Attr.INPUT_TOKENS.value,
    Attr.OUTPUT_TOKENS.value,
    Attr.CACHE_READ_TOKENS.value,
    Attr.CACHE_WRITE_TOKENS.value,
    Attr.REASONING_TOKENS.value,
    Attr.REQUEST_MODEL.value,
    Attr.RESPONSE_MODEL.value,
)
_TOKENS: Final = (
    Attr.INPUT_TOKENS.value,
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
)


def model(node: Node, outer: Node | None) -> dict[str, Any]:
    """Return what an ended model span gets: a mark inside another one's, or the tokens that the inner one has lent.

    `outer` is the closest span around that stands for some work.
    """
    if outer is not None and outer.role is Role.MODEL and outer.scope != node.scope:
        outer.lent = {key: node.attributes[key] for key in _LENT if key in node.attributes} or node.lent
        return {_OPERATION: NESTED_CHAT, _DUPLICATE: True}
    if node.lent and not any(key in node.attributes for key in _TOKENS):
        return {key: value for key, value in node.lent.items() if key not in node.attributes}
    return {}


def tool(node: Node, outer: Node | None) -> dict[str, Any]:
    """Return the mark of an ended tool span inside another instrumentation's span of the same tool."""
    if (
        outer is None
        or outer.role is not Role.TOOL
        or outer.scope in {node.scope, _AUTOGEN}
        or tool_name(outer.name, outer.attributes) != tool_name(node.name, node.attributes)
    ):
        return {}
    return {_OPERATION: NESTED_TOOL, _DUPLICATE: True}


def agent(node: Node) -> dict[str, Any]:
    """Return the mark of an ended agent's span inside another one of the same agent: a program's around a framework's.

    What the outer one says of attempts and failures is the program's own word.
    """
    outer = node.nearest(Role.AGENT, Role.TOOL, Role.HANDOFF, Role.MODEL)
    if outer is None or outer.role is not Role.AGENT or outer.scope == node.scope:
        return {}
    if node.agent is None or node.agent != outer.agent:
        return {}
    return {_OPERATION: NESTED_AGENT, _DUPLICATE: True}


def waits_for(node: Node) -> Node | None:
    """The span around a model call that may turn out to be the same call: one that says what it is only at its end."""
    outer = node.parent
    if outer is None or outer.ended or outer.scope != LANGCHAIN or node.scope == LANGCHAIN:
        return None
    return outer if OPENINFERENCE_KIND not in outer.attributes else None
