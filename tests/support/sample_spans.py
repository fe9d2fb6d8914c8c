"""Spans as a telemetry check reads them: one complete trace, and what it is made of."""

from agentobs.contract import Attr
from collector.check import Span

NOW = 1_000_000.0
RESOURCE = {
    Attr.SERVICE_NAME: "desk",
    Attr.SERVICE_VERSION: "1",
    Attr.SERVICE_INSTANCE_ID: "desk-0",
    Attr.ENVIRONMENT: "test",
}
SLICES = {
    Attr.CONVERSATION_ID: "c",
    Attr.TRACK: "stable",
    Attr.AGENT_NAME: "planner",
    Attr.PROMPT_NAME: "planner",
    Attr.PROMPT_VERSION: "12",
}
TASK = {
    Attr.OPERATION: "invoke_workflow", Attr.SPAN_ROLE: "task", Attr.WORKFLOW_NAME: "w", Attr.TASK_OUTCOME: "success",
    Attr.TASK_TYPE: "refund", Attr.TASK_COST: 0.1, Attr.TASK_TOKENS: 9, Attr.PLAN_PLANNED: 1, Attr.PLAN_COMPLETED: 1,
    Attr.GRAPH_VERSION: "7", Attr.CONVERSATION_ID: "c", Attr.TRACK: "stable",
}  # fmt: skip
AGENT = {**SLICES, Attr.OPERATION: "invoke_agent", Attr.RETRY_ATTEMPT: 0}
CHAT = {
    **SLICES, Attr.OPERATION: "chat", Attr.PROVIDER: "p", Attr.REQUEST_MODEL: "m", Attr.INPUT_TOKENS: 1,
    Attr.OUTPUT_TOKENS: 1, Attr.RETRY_ATTEMPT: 0,
}  # fmt: skip
TOOL = {
    **SLICES, Attr.OPERATION: "execute_tool", Attr.TOOL_NAME: "t", Attr.TOOL_VERSION: "1", Attr.RETRY_ATTEMPT: 0,
}  # fmt: skip
SERVED = {Attr.MCP_METHOD: "tools/call", Attr.OPERATION: "execute_tool", Attr.TOOL_NAME: "t"}


def span(attributes, span_id="1", parent="", kind="internal", *, failed=False, end=NOW - 60, resource=RESOURCE) -> Span:
    return Span(
        trace_id="abc", span_id=span_id, parent_id=parent, kind=kind, failed=failed, end=end,
        attributes=attributes, resource=resource,
    )  # fmt: skip


GOOD = [span(TASK), span(AGENT, "2", "1"), span(CHAT, "3", "2", "client"), span(TOOL, "4", "2"),
        span(SERVED, "5", "4", "server")]  # fmt: skip
