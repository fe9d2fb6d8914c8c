"""What every attribute means, where it belongs and who defines it: the part of the contract that people read."""

from dataclasses import dataclass
from typing import Final

from agentobs.contract.attributes import Attr
from agentobs.contract.enums import StrEnum


class Place(StrEnum):
    """Where an attribute belongs."""

    RESOURCE = "resource"
    EVERY = "every span and event"
    TASK = "task span"
    AGENT = "agent span"
    MODEL = "model call span"
    TOOL = "tool call span"
    MCP = "MCP span"
    FAILED = "any failed span"
    EVALUATION = "evaluation event"
    POLICY = "policy event"


class Need(StrEnum):
    """How much depends on it.

    Without a required one a KPI is missing or cannot be told apart by agent, tool or version.
    """

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"
    DERIVED = "set by the collector"


class Source(StrEnum):
    """Who defines the name. OpenTelemetry's GenAI and MCP names are all still in development."""

    STABLE = "OpenTelemetry, stable"
    DEVELOPMENT = "OpenTelemetry, development"
    OWN = "agentobs"


@dataclass(frozen=True, slots=True)
class Description:
    """One attribute: OTLP type, where it belongs, how much depends on it, who defines it, an example, its meaning."""

    type: str
    places: tuple[Place, ...]
    need: Need
    source: Source
    example: str
    meaning: str


_P, _S = Place, Source
_R, _N, _O, _D = Need.REQUIRED, Need.RECOMMENDED, Need.OPTIONAL, Need.DERIVED
_CALLS: Final = (Place.TOOL, Place.MODEL, Place.AGENT)


def _row(  # noqa: PLR0913, PLR0917 one row of a table
    kind: str, places: Place | tuple[Place, ...], need: Need, source: Source, example: str, meaning: str
) -> Description:
    return Description(kind, places if isinstance(places, tuple) else (places,), need, source, example, meaning)


