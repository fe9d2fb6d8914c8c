"""Whole runs of agent frameworks: every model and tool call gets its agent, none a wrong one, each counts once.

What happened was told by the scripted model and the tools, not by telemetry: `tests/corpus/frameworks`.
"""

from collections import Counter
from functools import cache

import pytest
from support.replayed import RECORDED, replay, truth

from agentobs.context.dialects import Role, role_of, tool_name
from agentobs.contract import NESTED_CHAT, NESTED_TOOL, Attr

AGENT, OPERATION, ATTEMPT = Attr.AGENT_NAME.value, Attr.OPERATION.value, Attr.RETRY_ATTEMPT.value
ALL_IS_SEEN = (
    "agent-framework.native", "agent-framework.native-responses", "agno.openinference", "crewai.openinference",
    "crewai.openinference-listener", "google-adk.native", "google-adk.native-legacy", "langfuse.sdk",
    "langgraph.openinference", "langgraph.openllmetry", "openai-agents.openinference",
    "openai-agents.openllmetry", "openai-agents.otel-agents-v2", "pydantic-ai.native", "pydantic-ai.native-anthropic",
    "pydantic-ai.native-v2", "smolagents.openinference", "strands.native", "strands.native-genai-latest",
)  # fmt: skip
# A tool of an MCP server that failed reads as an ordinary result there, so the next call is no retry. Where the
# processor runs it asks the MCP client itself, see `test_context_mcp.py`.
FAILURES_ARE_HIDDEN = (
    "autogen.openinference", "langgraph.otel-genai", "openai-agents.openinference-hidden",
    "openai-agents.otel-genai", "openai-mcp.openinference", "openai-mcp.openllmetry", "openai-mcp.otel-genai",
    "openai-mcp.otel-genai-server",
)  # fmt: skip
# No span of these says which agent works: nothing may be guessed.
NOBODY_IS_NAMED = (
    "dspy.openinference", "haystack.native", "haystack.openinference", "llama-index.openinference",
    "openai-mcp.otel-genai-bare",
)  # fmt: skip
NAMED = (*ALL_IS_SEEN, *FAILURES_ARE_HIDDEN)


def _is_passed_over(span):
    """AutoGen makes spans of tools itself; the collector takes those."""
    return span.instrumentation_scope.name == "openinference.instrumentation.autogen_agentchat"


@cache
def counted(name):
    """Model calls by agent, tool calls by agent and tool, retries; what is marked as counted elsewhere is left out."""
    models, tools, retries = Counter(), Counter(), Counter()
    known = {tool for _, tool in truth(name).tools}
    for span in replay(name):
        if span.attributes.get(OPERATION) in {NESTED_CHAT, NESTED_TOOL}:
            continue
        role = role_of(span.instrumentation_scope.name, span.name, span.attributes, is_top=span.parent is None)
        agent, tool = span.attributes.get(AGENT), tool_name(span.name, span.attributes)
        if role is Role.MODEL:
            models[agent] += 1
        elif role is Role.TOOL and tool in known and span.kind.name == "INTERNAL" and not _is_passed_over(span):
            tools[agent, tool] += 1
            retries[agent, tool] += span.attributes.get(ATTEMPT, 0) > 0
    return models, tools, +retries


@pytest.mark.parametrize("name", NAMED)
def test_every_model_and_tool_call_has_its_agent_and_counts_once(name):
    models, tools, _ = counted(name)
    assert models == truth(name).models
    assert tools == truth(name).tools


@pytest.mark.parametrize("name", ALL_IS_SEEN)
def test_a_call_after_a_failed_one_is_its_retry(name):
    assert counted(name)[2] == truth(name).retries


@pytest.mark.parametrize("name", NOBODY_IS_NAMED)
def test_nobody_is_named_where_no_span_says_who_works(name):
    models, tools, _ = counted(name)
    assert {*models, *(agent for agent, _ in tools)} <= {None}


@pytest.mark.parametrize("name", [*NAMED, *NOBODY_IS_NAMED])
def test_no_span_bears_a_name_that_is_no_agents(name):
    named = {span.attributes[AGENT] for span in replay(name) if AGENT in span.attributes}
    assert named <= set(truth(name).models) | TEAMS


# What spans of whole runs say themselves; the collector takes such a name for none.
TEAMS = {"north_team", "south_team", "OpenAI Agent"}


def test_every_capture_of_a_python_program_is_in_one_of_the_lists():
    captured = {folder.name for folder in RECORDED.iterdir() if (folder / "events.jsonl.xz").exists()}
    assert captured - {*NAMED, *NOBODY_IS_NAMED} <= OTHERS


# Without agents to name, or of another language; client's spans without any parent (where LangChain runs, the processor
# asks it for its current span); and two instrumentations in two traces, which `telemetry check` tells.
OTHERS = {
    "ai-sdk.ai-sdk-5", "ai-sdk.ai-sdk-7", "autogen.native", "claude-agent-sdk.native",
    "langgraph.openinference-anthropic", "langgraph.openinference-client", "litellm.otel-callback",
    "litellm.otel-callback-bare", "mastra.otel-bridge", "mastra.otel-exporter",
    "openai-agents.openinference-openllmetry", "semantic-kernel.native", "spring-ai.observations",
}  # fmt: skip
