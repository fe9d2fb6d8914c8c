"""Names of every attribute, label and KPI metric: the telemetry contract, in one place.

Not here: how a metric is derived (`connectors.py`) and what a KPI promises (`alerts.catalogue`).
Attributes follow the OpenTelemetry GenAI and MCP semantic conventions; `agentic.*` fills what they lack.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Attr(StrEnum):
    """Attribute keys on resources, spans and log records."""

    SERVICE_NAME = "service.name"
    SERVICE_NAMESPACE = "service.namespace"
    SERVICE_VERSION = "service.version"
    SERVICE_INSTANCE_ID = "service.instance.id"
    ENVIRONMENT = "deployment.environment.name"

    OPERATION = "gen_ai.operation.name"
    PROVIDER = "gen_ai.provider.name"
    REQUEST_MODEL = "gen_ai.request.model"
    RESPONSE_MODEL = "gen_ai.response.model"
    INPUT_TOKENS = "gen_ai.usage.input_tokens"
    OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
    CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
    REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
    CONVERSATION_ID = "gen_ai.conversation.id"
    AGENT_NAME = "gen_ai.agent.name"
    WORKFLOW_NAME = "gen_ai.workflow.name"
    PROMPT_NAME = "gen_ai.prompt.name"
    PROMPT_VERSION = "gen_ai.prompt.version"
    SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
    TOOL_NAME = "gen_ai.tool.name"
    EVALUATION_NAME = "gen_ai.evaluation.name"
    EVALUATION_SCORE = "gen_ai.evaluation.score.value"
    EVALUATION_LABEL = "gen_ai.evaluation.score.label"
    EVALUATION_EXPLANATION = "gen_ai.evaluation.explanation"
    MCP_METHOD = "mcp.method.name"
    ERROR_TYPE = "error.type"

    SPAN_ROLE = "agentic.span.role"
    TASK_ID = "agentic.task.id"
    TASK_TYPE = "agentic.task.type"
    TASK_OUTCOME = "agentic.task.outcome"
    TASK_COST = "agentic.task.cost_usd"
    TASK_TOKENS = "agentic.task.tokens"
    TASK_RETRIES = "agentic.task.retries"
    PLAN_PLANNED = "agentic.plan.steps_planned"
    PLAN_COMPLETED = "agentic.plan.steps_completed"
    GRAPH_VERSION = "agentic.graph.version"
    PROMPT_HASH = "agentic.prompt.hash"
    TOOL_VERSION = "agentic.tool.version"
    RETRY_ATTEMPT = "agentic.retry.attempt"
    RETRY_REASON = "agentic.retry.reason"
    FALLBACK = "agentic.fallback"
    FALLBACK_FROM = "agentic.fallback.from"
    COST = "agentic.cost.usd"
    EVALUATION_SOURCE = "agentic.evaluation.source"
    POLICY_ID = "agentic.policy.id"
    POLICY_ACTION = "agentic.policy.action"
    POLICY_SEVERITY = "agentic.policy.severity"
    TRACK = "agentic.rollout.track"


class Operation(StrEnum):
    """Values of `gen_ai.operation.name` that the KPIs read."""

    CHAT = "chat"
    TEXT_COMPLETION = "text_completion"
    GENERATE_CONTENT = "generate_content"
    INVOKE_AGENT = "invoke_agent"
    INVOKE_WORKFLOW = "invoke_workflow"
    EXECUTE_TOOL = "execute_tool"


INFERENCE: Final = (Operation.CHAT, Operation.TEXT_COMPLETION, Operation.GENERATE_CONTENT)


class Outcome(StrEnum):
    """Values of `agentic.task.outcome`. An explicit outcome, because a handled child error is not a failed task."""

    SUCCESS = "success"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    NEEDS_HUMAN = "needs_human"


class EvaluationSource(StrEnum):
    """Who judged: a person, a model, or a program."""

    HUMAN = "human"
    LLM_JUDGE = "llm_judge"
    CODE = "code"


class PolicyAction(StrEnum):
    """What was done about a policy violation."""

    BLOCKED = "blocked"
    REDACTED = "redacted"
    FLAGGED = "flagged"


class Track(StrEnum):
    """Values of `agentic.rollout.track`."""

    STABLE = "stable"
    CANARY = "canary"
    SHADOW = "shadow"


class ErrorClass(StrEnum):
    """Normalised `error.type`; the collector derives it."""

    NONE = "none"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    CANCELLED = "cancelled"
    INVALID_INPUT = "invalid_input"
    TOOL_ERROR = "tool_error"
    OTHER = "other"


class Event(StrEnum):
    """OTLP event names of log records that feed KPIs."""

    EVALUATION = "gen_ai.evaluation.result"
    POLICY_VIOLATION = "agentic.policy.violation"
    PROCESS_START = "agentic.process.start"


ROLE_TASK: Final = "task"

# Slice attributes that travel as baggage: OTel attributes do not flow from parent to child span,
# and the collector cannot copy them across spans. No personal data: baggage leaves the process.
BAGGAGE_KEYS: Final = (
    Attr.CONVERSATION_ID,
    Attr.AGENT_NAME,
    Attr.PROMPT_NAME,
    Attr.PROMPT_VERSION,
    Attr.GRAPH_VERSION,
    Attr.TRACK,
)


class Label(StrEnum):
    """Prometheus labels of the KPI series. Ids, prompt hashes and raw error texts never become labels."""

    ENVIRONMENT = "environment"
    SERVICE = "service"
    AGENT = "agent_name"
    PROMPT = "prompt_name"
    PROMPT_VERSION = "prompt_version"
    GRAPH_VERSION = "graph_version"
    TOOL = "tool_name"
    TOOL_VERSION = "tool_version"
    MODEL = "model"
    ERROR_CLASS = "error_class"
    TRACK = "track"
    WORKFLOW = "workflow"
    OUTCOME = "outcome"
    TASK_TYPE = "task_type"
    IS_RETRY = "is_retry"
    IS_FALLBACK = "is_fallback"
    PROVIDER = "provider"
    MCP_METHOD = "mcp_method"
    TOKEN_TYPE = "token_type"  # noqa: S105 a label name, not a password
    STATE = "state"
    EVALUATION = "eval_name"
    EVALUATION_SOURCE = "eval_source"
    EVALUATION_LABEL = "label"
    POLICY = "policy_id"
    POLICY_ACTION = "action"


ABSENT: Final = "none"  # the value of a label that does not apply

COMMON_LABELS: Final = (
    Label.ENVIRONMENT,
    Label.SERVICE,
    Label.AGENT,
    Label.PROMPT,
    Label.PROMPT_VERSION,
    Label.GRAPH_VERSION,
    Label.TOOL,
    Label.TOOL_VERSION,
    Label.MODEL,
    Label.ERROR_CLASS,
    Label.TRACK,
)
EVENT_LABELS: Final = tuple(label for label in COMMON_LABELS if label is not Label.ERROR_CLASS)

VERSION_LABELS: Final = (Label.PROMPT_VERSION, Label.TOOL_VERSION, Label.MODEL, Label.GRAPH_VERSION)


class MetricKind(StrEnum):
    """Prometheus metric type."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One KPI metric: its OpenTelemetry name, UCUM unit, labels and (for a histogram) bucket bounds in that unit."""

    name: str
    kind: MetricKind
    unit: str
    meaning: str
    labels: tuple[Label, ...]
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> str:
        """Prometheus name (UnderscoreEscapingWithSuffixes): `_total` on counters, `_seconds` for unit `s`."""
        base = self.name.replace(".", "_")
        if self.unit == "s":
            base += "_seconds"
        return f"{base}_total" if self.kind is MetricKind.COUNTER else base

    @property
    def bucket(self) -> str:
        """Series name of the histogram buckets."""
        return f"{self.series}_bucket"

    @property
    def sum(self) -> str:
        """Series name of the histogram sum."""
        return f"{self.series}_sum"

    @property
    def count(self) -> str:
        """Series name of the histogram count."""
        return f"{self.series}_count"


