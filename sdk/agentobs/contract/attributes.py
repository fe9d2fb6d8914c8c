"""Attribute keys on resources, spans and log records. What each means: `descriptions`.

Keys follow the OpenTelemetry GenAI and MCP semantic conventions; `agentic.*` fills what they lack.
"""

from typing import Final

from agentobs.contract.enums import StrEnum


class Attr(StrEnum):
    """Attribute keys on resources, spans and log records."""

    SERVICE_NAME = "service.name"
    SERVICE_NAMESPACE = "service.namespace"
    SERVICE_VERSION = "service.version"
    SERVICE_INSTANCE_ID = "service.instance.id"
    ENVIRONMENT = "deployment.environment.name"
    POD = "k8s.pod.name"
    NAMESPACE = "k8s.namespace.name"
    DEPLOYMENT = "k8s.deployment.name"
    CONTAINER = "k8s.container.name"

    OPERATION = "gen_ai.operation.name"
    PROVIDER = "gen_ai.provider.name"
    REQUEST_MODEL = "gen_ai.request.model"
    RESPONSE_MODEL = "gen_ai.response.model"
    RESPONSE_ID = "gen_ai.response.id"
    FINISH_REASONS = "gen_ai.response.finish_reasons"
    FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
    INPUT_TOKENS = "gen_ai.usage.input_tokens"
    OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
    CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
    CACHE_WRITE_TOKENS = "gen_ai.usage.cache_write.input_tokens"
    REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
    CONVERSATION_ID = "gen_ai.conversation.id"
    AGENT_NAME = "gen_ai.agent.name"
    AGENT_VERSION = "gen_ai.agent.version"
    AGENT_ID = "gen_ai.agent.id"
    WORKFLOW_NAME = "gen_ai.workflow.name"
    PROMPT_NAME = "gen_ai.prompt.name"
    PROMPT_VERSION = "gen_ai.prompt.version"
    SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
    INPUT_MESSAGES = "gen_ai.input.messages"
    OUTPUT_MESSAGES = "gen_ai.output.messages"
    TOOL_DEFINITIONS = "gen_ai.tool.definitions"
    TOOL_NAME = "gen_ai.tool.name"
    TOOL_CALL_ID = "gen_ai.tool.call.id"
    TOOL_TYPE = "gen_ai.tool.type"
    TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
    TOOL_RESULT = "gen_ai.tool.call.result"
    EVALUATION_NAME = "gen_ai.evaluation.name"
    EVALUATION_SCORE = "gen_ai.evaluation.score.value"
    EVALUATION_LABEL = "gen_ai.evaluation.score.label"
    EVALUATION_EXPLANATION = "gen_ai.evaluation.explanation"
    MCP_METHOD = "mcp.method.name"
    MCP_PROTOCOL = "mcp.protocol.version"
    JSONRPC_ID = "jsonrpc.request.id"
    ERROR_TYPE = "error.type"
    USER_ID = "user.id"
    SESSION_ID = "session.id"

    SPAN_ROLE = "agentic.span.role"
    SPAN_DUPLICATE = "agentic.span.duplicate"
    TASK_ID = "agentic.task.id"
    TASK_TYPE = "agentic.task.type"
    TASK_OUTCOME = "agentic.task.outcome"
    TASK_COST = "agentic.task.cost_usd"
    TASK_TOKENS = "agentic.task.tokens"
    TASK_RETRIES = "agentic.task.retries"
    PLAN_PLANNED = "agentic.plan.steps_planned"
    PLAN_COMPLETED = "agentic.plan.steps_completed"
    PLAN_REVISION = "agentic.plan.revision"
    GRAPH_VERSION = "agentic.graph.version"
    PROMPT_HASH = "agentic.prompt.hash"
    TOOL_VERSION = "agentic.tool.version"
    TOOL_SCHEMA_HASH = "agentic.tool.schema.hash"
    MCP_SERVER_NAME = "agentic.mcp.server.name"
    MCP_TOOL_CALL = "agentic.mcp.tool_call"
    RETRY_ATTEMPT = "agentic.retry.attempt"
    RETRY_REASON = "agentic.retry.reason"
    FALLBACK = "agentic.fallback"
    FALLBACK_FROM = "agentic.fallback.from"
    COST = "agentic.cost.usd"
    COST_UNPRICED = "agentic.cost.unpriced"
    COST_STATED = "agentic.cost.stated_usd"
    COST_DIFFERS = "agentic.cost.differs"
    USAGE_DOUBTFUL = "agentic.usage.doubtful"
    EVALUATION_SOURCE = "agentic.evaluation.source"
    EVALUATION_MODEL = "agentic.evaluation.model"
    EVALUATION_VERSION = "agentic.evaluation.version"
    EVALUATION_SAMPLED = "agentic.eval.sampled"
    POLICY_ID = "agentic.policy.id"
    POLICY_ACTION = "agentic.policy.action"
    POLICY_SEVERITY = "agentic.policy.severity"
    POLICY_COUNT = "agentic.policy.count"
    TRACK = "agentic.rollout.track"
    RELEASE = "agentic.release.id"


# Slice attributes that travel as baggage: OTel attributes do not flow from parent to child span,
# and the collector cannot copy them across spans. No personal data: baggage leaves the process.
BAGGAGE_KEYS: Final = (
    Attr.CONVERSATION_ID,
    Attr.AGENT_NAME,
    Attr.PROMPT_NAME,
    Attr.PROMPT_VERSION,
    Attr.GRAPH_VERSION,
    Attr.TRACK,
    Attr.RELEASE,
)
