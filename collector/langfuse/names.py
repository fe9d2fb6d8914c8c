"""Attribute keys that Langfuse reads, and keys of other vocabularies that it would read by mistake.

Not here: the contract's own names (`agentobs.contract`).
"""

from enum import StrEnum
from typing import Final

from agentobs.contract.kinds import LANGFUSE_TYPE

CACHE_CREATION_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
USAGE_COST: Final = "gen_ai.usage.cost"
AGENT_VERSIONS: Final = ("agentic.agent.version", "gen_ai.agent.version")

METADATA: Final = "langfuse.observation.metadata"
TRACE_METADATA: Final = "langfuse.trace.metadata"


class Langfuse(StrEnum):
    """Keys of Langfuse's own vocabulary. Each wins over what Langfuse would read otherwise."""

    TYPE = LANGFUSE_TYPE
    INPUT = "langfuse.observation.input"
    OUTPUT = "langfuse.observation.output"
    LEVEL = "langfuse.observation.level"
    STATUS_MESSAGE = "langfuse.observation.status_message"
    MODEL = "langfuse.observation.model.name"
    USAGE_DETAILS = "langfuse.observation.usage_details"
    COST_DETAILS = "langfuse.observation.cost_details"
    PROMPT_NAME = "langfuse.observation.prompt.name"
    PROMPT_VERSION = "langfuse.observation.prompt.version"
    COMPLETION_START = "langfuse.observation.completion_start_time"
    TRACE_NAME = "langfuse.trace.name"
    TRACE_TAGS = "langfuse.trace.tags"
    TAGS = "langfuse.tags"
    ENVIRONMENT = "langfuse.environment"
    IS_APP_ROOT = "langfuse.internal.is_app_root"


class Kind(StrEnum):
    """Values of `langfuse.observation.type`; Langfuse ignores any other spelling."""

    SPAN = "span"
    GENERATION = "generation"
    EVENT = "event"
    EMBEDDING = "embedding"
    AGENT = "agent"
    TOOL = "tool"
    CHAIN = "chain"
    RETRIEVER = "retriever"
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"


def metadata(key: str) -> str:
    """Return the key of one entry of an observation's metadata, which Langfuse can filter by."""
    return f"{METADATA}.{key}"
