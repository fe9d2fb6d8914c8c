"""Real instrumentations through a real collector: every agent run, model call and tool call counted once and named.

The programs are in `support/instrumented.py`; each makes a good, a failing and a timed-out call.
"""

from collections import Counter

import pytest
from support import instrumented
from support.families import families
from support.instrumented import MCP_CLIENT_CALLS, MCP_TOOL_CALLS, MODEL_CALLS, SERVED, TOOL_CALLS

from agentobs.contract import Attr, Label
from collector import normalise


@pytest.fixture(scope="module")
def spans(through):
    """Spans of all programs after the normaliser, by the name of their service."""
    collector, capture = through({"transform/normalise": normalise.processor()})
    instrumented.run_all(collector.url)
    found = {}
    for span in capture.spans:
        found.setdefault(span["resource"]["service.name"], []).append(span)
    return found


def members(spans, family):
    return [span for span in spans if family in families(span)]


def counted(spans, family, key):
    """Calls of a family by name and error class."""
    return Counter(
        (span["attributes"].get(key), span["attributes"][Label.ERROR_CLASS]) for span in members(spans, family)
    )


def tokens(spans):
    """Input and output tokens as the KPIs add them up."""
    calls = members(spans, "llm")
    return tuple(sum(c["attributes"].get(key, 0) for c in calls) for key in (Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS))


def test_plain_opentelemetry(spans):
    plain = spans["plain"]
    assert counted(plain, "task", Attr.WORKFLOW_NAME) == {("support", "none"): 1}
    assert counted(plain, "agent", Attr.AGENT_NAME) == {("planner", "none"): 1}
    assert counted(plain, "llm", Attr.REQUEST_MODEL) == {("gpt-4.1", "none"): 1}
    assert counted(plain, "tool", Attr.TOOL_NAME) == TOOL_CALLS
    assert tokens(plain) == (40, 7)


def test_openinference(spans):
    found = spans["openinference"]
    assert counted(found, "task", Attr.WORKFLOW_NAME) == {("support", "none"): 1}
    assert counted(found, "agent", Attr.AGENT_NAME) == {("planner", "none"): 1}
    assert counted(found, "llm", Attr.REQUEST_MODEL) == MODEL_CALLS
    assert counted(found, "tool", Attr.TOOL_NAME) == TOOL_CALLS
    assert tokens(found) == (40, 7)
    assert {call["attributes"][Attr.PROVIDER] for call in members(found, "llm")} == {"openai"}
    assert {call["attributes"][Attr.PROMPT_VERSION] for call in members(found, "llm")} == {"sha-ba7816bf8f01"}


def test_openllmetry(spans):
    found = spans["openllmetry"]
    assert counted(found, "llm", Attr.REQUEST_MODEL) == MODEL_CALLS
    assert tokens(found) == (40, 7)
    assert Counter(family for span in found for family in families(span)) == {"llm": 3}


def test_mcp_sdk_without_agents(spans):
    client, server = spans["mcp"], spans["mcp-tools"]
    assert counted(client, "tool", Attr.TOOL_NAME) == MCP_CLIENT_CALLS
    assert Counter(family for span in client for family in families(span)) == {"tool": 3}
    served = [span for span in server if span["attributes"][Attr.MCP_METHOD] == "tools/call"]
    assert counted(served, "mcp_server", Attr.TOOL_NAME) == SERVED
    assert {span["attributes"][Attr.TOOL_VERSION] for span in served} == {"2.1.0"}
    assert {family for span in server for family in families(span)} == {"mcp_server"}


def test_pydantic_ai_with_mcp_tools(spans):
    agent, server = spans["pydantic_ai"], spans["pydantic_ai-tools"]
    assert counted(agent, "task", Attr.WORKFLOW_NAME) == {("planner", "none"): 1}
    assert counted(agent, "agent", Attr.AGENT_NAME) == {("planner", "none"): 1}
    assert counted(agent, "llm", Attr.REQUEST_MODEL) == {("gpt-4.1", "none"): 4}
    assert tokens(agent) == (4 * 40, 4 * 7)
    # Three spans per call on this side: the agent's, FastMCP's and the SDK's.
    assert sum(span["attributes"].get(Attr.TOOL_NAME) == "slow" for span in agent) == 3
    assert counted(agent, "tool", Attr.TOOL_NAME) == MCP_TOOL_CALLS
    assert {span["attributes"][Attr.AGENT_NAME] for span in members(agent, "tool")} == {"planner"}
    served = [span for span in server if span["attributes"][Attr.MCP_METHOD] == "tools/call"]
    assert counted(served, "mcp_server", Attr.TOOL_NAME) == SERVED
