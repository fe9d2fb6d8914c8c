"""What one span says of itself: which role it plays, and the name of the agent it is or belongs to.

A table of dialects, one row per vocabulary; nothing here looks at other spans. The collector's normaliser reads the
same vocabularies from finished spans; here most attributes are not set yet, so a span's first name counts too.
Sources: runs of each framework with its customary instrumentation, November 2026.
"""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from agentobs.contract import INFERENCE, Attr, Operation
from agentobs.contract.kinds import KINDS, LANGFUSE_TYPE, TRACELOOP_KIND

Attributes = Mapping[str, Any]


class Role(Enum):
    """What a span stands for."""

    OTHER = "other"
    WORKFLOW = "workflow"
    AGENT = "agent"
    MODEL = "model"
    TOOL = "tool"
    MCP = "mcp"
    HANDOFF = "handoff"


_OPERATION: Final[str] = Attr.OPERATION.value
_AGENT_NAME: Final[str] = Attr.AGENT_NAME.value
_MCP_METHOD: Final[str] = Attr.MCP_METHOD.value

EMIT: Final = "agentobs.emit"
OPENAI_AGENTS: Final = "openinference.instrumentation.openai_agents"
LANGCHAIN: Final = "openinference.instrumentation.langchain"
CREWAI: Final = "openinference.instrumentation.crewai"
# Where an agent's own span is named after it, and after the method that ran.
_NAMED: Final[Mapping[str, str]] = {
    OPENAI_AGENTS: "",
    "openinference.instrumentation.autogen_agentchat": ".on_messages_stream",
    "openinference.instrumentation.smolagents": ".run",
}

_OF_OPERATION: Final[Mapping[Any, Role]] = {
    Operation.INVOKE_AGENT.value: Role.AGENT,
    Operation.INVOKE_WORKFLOW.value: Role.WORKFLOW,
    Operation.EXECUTE_TOOL.value: Role.TOOL,
    **{operation.value: Role.MODEL for operation in INFERENCE},
    "invoke_swarm": Role.WORKFLOW,
    "invoke_graph": Role.WORKFLOW,
}
"""Role by operation: the conventions' own word, which decides where it is there."""
_ROLES: Final[Mapping[str, Mapping[str, Role]]] = {
    key: {value: _OF_OPERATION[operation] for value, operation in of.items() if operation in _OF_OPERATION}
    for key, of in KINDS.items()
}
"""Attribute of another vocabulary -> its value -> role."""

# Written where an agent's name belongs, by frameworks that do not know it.
_PLACEHOLDERS: Final = frozenset({"OpenAI Agent", "", "None"})
# CrewAI's tools by which one agent lets another work; the other one may have no span of its own.
_DELEGATING: Final = ("Delegate work to coworker", "Ask question to coworker", "delegate_work_to_", "ask_question_to_")
_SPAN_PREFIX: Final = f"{Operation.INVOKE_AGENT.value} "
_PREFIXES: Final[Mapping[str, Role]] = {
    f"{operation.value} ": _OF_OPERATION[operation.value]
    for operation in (Operation.EXECUTE_TOOL, Operation.INVOKE_AGENT, Operation.INVOKE_WORKFLOW)
}
_TOOL_NAMES: Final = (Attr.TOOL_NAME.value, "tool.name", "traceloop.entity.name")
_LC_AGENT: Final = "lc_agent_name"
_ASSOCIATION: Final = "traceloop.association.properties."
PROMPT_IN_CONTEXT: Final = "llm.prompt_template.version"
"""OpenInference puts it on every span of a context, also on those of other agents."""


def settled_role(scope: str, attributes: Attributes) -> Role | None:
    """Return the role where the operation alone decides it for good: most spans of models and tools, cheaply."""
    found = _OF_OPERATION.get(attributes.get(_OPERATION))
    if found is Role.AGENT or (found is Role.TOOL and scope.startswith(CREWAI)):
        return None
    return found