def _counter(name: str, unit: str, meaning: str, *extra: Label, base: tuple[Label, ...] = COMMON_LABELS) -> Metric:
    return Metric(name=name, kind=MetricKind.COUNTER, unit=unit, meaning=meaning, labels=(*base, *extra))


def _histogram(
    name: str,
    unit: str,
    meaning: str,
    buckets: tuple[float, ...],
    *extra: Label,
    base: tuple[Label, ...] = COMMON_LABELS,
) -> Metric:
    labels = (*base, *extra)
    return Metric(name=name, kind=MetricKind.HISTOGRAM, unit=unit, meaning=meaning, labels=labels, buckets=buckets)


_TASK_S: Final = (1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
_AGENT_S: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)
_LLM_S: Final = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
_TOOL_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_REQUEST_TOKENS: Final = (64, 256, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144)
_TASK_TOKENS: Final = (256, 1024, 4096, 16384, 65536, 262144, 1048576)
_TASK_USD: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SCORE: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_L = Label

TASK_CALLS: Final = _counter("agentic.task.calls", "{call}", "tasks ended", _L.WORKFLOW, _L.OUTCOME, _L.TASK_TYPE)
TASK_DURATION: Final = _histogram("agentic.task.duration", "s", "time per task", _TASK_S, _L.WORKFLOW, _L.OUTCOME)
AGENT_CALLS: Final = _counter("agentic.agent.calls", "{call}", "agent runs", _L.IS_RETRY)
AGENT_DURATION: Final = _histogram("agentic.agent.duration", "s", "time per agent run", _AGENT_S, _L.IS_RETRY)
LLM_CALLS: Final = _counter("agentic.llm.calls", "{call}", "model calls", _L.IS_RETRY, _L.IS_FALLBACK, _L.PROVIDER)
LLM_DURATION: Final = _histogram(
    "agentic.llm.duration", "s", "time per model call", _LLM_S, _L.IS_RETRY, _L.IS_FALLBACK, _L.PROVIDER
)
TOOL_CALLS: Final = _counter("agentic.tool.calls", "{call}", "tool call attempts", _L.IS_RETRY, _L.IS_FALLBACK)
TOOL_DURATION: Final = _histogram(
    "agentic.tool.duration", "s", "time per tool call attempt", _TOOL_S, _L.IS_RETRY, _L.IS_FALLBACK
)
MCP_SERVER_CALLS: Final = _counter("agentic.mcp_server.calls", "{call}", "requests an MCP server served", _L.MCP_METHOD)
MCP_SERVER_DURATION: Final = _histogram(
    "agentic.mcp_server.duration", "s", "time per request inside the MCP server", _TOOL_S, _L.MCP_METHOD
)
LLM_TOKENS: Final = _counter(
    "agentic.llm.tokens", "{token}", "tokens; cache_read and reasoning are parts of input and output", _L.TOKEN_TYPE
)
REQUEST_TOKENS: Final = _histogram("agentic.request.tokens", "{token}", "tokens per model call", _REQUEST_TOKENS)
COST: Final = _counter("agentic.cost.usd", "{USD}", "money spent on model calls")
TASK_COST: Final = _histogram(
    "agentic.task.cost.usd", "{USD}", "money spent per task", _TASK_USD, _L.WORKFLOW, _L.OUTCOME
)
TASK_TOKENS: Final = _histogram(
    "agentic.task.tokens", "{token}", "tokens per task", _TASK_TOKENS, _L.WORKFLOW, _L.OUTCOME
)
PLAN_STEPS: Final = _counter("agentic.plan.steps", "{step}", "plan steps", _L.WORKFLOW, _L.STATE)
EVAL_SCORE: Final = _histogram(
    "agentic.eval.score",
    "1",
    "evaluation scores, 0 to 1",
    _SCORE,
    _L.EVALUATION,
    _L.EVALUATION_SOURCE,
    base=EVENT_LABELS,
)
EVAL_RESULTS: Final = _counter(
    "agentic.eval.results",
    "{result}",
    "evaluation verdicts",
    _L.EVALUATION,
    _L.EVALUATION_SOURCE,
    _L.EVALUATION_LABEL,
    base=EVENT_LABELS,
)
POLICY_VIOLATIONS: Final = _counter(
    "agentic.policy.violations", "{violation}", "policy violations", _L.POLICY, _L.POLICY_ACTION, base=EVENT_LABELS
)
PROCESS_STARTS: Final = _counter(
    "agentic.process.starts", "{start}", "starts of an agent or tool process", base=EVENT_LABELS
)

METRICS: Final = (
    TASK_CALLS,
    TASK_DURATION,
    AGENT_CALLS,
    AGENT_DURATION,
    LLM_CALLS,
    LLM_DURATION,
    TOOL_CALLS,
    TOOL_DURATION,
    MCP_SERVER_CALLS,
    MCP_SERVER_DURATION,
    LLM_TOKENS,
    REQUEST_TOKENS,
    COST,
    TASK_COST,
    TASK_TOKENS,
    PLAN_STEPS,
    EVAL_SCORE,
    EVAL_RESULTS,
    POLICY_VIOLATIONS,
    PROCESS_STARTS,
)
