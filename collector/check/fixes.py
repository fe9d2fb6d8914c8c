"""How to mend a missing attribute: with `agentobs.emit`, and with plain OpenTelemetry."""

from typing import Final

from agentobs.contract import BAGGAGE_KEYS, Attr, Place

_RESOURCE: Final = "add {attr}=... to OTEL_RESOURCE_ATTRIBUTES, or {emit} to emit.configure"
_EMIT: Final[dict[Attr, str]] = {
    Attr.OPERATION: "emit.task, emit.agent, emit.model_call and emit.tool_call set it",
    Attr.AGENT_NAME: "wrap the agent's work in emit.agent(name)",
    Attr.PROMPT_NAME: "emit.agent(name, emit.Prompt(name, version))",
    Attr.PROMPT_VERSION: "emit.agent(name, emit.Prompt(name, version))",
    Attr.GRAPH_VERSION: "emit.task(graph_version=...)",
    Attr.WORKFLOW_NAME: "emit.task(workflow=...)",
    Attr.TASK_TYPE: "emit.task(type=...)",
    Attr.TASK_OUTCOME: "emit.task sets it",
    Attr.CONVERSATION_ID: "emit.task(conversation_id=...)",
    Attr.TRACK: "emit.task(track=...)",
    Attr.TASK_COST: "task.add_usage(cost_usd=...)",
    Attr.TASK_TOKENS: "task.add_usage(tokens=...)",
    Attr.PLAN_PLANNED: "task.plan(planned=..., completed=...)",
    Attr.PLAN_COMPLETED: "task.plan(planned=..., completed=...)",
    Attr.REQUEST_MODEL: "emit.model_call(model, provider)",
    Attr.PROVIDER: "emit.model_call(model, provider)",
    Attr.INPUT_TOKENS: "call.usage(...); streamed calls must ask the provider for usage",
    Attr.OUTPUT_TOKENS: "call.usage(...); streamed calls must ask the provider for usage",
    Attr.TOOL_NAME: "emit.tool_call(name, version=...)",
    Attr.TOOL_VERSION: "emit.tool_call(name, version=...), in a framework's tool emit.annotate_tool(version=...)",
    Attr.RETRY_ATTEMPT: "attempt=... of emit.tool_call, emit.model_call, emit.agent; one span per attempt",
    Attr.ERROR_TYPE: "emit.annotate_error(error); emit's own spans have it",
    Attr.EVALUATION_NAME: "emit.evaluation(name=...)",
    Attr.EVALUATION_LABEL: "emit.evaluation(passed=...)",
    Attr.EVALUATION_SOURCE: "emit.evaluation(source=...)",
    Attr.POLICY_ID: "emit.policy_violation(policy_id=...)",
    Attr.POLICY_ACTION: "emit.policy_violation(action=...)",
}
_CONFIGURE: Final[dict[Attr, str]] = {
    Attr.SERVICE_NAME: "service=",
    Attr.SERVICE_VERSION: "version=",
    Attr.SERVICE_INSTANCE_ID: "instance_id=",
    Attr.ENVIRONMENT: "environment=",
}


def fix(attr: Attr, place: Place) -> str:
    """What to do so that `attr` arrives where it is missing."""
    if attr in _CONFIGURE:
        return _RESOURCE.format(attr=attr, emit=_CONFIGURE[attr])
    plain = (
        f"put {attr} into baggage and copy baggage to spans"
        if attr in BAGGAGE_KEYS
        else f"set {attr} on the {place.value.removeprefix('any ')}"
    )
    return f"{_EMIT[attr]}; or {plain}" if attr in _EMIT else plain
