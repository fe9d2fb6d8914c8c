"""What a span learns from those inside it: that its tool is an agent, and why its call failed.

Many frameworks report a failed tool as a result like any other, or say no more than "error", while the protocol's span
inside knows; and none says that a tool is another agent, while that agent's span lies inside.
"""

import re
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from agentobs.context.dialects import Role, tool_name
from agentobs.context.lineage import Node
from agentobs.contract import AGENT_HANDOFF, Attr
from agentobs.contract.failures import TIMED_OUT_WORDS, VAGUE_TYPE

_OPERATION: Final[str] = Attr.OPERATION.value
_ERROR_TYPE: Final[str] = Attr.ERROR_TYPE.value
_VAGUE: Final = re.compile(VAGUE_TYPE)
_TIMEOUT: Final = "timeout"
_TOOL_ERROR: Final = "tool_error"


def tell(node: Node, span: ReadableSpan, outer: Node | None) -> None:
    """Tell the tool around an ended span what that says about it; `outer` is the closest span that stands for work."""
    role = node.role
    if role is Role.AGENT:
        _is_run_by(node)
    elif role is Role.MCP or role is Role.TOOL:
        # Some have tools inside the model's span.
        if outer is not None and outer.role is Role.MODEL:
            outer = outer.nearest(Role.TOOL, Role.AGENT, Role.WORKFLOW, Role.HANDOFF)
        if outer is not None and outer.role is Role.TOOL and (role is Role.MCP or _name(outer) == _name(node)):
            outer.learnt = _failure(span, node) or outer.learnt


def learnt(node: Node) -> dict[str, Any]:
    """Return what an ended tool span was told."""
    if node.is_agent:
        return {_OPERATION: AGENT_HANDOFF}
    if node.learnt and _VAGUE.match(str(node.attributes.get(_ERROR_TYPE, "_OTHER"))):
        return {_ERROR_TYPE: node.learnt}
    return {}


def _is_run_by(agent: Node) -> None:
    """Note on what is between an agent and the one that lets it work that it is no call of a tool.

    On all of it, for some spans say only at their end that they are a tool's.
    """
    above = agent.parent
    while above is not None and above.role is not Role.AGENT and not above.is_agent:
        above.is_agent = True
        above = above.parent


def _name(tool: Node) -> str:
    return tool_name(tool.name, tool.attributes)


def _failure(span: ReadableSpan, node: Node) -> str:
    """Why a call failed; empty where it did not."""
    stated = str(node.attributes.get(_ERROR_TYPE, ""))
    if span.status.status_code is not StatusCode.ERROR and not stated:
        return ""
    words = [stated, span.status.description or ""]
    for event in span.events:
        words += [str(value) for key, value in (event.attributes or {}).items() if key != "exception.stacktrace"]
    text = " ".join(words).lower()
    return _TIMEOUT if any(word in text for word in TIMED_OUT_WORDS) else _TOOL_ERROR
