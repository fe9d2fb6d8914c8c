"""Releases: the document, how one is made from files, what two differ in, who signed it."""

from delivery.releases.document import (
    AgentPins,
    Dim,
    GraphPin,
    Limits,
    ModelPin,
    PromptPin,
    Release,
    ToolPin,
    parse,
)

__all__ = ["AgentPins", "Dim", "GraphPin", "Limits", "ModelPin", "PromptPin", "Release", "ToolPin", "parse"]
