"""What two releases differ in, dimension by dimension."""

from collections.abc import Iterator
from dataclasses import dataclass

from delivery.releases.document import AgentPins, Dim, GraphPin, ModelPin, PromptPin, Release, ToolPin

Pin = PromptPin | ModelPin | ToolPin | GraphPin


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One dimension of one agent (none for the graph) that is another, new (no `before`) or gone (no `after`)."""

    dimension: Dim
    before: Pin | None
    after: Pin | None
    agent: str | None = None
    tool: str | None = None

    @property
    def title(self) -> str:
        """In words: "planner: prompt 11 -> 12"."""
        what = " ".join(filter(None, [str(self.dimension), self.tool]))
        whose = f"{self.agent}: " if self.agent else ""
        return f"{whose}{what} {_version(self.before)} -> {_version(self.after)}{self._same_version()}"

    def _same_version(self) -> str:
        if self.before is None or self.after is None or self.before.version != self.after.version:
            return ""
        return " (same version, other content)"


def changes(before: Release, after: Release) -> list[Change]:
    """Everything that is another in `after`, agents in alphabetical order, the graph last."""
    found: list[Change] = []
    for name in sorted({*before.agents, *after.agents}):
        found += _agent(name, before.agents.get(name), after.agents.get(name))
    if before.graph != after.graph:
        found.append(Change(dimension=Dim.GRAPH, before=before.graph, after=after.graph))
    return found


def _agent(name: str, before: AgentPins | None, after: AgentPins | None) -> Iterator[Change]:
    pairs: list[tuple[Dim, Pin | None, Pin | None]] = [
        (Dim.PROMPT, before.prompt if before else None, after.prompt if after else None),
        (Dim.MODEL, before.model if before else None, after.model if after else None),
    ]
    for dimension, old, new in pairs:
        if old != new:
            yield Change(dimension=dimension, agent=name, before=old, after=new)
    olds, news = before.tools if before else {}, after.tools if after else {}
    for tool in sorted({*olds, *news}):
        if olds.get(tool) != news.get(tool):
            yield Change(dimension=Dim.TOOL, agent=name, tool=tool, before=olds.get(tool), after=news.get(tool))


def _version(pin: Pin | None) -> str:
    return pin.version if pin is not None else "none"
