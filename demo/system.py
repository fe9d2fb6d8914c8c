"""What the sample system is made of: agents, prompts, models, tools and servers, each fact once.

Not here: what a scenario changes (`scenarios`) and how agents behave (`brains`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SERVICE: Final = "support-desk"
SERVICE_VERSION: Final = "2.3.1"
WORKFLOW: Final = "support"
PROVIDER: Final = "simlab"

# A tool call is given up after this long; not scaled with the time, so that a slow machine makes no timeouts.
TOOL_TIMEOUT_S: Final = 2.0
MAX_TOOL_ATTEMPTS: Final = 3


class AgentName(StrEnum):
    """The agents, in the order a task passes them."""

    ROUTER = "router"
    PLANNER = "planner"
    EXECUTOR = "executor"
    CRITIC = "critic"


class ToolName(StrEnum):
    """The tools the executor may call."""

    KB_SEARCH = "kb_search"
    ARCHIVE_SEARCH = "archive_search"
    ORDER_LOOKUP = "order_lookup"
    ORDER_REFUND = "order_refund"
    REFUND_QUOTE = "refund_quote"


class ServerName(StrEnum):
    """The MCP tool servers: each is a process of its own and the service name of its telemetry."""

    KNOWLEDGE = "knowledge"
    ORDERS = "orders"
    BACKOFFICE = "backoffice"


TOOLS_OF: Final = {
    ServerName.KNOWLEDGE: (ToolName.KB_SEARCH,),
    ServerName.ORDERS: (ToolName.ORDER_LOOKUP, ToolName.ORDER_REFUND),
    ServerName.BACKOFFICE: (ToolName.ARCHIVE_SEARCH, ToolName.REFUND_QUOTE),
}
SERVER_OF: Final = {tool: server for server, tools in TOOLS_OF.items() for tool in tools}
FALLBACK_OF: Final = {ToolName.KB_SEARCH: ToolName.ARCHIVE_SEARCH}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A simulated model. Latency is `base_s` plus `s_per_token` for each output token, at time scale 1."""

    name: str
    base_s: float
    s_per_token: float


SMALL: Final = ModelSpec(name="sim-small-1", base_s=0.05, s_per_token=0.0006)
LARGE: Final = ModelSpec(name="sim-large-1", base_s=0.10, s_per_token=0.0012)
XL: Final = ModelSpec(name="sim-xl-2", base_s=0.35, s_per_token=0.0050)

# The model that takes over when an agent's own is rate limited.
FALLBACK_MODEL: Final = SMALL

PROMPT_TEXT: Final = {
    AgentName.ROUTER: "Name the kind of support request. Answer with one of the known kinds.",
    AgentName.PLANNER: "Write the shortest list of tool calls that answers the request.",
    AgentName.EXECUTOR: "Carry out the plan with the tools, then answer the customer from their results only.",
    AgentName.CRITIC: "Judge the answer: complete, grounded in the tool results, polite. Reject what is not.",
}


def prompt_text(agent: AgentName, version: str) -> str:
    """The text of a prompt's version."""
    return f"{PROMPT_TEXT[agent]} (revision {version})"


class TaskType(StrEnum):
    """Kinds of support requests. The last two are unknown to the agents and arrive only when the inputs drift."""

    ORDER_STATUS = "order_status"
    REFUND = "refund"
    HOW_TO = "how_to"
    WARRANTY_CLAIM = "warranty_claim"
    BULK_ORDER = "bulk_order"


KNOWN_TYPES: Final = (TaskType.ORDER_STATUS, TaskType.REFUND, TaskType.HOW_TO)
UNKNOWN_TYPES: Final = (TaskType.WARRANTY_CLAIM, TaskType.BULK_ORDER)

PLAN_OF: Final = {
    TaskType.ORDER_STATUS: (ToolName.ORDER_LOOKUP, ToolName.KB_SEARCH),
    TaskType.REFUND: (ToolName.ORDER_LOOKUP, ToolName.REFUND_QUOTE, ToolName.ORDER_REFUND),
    TaskType.HOW_TO: (ToolName.KB_SEARCH,),
    TaskType.WARRANTY_CLAIM: (ToolName.ORDER_LOOKUP, ToolName.KB_SEARCH),
    TaskType.BULK_ORDER: (ToolName.KB_SEARCH, ToolName.REFUND_QUOTE),
}
