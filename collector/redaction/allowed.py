"""What may stay where no content may: an allow-list of attribute keys, whatever instrumentation wrote them.

Names, versions, ids, classes of errors and numbers stay. Everything else is content until somebody puts it here: keys
that nobody knows, old and new keys of prompts and answers, JSON that frameworks pack into one attribute, and what an
exception says: it quotes what it failed on. Its type stays. What stays is masked all the same. Not here: how the list
is applied (`processors`).
"""

from typing import Final

from agentobs.contract import Attr, Label
from collector import tenant

CONTENT: Final = (
    Attr.SYSTEM_INSTRUCTIONS,
    Attr.INPUT_MESSAGES,
    Attr.OUTPUT_MESSAGES,
    Attr.TOOL_DEFINITIONS,
    Attr.TOOL_ARGUMENTS,
    Attr.TOOL_RESULT,
    Attr.EVALUATION_EXPLANATION,
)
"""Attributes of the contract that hold what people, models and tools wrote."""

_NUMBERS_OF_THE_CONTRACT: Final = (
    Attr.FIRST_CHUNK,
    Attr.INPUT_TOKENS,
    Attr.OUTPUT_TOKENS,
    Attr.CACHE_READ_TOKENS,
    Attr.CACHE_WRITE_TOKENS,
    Attr.REASONING_TOKENS,
    Attr.EVALUATION_SCORE,
    Attr.TASK_COST,
    Attr.TASK_TOKENS,
    Attr.TASK_RETRIES,
    Attr.PLAN_PLANNED,
    Attr.PLAN_COMPLETED,
    Attr.PLAN_REVISION,
    Attr.RETRY_ATTEMPT,
    Attr.FALLBACK,
    Attr.COST,
    Attr.COST_UNPRICED,
    Attr.COST_STATED,
    Attr.COST_DIFFERS,
    Attr.EVALUATION_SAMPLED,
    Attr.SPAN_DUPLICATE,
    Attr.MCP_TOOL_CALL,
)
NUMBERS: Final = (
    *_NUMBERS_OF_THE_CONTRACT,
    *(
        f"gen_ai.request.{name}"
        for name in (
            "temperature", "top_p", "top_k", "max_tokens", "frequency_penalty", "presence_penalty", "seed",
            "choice.count", "stream",
        )
    ),
    "gen_ai.server.time_to_first_token",
    "gen_ai.server.request.duration",
    "http.response.status_code",
    "rpc.grpc.status_code",
    "server.port",
    "process.pid",
    "thread.id",
    "code.line.number",
)  # fmt: skip
"""Attributes whose values are numbers or flags; one that is a text is dropped."""

LISTS: Final = (Attr.FINISH_REASONS,)
"""Attributes that are lists of short words."""

_CONTRACT_NAMES: Final = tuple(attr for attr in Attr if attr not in {*CONTENT, *NUMBERS, *LISTS})
OF_THE_CONTRACT: Final = (*_CONTRACT_NAMES, *CONTENT, *_NUMBERS_OF_THE_CONTRACT, *LISTS)
"""The keys that nearly all spans have. None is named like a secret."""
_DIALECTS: Final = (
    "openinference.span.kind", "traceloop.span.kind", "traceloop.entity.name", "traceloop.workflow.name",
    "langfuse.observation.type", "langfuse.observation.level", "langfuse.observation.model.name",
    "langfuse.observation.prompt.name", "langfuse.observation.prompt.version", "langfuse.trace.name",
    "langfuse.environment", "langfuse.session.id", "ai.operationId", "ai.model.id", "ai.model.provider",
    "ai.telemetry.functionId", "ai.toolCall.name", "ai.toolCall.id", "llm.model_name", "llm.provider", "llm.system",
    "tool.name", "agent.name", "graph.node.id", "haystack.tool.name", "haystack.component.name",
    "haystack.component.type", "spring.ai.kind", "gen_ai.system", "gen_ai.output.type", "gen_ai.token.type",
    "gen_ai.data_source.id", "gen_ai.handoff.from_agent", "gen_ai.handoff.to_agent", "mcp.session.id",
    "event.name", "event_name", "exception.type", "exception.escaped",
)  # fmt: skip
_INFRASTRUCTURE: Final = (
    "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "telemetry.distro.name",
    "telemetry.distro.version", "host.name", "host.id", "host.arch", "os.type", "os.version", "process.executable.name",
    "process.runtime.name", "process.runtime.version", "container.id", "container.name", "container.image.name",
    "container.image.tags", "k8s.pod.uid", "k8s.pod.ip", "k8s.node.name", "k8s.statefulset.name", "k8s.cluster.name",
    "cloud.provider", "cloud.region", "cloud.availability_zone", "faas.name", "faas.version", "vcs.ref.head.revision",
    "http.request.method", "http.route", "url.scheme", "server.address", "network.protocol.name",
    "network.protocol.version", "network.transport", "rpc.system", "rpc.service", "rpc.method", "db.system",
    "db.system.name", "db.operation.name", "db.collection.name", "messaging.system", "messaging.operation.name",
    "messaging.destination.name", "code.function.name", "code.file.path", "thread.name", "log.iostream",
    "log.file.name", "logger.name",
)  # fmt: skip
NAMES: Final = (*_CONTRACT_NAMES, Label.ERROR_CLASS, tenant.KEY, *_DIALECTS, *_INFRASTRUCTURE)
"""Attributes whose values are texts: a list, a map or bytes there becomes the mask."""
KEYS: Final = tuple(dict.fromkeys((*NAMES, *NUMBERS, *LISTS)))
