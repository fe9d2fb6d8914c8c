"""Emit the telemetry contract from a Python agent: configure once, then wrap tasks, agents, tool and model calls.

    telemetry = emit.configure(service="support-desk", version="1.4.0", environment="prod")
    with emit.task(workflow="support", type="refund", graph_version="7") as task:
        with emit.agent("planner", emit.Prompt("planner", "12", text=PLANNER_PROMPT)):
            with emit.model_call("some-model", "some-provider") as call:
                call.usage(input_tokens=812, output_tokens=96)
        task.plan(planned=3, completed=3)
    telemetry.shutdown()

A framework that makes spans itself needs `span=False` on `agent`, and `annotate_*` instead of the wrappers.
Not here: names (`agentobs.contract`) and what the collector makes of them (`collector.connectors`).
"""

from agentobs.emit.calls import (
    ModelCall,
    ToolCall,
    annotate_error,
    annotate_model,
    annotate_tool,
    error_type_of,
    model_call,
    tool_call,
)
from agentobs.emit.destination import Exporters
from agentobs.emit.events import evaluation, policy_violation
from agentobs.emit.scopes import Prompt, Task, agent, task
from agentobs.emit.telemetry import Lost, Telemetry, configure

__all__ = [
    "Exporters",
    "Lost",
    "ModelCall",
    "Prompt",
    "Task",
    "Telemetry",
    "ToolCall",
    "agent",
    "annotate_error",
    "annotate_model",
    "annotate_tool",
    "configure",
    "error_type_of",
    "evaluation",
    "model_call",
    "policy_violation",
    "task",
    "tool_call",
]
