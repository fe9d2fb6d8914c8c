"""Which KPI families count a normalised span, by the contract's conditions."""

from typing import Any

from agentobs.contract import INFERENCE, ROLE_TASK, Attr, Operation


def families(span: dict[str, Any]) -> set[str]:
    """The families of a span as `otlp.spans_of` reads it."""
    attributes, operation = span["attributes"], span["attributes"].get(Attr.OPERATION)
    counted = {
        "task": attributes.get(Attr.SPAN_ROLE) == ROLE_TASK,
        "agent": operation == Operation.INVOKE_AGENT,
        "llm": operation in set(INFERENCE),
        "tool": operation == Operation.EXECUTE_TOOL and span["kind"] == "internal",
        "mcp_server": Attr.MCP_METHOD in attributes and span["kind"] == "server",
    }
    return {family for family, is_member in counted.items() if is_member}