def role_of(scope: str, name: str, attributes: Attributes, *, is_top: bool) -> Role:
    """Return the role of a span as far as it is known by now; `is_top` where none of its ancestors has its scope."""
    found = _OF_OPERATION.get(attributes.get(_OPERATION, ""), Role.OTHER)
    if found is Role.OTHER or found is Role.AGENT:
        # Only an agent may turn out to be something else.
        for key, roles in _ROLES.items():
            if key in attributes:
                found = roles.get(str(attributes[key]), found)
        if found is Role.AGENT:
            return _agent_or_not(scope, name, attributes, is_top=is_top)
        if found is Role.OTHER and _MCP_METHOD in attributes:
            return Role.MCP
        if found is Role.OTHER:
            return _silent(scope, name, attributes)
    if found is Role.TOOL and scope.startswith(CREWAI) and name.startswith(_DELEGATING):
        return Role.HANDOFF
    return found


def _silent(scope: str, name: str, attributes: Attributes) -> Role:
    """The role of a span without a word about it: LangChain's agents, and those that say it at their end."""
    if scope == LANGCHAIN:
        return Role.AGENT if _lc_agent(attributes) == name else Role.OTHER
    # The conventions put the operation in front of the name, and the name is there from the start.
    return next((role for prefix, role in _PREFIXES.items() if name.startswith(prefix)), Role.OTHER)


def _agent_or_not(scope: str, name: str, attributes: Attributes, *, is_top: bool) -> Role:
    """What calls itself an agent and is none: the run as a whole, or a tool with `agent` in its name."""
    if attributes.get(TRACELOOP_KIND) == "workflow":
        return Role.WORKFLOW
    if scope == LANGCHAIN:
        if "tool.name" in attributes:
            return Role.TOOL
        known = _lc_agent(attributes)
        return Role.AGENT if known is None or known == name else Role.OTHER
    # Both instrumentations of openai-agents open a root per run and call it an agent.
    if is_top and (scope == OPENAI_AGENTS or attributes.get(_AGENT_NAME) in _PLACEHOLDERS):
        return Role.WORKFLOW
    return Role.AGENT


def agent_of(scope: str, name: str, role: Role, attributes: Attributes) -> str | None:
    """Return the name of the agent that a span is, or says it belongs to; None where it says nothing."""
    if role is Role.WORKFLOW:
        return None
    stated = attributes.get(_AGENT_NAME)
    if stated is not None and stated not in _PLACEHOLDERS:
        return str(stated)
    if role is Role.AGENT:
        return _own_name(scope, name, attributes)
    if scope == LANGCHAIN:
        return _lc_agent(attributes)
    stated = attributes.get("tool.agent_role") or attributes.get(f"{_ASSOCIATION}{_LC_AGENT}")
    return str(stated) if stated else None


def tool_name(name: str, attributes: Attributes) -> str:
    """Return the tool's name on its span; the span's own name where no attribute has it."""
    for key in _TOOL_NAMES:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            return value
    return name


def handed_to(attributes: Attributes) -> str | None:
    """Return the agent that a delegating tool lets work: an argument of the call, known at its end."""
    arguments = json_value(attributes.get("input.value"), "coworker")
    return arguments if isinstance(arguments, str) and arguments else None


def _own_name(scope: str, name: str, attributes: Attributes) -> str | None:
    """The name of an agent's own span."""
    stated = attributes.get("agent.name") or _lc_agent(attributes) or attributes.get("traceloop.entity.name")
    if stated:
        return str(stated)
    if scope.startswith(CREWAI):  # known at the end; its span's name is the agent's and the task's
        node = attributes.get("graph.node.id")
        return str(node) if node else None
    if name.startswith(_SPAN_PREFIX):
        found = name.removeprefix(_SPAN_PREFIX)
        return None if found in _PLACEHOLDERS else found
    if LANGFUSE_TYPE in attributes:
        return name
    method = _NAMED.get(scope)
    return name.removesuffix(method) if method is not None and name.endswith(method) else None


def _lc_agent(attributes: Attributes) -> str | None:
    """The agent's name in LangChain's metadata."""
    stated = json_value(attributes.get("metadata"), _LC_AGENT)
    return stated if isinstance(stated, str) else None


def json_value(text: object, key: str) -> object:
    """A value of a JSON object; None where the text is none or lacks it."""
    if not isinstance(text, str) or key not in text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found.get(key) if isinstance(found, dict) else None
