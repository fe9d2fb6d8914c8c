"""Spans that promise a model call, a tool call or an agent and that no KPI reads: an unknown dialect, or a mistake.

The rule once, as data, in two forms: a condition for the collector (`condition`), and a test for whoever holds spans
(`is_unread`). A promise is the name of a model or tool, a token count, or a kind that says what the span is; any other
GenAI attribute may stand on wrappers, of which frameworks have many. Not here: what counts (`series_key.member`).
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from agentobs.contract import (
    EMBEDDINGS,
    INFERENCE,
    NESTED_AGENT,
    NESTED_CHAT,
    NESTED_TOOL,
    RETRIEVAL,
    ROLE_TASK,
    Attr,
    Operation,
)
from agentobs.contract.kinds import COUNTED, KINDS, OPENINFERENCE_KIND
from collector import ottl
from collector.normalise.steps import HANDOFF, OPERATION, SCOPE

OTHER: Final = "other"
_CREATE_AGENT: Final = "create_agent"
# What is known and read by nobody on purpose.
_NESTED: Final = (NESTED_CHAT, NESTED_TOOL, NESTED_AGENT)
QUIET: Final = (Operation.INVOKE_WORKFLOW, EMBEDDINGS, RETRIEVAL, HANDOFF, *_NESTED, _CREATE_AGENT)
# The normaliser takes the operation from what these say twice, or only in passing.
_WRAPPERS: Final = ("gcp.vertex.agent", "pydantic-ai")
# Both open AGENT spans that are none: nodes with "agent" in their name, and one per run.
_NO_AGENTS: Final = ("openinference.instrumentation.langchain", "openinference.instrumentation.openai_agents")
# The commonest first. Their presence is a promise.
_PRESENT: Final = (
    Attr.REQUEST_MODEL,
    Attr.TOOL_NAME,
    Attr.INPUT_TOKENS,
    "llm.model_name",
    "ai.toolCall.name",
    "haystack.tool.name",
)
# So are the values that mean something counted.
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    key: tuple(value for value, operation in of.items() if operation in COUNTED) for key, of in KINDS.items()
}
_LIBRARIES: Final = (
    "@mastra/otel-bridge", "@mastra/otel-exporter", "@n8n/agents", "Experimental.Microsoft.Agents.AI",
    "Experimental.Microsoft.Extensions.AI", "Microsoft.Agents.AI", "Microsoft.SemanticKernel.Diagnostics",
    "OpenAI.ChatClient", "agent_framework", "agentobs", "ai", "autogen-core", "codex_otel", "com.anthropic.claude_code",
    "com.anthropic.claude_code.tracing",
    "com.anthropic.sdk.python", "dify", "fastmcp", "gcp.vertex.agent", "gemini-cli", "gen_ai", "haystack",
    "langfuse-sdk", "langsmith", "litellm", "mcp-python-sdk", "opentelemetry.util.genai.handler",
    "org.springframework.boot", "pydantic-ai", "smolagents", "strands.telemetry.tracer", "temporal", "temporalio",
)  # fmt: skip
# Names of instrumentations hold neither digits nor ids, so that their number is that of the instrumentations.
_FAMILIES: Final = (
    r"(?:openinference|opentelemetry)\.instrumentation\.(?:genai\.)?[a-z][a-z_]{1,40}(?:_v2|\.v1|\._event_listener)?"
    r"|semantic_kernel\.[a-z_.]{1,60}"
)
KNOWN_SCOPE: Final = f"^(?:{'|'.join(map(re.escape, _LIBRARIES))}|{_FAMILIES})$"
"""Scopes that become the value of a label; all others are `other`."""


def _span(key: str) -> str:
    return ottl.attribute("span", key)


def promises() -> str:
    """The condition that a span promises something: one look-up per attribute that could say so."""
    present = [f"{_span(key)} != nil" for key in _PRESENT]
    kinds = [
        f"({_span(key)} != nil and (" + " or ".join(f'{_span(key)} == "{value}"' for value in values) + "))"
        for key, values in _KINDS.items()
    ]
    return f"({' or '.join([*present, *kinds])})"


def condition() -> str:
    """The condition under which a span of no family is unread; families are told before, and cheaper."""
    # A tool's server is told by its caller, and spans of the MCP protocol by the tool call that they carry.
    told = f"{_span(Attr.MCP_METHOD)} == nil and span.kind != SPAN_KIND_SERVER"
    loud = " and ".join(f'{OPERATION} != "{operation}"' for operation in QUIET)
    wrapper = f"({OPERATION} == nil and ({_either(SCOPE, _WRAPPERS)}))"
    no_agent = f'({_span(OPENINFERENCE_KIND)} == "AGENT" and ({_either(SCOPE, _NO_AGENTS)}))'
    return f"{promises()} and {told} and {loud} and not {wrapper} and not {no_agent}"


def _either(expression: str, values: tuple[str, ...]) -> str:
    return " or ".join(f'{expression} == "{value}"' for value in values)


def is_unread(attributes: Mapping[str, Any], kind: str, scope: str) -> bool:
    """The same rule for one normalised span. `kind` is internal, server, client ..."""
    operation = attributes.get(Attr.OPERATION)
    counted = (
        attributes.get(Attr.SPAN_ROLE) == ROLE_TASK
        or operation in {*INFERENCE, Operation.INVOKE_AGENT}
        or (operation == Operation.EXECUTE_TOOL and kind == "internal")
    )
    if counted or operation in set(QUIET) or kind == "server" or Attr.MCP_METHOD in attributes:
        return False
    if (operation is None and scope in _WRAPPERS) or (
        attributes.get(OPENINFERENCE_KIND) == "AGENT" and scope in _NO_AGENTS
    ):
        return False
    said = any(attributes.get(key) is not None for key in _PRESENT)
    return said or any(attributes.get(key) in values for key, values in _KINDS.items())


def scope_label(scope: str) -> str:
    """The label's value for an instrumentation scope."""
    return scope if re.match(KNOWN_SCOPE, scope) else OTHER
