"""What a span says it is in vocabularies beside the conventions': an attribute, its value, the operation it means.

Read three times: in the agent's process (Python and Node), by the collector's normaliser, and by the rule that tells
spans which nobody reads. Not here: spans that are none of what they call themselves, and names of operations that are
not the conventions' (`collector.normalise`).
"""

from collections.abc import Mapping
from typing import Final

from agentobs.contract.values import EMBEDDINGS, INFERENCE, RETRIEVAL, Operation

OPENINFERENCE_KIND: Final = "openinference.span.kind"
TRACELOOP_KIND: Final = "traceloop.span.kind"
LANGFUSE_TYPE: Final = "langfuse.observation.type"
REQUEST_TYPE: Final = "llm.request.type"  # OpenLLMetry's instrumentations of clients
GENAI_KIND: Final = "gen_ai.span.kind"  # Dify and the instrumentations of Alibaba Cloud
SPRING_KIND: Final = "spring.ai.kind"

KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    OPENINFERENCE_KIND: {
        "LLM": Operation.CHAT.value,
        "TOOL": Operation.EXECUTE_TOOL.value,
        "AGENT": Operation.INVOKE_AGENT.value,
        "EMBEDDING": EMBEDDINGS,
        "RETRIEVER": RETRIEVAL,
    },
    TRACELOOP_KIND: {
        "tool": Operation.EXECUTE_TOOL.value,
        "agent": Operation.INVOKE_AGENT.value,
        "workflow": Operation.INVOKE_WORKFLOW.value,
    },
    LANGFUSE_TYPE: {
        "generation": Operation.CHAT.value,
        "tool": Operation.EXECUTE_TOOL.value,
        "agent": Operation.INVOKE_AGENT.value,
        "embedding": EMBEDDINGS,
        "retriever": RETRIEVAL,
    },
    REQUEST_TYPE: {
        "chat": Operation.CHAT.value,
        "completion": Operation.TEXT_COMPLETION.value,
        "embedding": EMBEDDINGS,
    },
    GENAI_KIND: {
        "LLM": Operation.CHAT.value,
        "TOOL": Operation.EXECUTE_TOOL.value,
        "AGENT": Operation.INVOKE_AGENT.value,
        "EMBEDDING": EMBEDDINGS,
        "RETRIEVER": RETRIEVAL,
    },
    SPRING_KIND: {"tool_call": Operation.EXECUTE_TOOL.value},
}
COUNTED: Final = frozenset({*INFERENCE, Operation.EXECUTE_TOOL, Operation.INVOKE_AGENT})
"""Operations that KPIs of models, tools and agents read."""
