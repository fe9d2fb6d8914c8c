"""Values that attributes take: operations, outcomes, sources, tracks, error classes, event names."""

from typing import Final

from agentobs.contract.enums import StrEnum


class Operation(StrEnum):
    """Values of `gen_ai.operation.name` that the KPIs read."""

    CHAT = "chat"
    TEXT_COMPLETION = "text_completion"
    GENERATE_CONTENT = "generate_content"
    INVOKE_AGENT = "invoke_agent"
    INVOKE_WORKFLOW = "invoke_workflow"
    EXECUTE_TOOL = "execute_tool"


AGENT_HANDOFF: Final = "agent_handoff"
"""Operation of a tool by which one agent lets another work: no tool call."""
NESTED_CHAT: Final = "nested_chat"
NESTED_TOOL: Final = "nested_tool"
NESTED_AGENT: Final = "nested_agent"
"""Operations of the inner one of two spans of one call, or of one agent's run: it counts nowhere."""
EMBEDDINGS: Final = "embeddings"
RETRIEVAL: Final = "retrieval"
"""Operations that no KPI counts."""
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
    BLOCKED = "blocked"
    OTHER = "other"


class Event(StrEnum):
    """OTLP event names of log records that feed KPIs."""

    EVALUATION = "gen_ai.evaluation.result"
    POLICY_VIOLATION = "agentic.policy.violation"
    PROCESS_START = "agentic.process.start"


ROLE_TASK: Final = "task"
