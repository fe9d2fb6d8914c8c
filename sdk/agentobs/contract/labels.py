"""Labels of the KPI series, and the families of series that share a label set."""

from typing import Final

from agentobs.contract.enums import StrEnum


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
    FAMILY = "family"
    SCOPE = "scope"


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


class Family(StrEnum):
    """What a span or event is for the KPIs. All metrics of a family have the family's labels, so they join."""

    TASK = "task"
    AGENT = "agent"
    LLM = "llm"
    TOOL = "tool"
    MCP_SERVER = "mcp_server"
    EVALUATION = "evaluation"
    POLICY = "policy"
    PROCESS = "process"
    UNREAD = "unread"

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every label of the family's series."""
        return _LABELS[self]


_LABELS: Final[dict[Family, tuple[Label, ...]]] = {
    Family.TASK: (*COMMON_LABELS, Label.WORKFLOW, Label.OUTCOME, Label.TASK_TYPE),
    Family.AGENT: (*COMMON_LABELS, Label.IS_RETRY),
    Family.LLM: (*COMMON_LABELS, Label.IS_RETRY, Label.IS_FALLBACK, Label.PROVIDER),
    Family.TOOL: (*COMMON_LABELS, Label.IS_RETRY, Label.IS_FALLBACK),
    Family.MCP_SERVER: (*COMMON_LABELS, Label.MCP_METHOD),
    Family.EVALUATION: (*EVENT_LABELS, Label.EVALUATION, Label.EVALUATION_SOURCE, Label.EVALUATION_LABEL),
    Family.POLICY: (*EVENT_LABELS, Label.POLICY, Label.POLICY_ACTION),
    Family.PROCESS: EVENT_LABELS,
    Family.UNREAD: (Label.ENVIRONMENT, Label.SERVICE, Label.SCOPE),
}
