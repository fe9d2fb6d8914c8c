"""The four version dimensions: prompt, tool, model, graph. Never one combined hash: the answer says which to roll back.

Each per environment: what staging runs says nothing about what broke in prod.
"""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue.model import Dimension

DIMENSIONS: Final = (
    Dimension(
        key="prompt",
        entity=(Label.ENVIRONMENT, Label.AGENT, Label.PROMPT),
        version=Label.PROMPT_VERSION,
        calls=contract.AGENT_CALLS,
    ),
    Dimension(
        key="tool",
        entity=(Label.ENVIRONMENT, Label.TOOL),
        version=Label.TOOL_VERSION,
        calls=contract.TOOL_CALLS,
    ),
    Dimension(
        key="model",
        entity=(Label.ENVIRONMENT, Label.AGENT),
        version=Label.MODEL,
        # A fallback is the old configuration at work, not a new one.
        calls=contract.LLM_CALLS,
        where={Label.IS_FALLBACK: "false"},
    ),
    Dimension(
        key="graph",
        entity=(Label.ENVIRONMENT, Label.WORKFLOW),
        version=Label.GRAPH_VERSION,
        calls=contract.TASK_CALLS,
    ),
)
