"""The outcome of a run whose own span reads OK although its last agent failed."""

from typing import Any, Final

from agentobs.context.dialects import Role
from agentobs.context.lineage import Node
from agentobs.contract import Attr, Outcome

_OUTCOME: Final[str] = Attr.TASK_OUTCOME.value
_SCOPES: Final = frozenset(
    {
        "openinference.instrumentation.openai_agents",
        "opentelemetry.instrumentation.openai_agents",
        "opentelemetry.instrumentation.genai.openai_agents",
        "gcp.vertex.agent",
        "strands.telemetry.tracer",
    }
)
"""Instrumentations that close the span of a failed run as if all were well."""


def outcome(node: Node, *, failed: bool) -> dict[str, Any]:
    """Remember how an agent at the top ended, and give the root of its instrumentation the outcome it does not state.

    An application's own root is never touched: it knows what it wanted.
    """
    above = node.nearest(Role.AGENT, Role.WORKFLOW)
    # The root may look like an agent until it ends.
    if node.role is Role.AGENT and (above is None or above.role is not Role.AGENT or above.is_root):
        root = node.root
        if root is not node:
            root.last_agent_failed = node.scope if failed else None
    silent = node.is_root and not failed and _OUTCOME not in node.attributes and node.scope in _SCOPES
    if silent and node.last_agent_failed == node.scope:
        return {_OUTCOME: Outcome.FAILURE.value}
    return {}
