"""What each agent really runs: its release, and what was taken back of it."""

from delivery.environments.state import Override, Stable
from delivery.errors import DeliveryError
from delivery.releases import AgentPins, Dim, Release
from delivery.releases.diff import Pin


def effective(release: Release, stable: Stable | None = None) -> Release:
    """The release with the overrides of `stable` in place; as it is without any."""
    if stable is None:
        return release
    agents = {name: _agent(pins, stable.overrides.get(name)) for name, pins in release.agents.items()}
    return release.model_copy(update={"agents": agents, "graph": stable.graph or release.graph})


def pin_of(release: Release, dimension: Dim, agent: str | None, tool: str | None) -> Pin:
    """The pin of one dimension. Raises DeliveryError for an agent or a tool that the release does not have."""
    if dimension is Dim.GRAPH:
        return release.graph
    pins = release.agent(agent or "")
    if dimension is Dim.PROMPT:
        return pins.prompt
    if dimension is Dim.MODEL:
        return pins.model
    if tool not in pins.tools:
        known = ", ".join(sorted(pins.tools)) or "none"
        raise DeliveryError(f"{agent} has no tool {tool!r} in release {release.id}; its tools: {known}")
    return pins.tools[tool]


def _agent(pins: AgentPins, override: Override | None) -> AgentPins:
    if override is None:
        return pins
    tools = {name: override.tools.get(name, pin) for name, pin in pins.tools.items()}
    changed = {"prompt": override.prompt or pins.prompt, "model": override.model or pins.model, "tools": tools}
    return pins.model_copy(update=changed)