DESCRIPTIONS: Final[dict[Attr, Description]] = {
    Attr.SERVICE_NAME: _row("string", _P.RESOURCE, _R, _S.STABLE, "support-desk", "the program; label `service`"),
    Attr.SERVICE_NAMESPACE: _row("string", _P.RESOURCE, _O, _S.STABLE, "agents", "the system the program belongs to"),
    Attr.SERVICE_VERSION: _row(
        "string", _P.RESOURCE, _R, _S.STABLE, "1.4.0",
        "version of the program; for an MCP server the version of its tools",
    ),
    Attr.SERVICE_INSTANCE_ID: _row("string", _P.RESOURCE, _N, _S.STABLE, "support-desk-7d9f-2", "unique per process"),
    Attr.ENVIRONMENT: _row("string", _P.RESOURCE, _R, _S.STABLE, "prod", "label `environment`"),
    Attr.POD: _row("string", _P.RESOURCE, _D, _S.STABLE, "support-desk-7d9f-2", "the pod, in a cluster"),
    Attr.NAMESPACE: _row("string", _P.RESOURCE, _D, _S.STABLE, "agents", "the Kubernetes namespace, in a cluster"),
    Attr.DEPLOYMENT: _row("string", _P.RESOURCE, _D, _S.STABLE, "support-desk", "the Deployment, in a cluster"),
    Attr.CONTAINER: _row("string", _P.RESOURCE, _O, _S.STABLE, "main", "the container, if the pod says so"),
    Attr.OPERATION: _row(
        "string", (_P.TASK, _P.AGENT, _P.MODEL, _P.TOOL), _R, _S.DEVELOPMENT, "chat",
        "what the span is: `invoke_workflow`, `invoke_agent`, `chat`, `text_completion`, `generate_content`, "
        "`execute_tool`; others are stored and not counted",
    ),
    Attr.PROVIDER: _row("string", _P.MODEL, _N, _S.DEVELOPMENT, "openai", "who serves the model; label `provider`"),
    Attr.REQUEST_MODEL: _row("string", _P.MODEL, _R, _S.DEVELOPMENT, "gpt-4.1", "the model asked for; label `model`"),
    Attr.RESPONSE_MODEL: _row("string", _P.MODEL, _O, _S.DEVELOPMENT, "gpt-4.1-2025-04-14", "the model that answered"),
    Attr.RESPONSE_ID: _row(
        "string", _P.MODEL, _O, _S.DEVELOPMENT, "resp_1",
        "id of the answer; an evaluation can refer to it; never a label",
    ),
    Attr.FINISH_REASONS: _row("string[]", _P.MODEL, _O, _S.DEVELOPMENT, "stop", "why the model stopped"),
    Attr.FIRST_CHUNK: _row("double", _P.MODEL, _O, _S.DEVELOPMENT, "0.42", "seconds to the first streamed chunk"),
    Attr.INPUT_TOKENS: _row(
        "int", _P.MODEL, _R, _S.DEVELOPMENT, "812",
        "input tokens, those of the cache included; not required of a failed call",
    ),
    Attr.OUTPUT_TOKENS: _row(
        "int", _P.MODEL, _R, _S.DEVELOPMENT, "96",
        "output tokens, reasoning included; not required of a failed call",
    ),
    Attr.CACHE_READ_TOKENS: _row(
        "int", _P.MODEL, _O, _S.DEVELOPMENT, "512",
        "the part of the input that was read from a cache",
    ),
    Attr.CACHE_WRITE_TOKENS: _row(
        "int", _P.MODEL, _O, _S.DEVELOPMENT, "300",
        "the part of the input that was written to a cache",
    ),
    Attr.REASONING_TOKENS: _row("int", _P.MODEL, _O, _S.DEVELOPMENT, "64", "the part of the output that was reasoning"),
    Attr.CONVERSATION_ID: _row(
        "string", _P.EVERY, _N, _S.DEVELOPMENT, "c-1883",
        "the conversation, session in Langfuse; never a label",
    ),
    Attr.AGENT_NAME: _row(
        "string", (_P.AGENT, _P.MODEL, _P.TOOL), _R, _S.DEVELOPMENT, "planner",
        "the agent at work; label `agent_name`",
    ),
    Attr.AGENT_VERSION: _row("string", _P.AGENT, _O, _S.DEVELOPMENT, "2.1.0", "version of the agent's program"),
    Attr.AGENT_ID: _row(
        "string", _P.AGENT, _O, _S.DEVELOPMENT, "asst_5",
        "id at a provider that hosts agents; never a label",
    ),
    Attr.WORKFLOW_NAME: _row("string", _P.TASK, _R, _S.DEVELOPMENT, "support", "the kind of job; label `workflow`"),
    Attr.PROMPT_NAME: _row(
        "string", (_P.AGENT, _P.MODEL), _N, _S.DEVELOPMENT, "planner",
        "the prompt template; label `prompt_name`",
    ),
    Attr.PROMPT_VERSION: _row(
        "string", (_P.AGENT, _P.MODEL), _R, _S.DEVELOPMENT, "12",
        "its version; label `prompt_version`; where it is absent, a hash of the system instructions stands in",
    ),
    Attr.SYSTEM_INSTRUCTIONS: _row(
        "JSON string", _P.MODEL, _O, _S.DEVELOPMENT, '[{"type":"text","content":"..."}]',
        "system prompt; content",
    ),
    Attr.INPUT_MESSAGES: _row(
        "JSON string", (_P.MODEL, _P.AGENT), _O, _S.DEVELOPMENT, '[{"role":"user","parts":[...]}]',
        "messages in; content",
    ),
    Attr.OUTPUT_MESSAGES: _row(
        "JSON string", (_P.MODEL, _P.AGENT), _O, _S.DEVELOPMENT, '[{"role":"assistant","parts":[...]}]',
        "messages out; content",
    ),
    Attr.TOOL_DEFINITIONS: _row(
        "JSON string", _P.MODEL, _O, _S.DEVELOPMENT, '[{"name":"order_lookup"}]',
        "tools on offer; content",
    ),
    Attr.TOOL_NAME: _row(
        "string", _P.TOOL, _R, _S.DEVELOPMENT, "order_lookup",
        "the tool; label `tool_name`; on MCP spans of a `tools/call` too",
    ),
    Attr.TOOL_CALL_ID: _row(
        "string", _P.TOOL, _O, _S.DEVELOPMENT, "call_9",
        "the model's id of the call; never a label",
    ),
    Attr.TOOL_TYPE: _row("string", _P.TOOL, _O, _S.DEVELOPMENT, "function", "`function`, `extension` or `datastore`"),
    Attr.TOOL_ARGUMENTS: _row(
        "JSON string", _P.TOOL, _O, _S.DEVELOPMENT, '{"order_id":"..."}',
        "what the tool was given; content",
    ),
    Attr.TOOL_RESULT: _row(
        "JSON string", _P.TOOL, _O, _S.DEVELOPMENT, '{"status":"sent"}',
        "what the tool returned; content",
    ),
    Attr.EVALUATION_NAME: _row(
        "string", _P.EVALUATION, _R, _S.DEVELOPMENT, "hallucination",
        "what was judged; label `eval_name`",
    ),
    Attr.EVALUATION_SCORE: _row("double", _P.EVALUATION, _N, _S.DEVELOPMENT, "0.75", "0 to 1"),
    Attr.EVALUATION_LABEL: _row("string", _P.EVALUATION, _R, _S.DEVELOPMENT, "pass", "`pass` or `fail`; label `label`"),
    Attr.EVALUATION_EXPLANATION: _row("string", _P.EVALUATION, _O, _S.DEVELOPMENT, "cites no order", "why; content"),
    Attr.MCP_METHOD: _row("string", _P.MCP, _R, _S.DEVELOPMENT, "tools/call", "the request; label `mcp_method`"),
    Attr.MCP_PROTOCOL: _row("string", _P.MCP, _O, _S.DEVELOPMENT, "2026-07-28", "version of the protocol"),
    Attr.JSONRPC_ID: _row("string", _P.MCP, _O, _S.DEVELOPMENT, "7", "id of the request; never a label"),
    Attr.ERROR_TYPE: _row(
        "string", _P.FAILED, _R, _S.STABLE, "TimeoutError",
        "what went wrong, few values; becomes label `error_class`",
    ),
    Attr.USER_ID: _row("string", _P.EVERY, _O, _S.DEVELOPMENT, "u-58ab", "a pseudonym, for Langfuse; never a label"),
    Attr.SESSION_ID: _row(
        "string", _P.EVERY, _O, _S.DEVELOPMENT, "s-12",
        "stands in for the conversation id; never a label",
    ),
    Attr.SPAN_ROLE: _row(
        "string", _P.TASK, _R, _S.OWN, "task",
        "`task` marks the one span that is the user's request; a root that runs a workflow or agent is one without it",
    ),
    Attr.SPAN_DUPLICATE: _row(
        "boolean", (_P.MODEL, _P.TOOL, _P.AGENT), _O, _S.OWN, "true",
        "a second instrumentation's span of one call or run: it counts nowhere",
    ),
    Attr.TASK_ID: _row("string", _P.TASK, _O, _S.OWN, "t-40", "the caller's id of the task; never a label"),
    Attr.TASK_TYPE: _row("string", _P.TASK, _N, _S.OWN, "refund", "label `task_type`"),
    Attr.TASK_OUTCOME: _row(
        "string", _P.TASK, _R, _S.OWN, "success",
        "`success`, `failure`, `timeout`, `cancelled` or `needs_human`; label `outcome`; where it "
        "is absent, read off the span's error",
    ),
    Attr.TASK_COST: _row("double", _P.TASK, _N, _S.OWN, "0.0213", "USD of the whole task, summed by the application"),
    Attr.TASK_TOKENS: _row(
        "int", _P.TASK, _N, _S.OWN, "4210",
        "input and output tokens of the whole task, summed by the application",
    ),
    Attr.TASK_RETRIES: _row("int", _P.TASK, _O, _S.OWN, "1", "retries within the task"),
    Attr.PLAN_PLANNED: _row("int", _P.TASK, _N, _S.OWN, "3", "steps of the last plan"),
    Attr.PLAN_COMPLETED: _row("int", _P.TASK, _N, _S.OWN, "2", "of these, steps done"),
    Attr.PLAN_REVISION: _row("int", _P.TASK, _O, _S.OWN, "1", "how often the plan was made anew"),
    Attr.GRAPH_VERSION: _row(
        "string", _P.TASK, _R, _S.OWN, "7",
        "version of the agent graph (who calls whom); label `graph_version`",
    ),
    Attr.PROMPT_HASH: _row(
        "string", _P.MODEL, _O, _S.OWN, "9f86d081...",
        "SHA-256 of the prompt's text, else the collector's of the system instructions; never a label",
    ),
    Attr.TOOL_VERSION: _row(
        "string", _P.TOOL, _R, _S.OWN, "3.1.0",
        "version of the tool or its MCP server; label `tool_version`",
    ),
    Attr.TOOL_SCHEMA_HASH: _row(
        "string", _P.TOOL, _O, _S.OWN, "2c26b46b...",
        "hash of the tool's schema: tells two tools apart that share a version; never a label",
    ),
    Attr.MCP_SERVER_NAME: _row("string", _P.TOOL, _O, _S.OWN, "orders", "the MCP server that has the tool"),
    Attr.MCP_TOOL_CALL: _row(
        "bool", _P.TOOL, _O, _S.OWN, "true",
        "a request of the MCP protocol that is the tool call, because no tool span surrounds it; `agentobs.context`",
    ),
    Attr.RETRY_ATTEMPT: _row(
        "int", _CALLS, _N, _S.OWN, "1",
        "0 the first time, one span per attempt; label `is_retry`",
    ),
    Attr.RETRY_REASON: _row("string", _CALLS, _O, _S.OWN, "timeout", "why it was tried again"),
    Attr.FALLBACK: _row("bool", _CALLS, _O, _S.OWN, "true", "something stands in for what failed; label `is_fallback`"),
    Attr.FALLBACK_FROM: _row("string", _CALLS, _O, _S.OWN, "kb_search", "what it stands in for"),
    Attr.COST: _row(
        "double", _P.MODEL, _O, _S.OWN, "0.0042",
        "USD of the call, where the application knows better than the price table",
    ),
    Attr.COST_UNPRICED: _row("bool", _P.MODEL, _D, _S.OWN, "true", "the call has tokens, and its model has no price"),
    Attr.COST_STATED: _row(
        "double", _P.MODEL, _D, _S.OWN, "0.0042",
        "USD of the call as its instrumentation or gateway states it",
    ),
    Attr.COST_DIFFERS: _row(
        "bool", _P.MODEL, _D, _S.OWN, "true",
        "the stated cost and the price table are more than 2 % apart",
    ),
    Attr.USAGE_DOUBTFUL: _row(
        "string", _P.MODEL, _D, _S.OWN, "cache_above_input",
        "token counts that cannot be: `cache_above_input`, `reasoning_above_output` or `unusable`",
    ),
    Attr.EVALUATION_SOURCE: _row(
        "string", _P.EVALUATION, _R, _S.OWN, "human",
        "`human`, `llm_judge` or `code`; label `eval_source`",
    ),
    Attr.EVALUATION_MODEL: _row("string", _P.EVALUATION, _O, _S.OWN, "gpt-4.1", "the model that judged"),
    Attr.EVALUATION_VERSION: _row("string", _P.EVALUATION, _O, _S.OWN, "4", "version of the evaluator"),
    Attr.EVALUATION_SAMPLED: _row("bool", _P.EVERY, _O, _S.OWN, "true", "keep this trace: somebody evaluates it"),
    Attr.POLICY_ID: _row("string", _P.POLICY, _R, _S.OWN, "no-pii", "which rule; label `policy_id`"),
    Attr.POLICY_ACTION: _row(
        "string", _P.POLICY, _R, _S.OWN, "blocked",
        "`blocked`, `redacted` or `flagged`; label `action`",
    ),
    Attr.POLICY_SEVERITY: _row("string", _P.POLICY, _O, _S.OWN, "high", "how bad"),
    Attr.POLICY_COUNT: _row(
        "int", _P.POLICY, _O, _S.OWN, "12", "how many violations one event stands for, where that is more than one"
    ),
    Attr.TRACK: _row(
        "string", (_P.EVERY, _P.RESOURCE), _N, _S.OWN, "canary",
        "`stable`, `canary` or `shadow`; label `track`",
    ),
    Attr.RELEASE: _row(
        "string", _P.EVERY, _O, _S.OWN, "3f9ac1d07b52",
        "id of the release that this task runs; never a label"
    ),
}  # fmt: skip
