"""Effects, chances and places in words."""

from typing import Final

from agentobs.contract import Label
from alerts.catalogue import Unit
from runbooks.why.document import Evidence

_PERCENT: Final = 100


def effect(evidence: Evidence) -> str:
    """How much worse, with its interval where it has one: `52.5 points (37.9 to 66.0)`, `+180 %`."""
    points = evidence.unit == Unit.RATIO
    if evidence.effect is None:
        return "from nothing"
    size = f"{evidence.effect * _PERCENT:.1f} points" if points else f"{evidence.effect * _PERCENT:+.0f} %"
    if evidence.low is None or evidence.high is None:
        return size
    digits = 1 if points else 0
    return f"{size} ({evidence.low * _PERCENT:.{digits}f} to {evidence.high * _PERCENT:.{digits}f})"


def chance(p: float | None, sign: str = "") -> str:
    """A p-value that can be read: `0.003`, `1e-12`, `< 1e-99`; `sign` goes before what is not below a limit."""
    if p is None:
        return "-"
    if p < 1e-99:  # noqa: PLR2004 beyond any meaning
        return "< 1e-99"
    return f"{sign}{p:.0e}" if p < 0.001 else f"{sign}{p:.3f}"  # noqa: PLR2004 as short as it can be read


def sure(confidence: float) -> str:
    """A probability without false certainty: `93 %`, `> 99 %`."""
    percent = round(confidence * _PERCENT)
    return "> 99 %" if percent >= _PERCENT else f"{percent} %"


def place(subject: dict[str, str]) -> str:
    """`tool order_lookup`, `agent planner`, `tool search as planner calls it`, `the tasks`."""
    tool, agent = subject.get(Label.TOOL), subject.get(Label.AGENT)
    if tool and agent:
        return f"tool {tool} as {agent} calls it"
    if tool:
        return f"tool {tool}"
    return f"agent {agent}" if agent else "the tasks"
