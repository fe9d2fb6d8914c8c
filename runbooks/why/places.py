"""Where something can break: a tool, an agent, or the environment as a whole, and which labels tell them apart."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agentobs.contract import Label
from alerts.catalogue import Kpi


class Kind(StrEnum):
    """What kind of thing a KPI speaks of."""

    TOOL = "tool"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A tool or an agent by its name, or all of an environment (`name` is empty).

    `user` narrows a tool to the calls of one agent.
    """

    environment: str
    kind: Kind
    name: str = ""
    user: str = ""

    @property
    def labels(self) -> dict[Label, str]:
        """Label values that select it."""
        own = own_label(self.kind)
        user = {Label.AGENT: self.user} if self.user else {}
        return {Label.ENVIRONMENT: self.environment, **({own: self.name} if own else {}), **user}


_SYSTEM: Final = (Label.WORKFLOW, Label.GRAPH_VERSION, Label.TRACK, Label.TASK_TYPE)
_AGENT: Final = (
    Label.AGENT, Label.PROMPT, Label.PROMPT_VERSION, Label.MODEL, Label.GRAPH_VERSION, Label.TRACK,
)  # fmt: skip
_TOOL: Final = (
    Label.TOOL, Label.TOOL_VERSION, Label.AGENT, Label.PROMPT, Label.PROMPT_VERSION, Label.GRAPH_VERSION, Label.TRACK,
)  # fmt: skip
# Counters of two families agree on these alone: a task has no agent, and its prompt is somebody's.
_SHARED: Final = (Label.GRAPH_VERSION, Label.TRACK)


STRATA: Final = {Kind.TOOL: (Label.AGENT,), Kind.AGENT: (), Kind.SYSTEM: (Label.WORKFLOW, Label.TASK_TYPE)}
"""What must not explain a difference at a place: who calls, and which tasks arrive."""


def kind_of(kpi: Kpi) -> Kind:
    """The finest thing that the KPI speaks of."""
    if set(kpi.numerator.labels) != set(kpi.denominator.labels) or Label.WORKFLOW in kpi.denominator.labels:
        return Kind.SYSTEM
    return Kind.TOOL if Label.TOOL in kpi.by else Kind.AGENT


def labels_of(kpi: Kpi) -> tuple[Label, ...]:
    """Labels that the KPI is read by: whose it is, its versions and its track."""
    if set(kpi.numerator.labels) != set(kpi.denominator.labels):
        return _SHARED
    return {Kind.SYSTEM: _SYSTEM, Kind.AGENT: _AGENT, Kind.TOOL: _TOOL}[kind_of(kpi)]


def own_label(kind: Kind) -> Label | None:
    """The label that names a place of a kind; None for all of an environment."""
    return {Kind.TOOL: Label.TOOL, Kind.AGENT: Label.AGENT}.get(kind)
