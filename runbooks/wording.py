"""Values and effects in words, the same on a terminal, in a reason and in the text of an alert."""

import datetime as dt
from typing import Final

from alerts.catalogue import Unit
from collector.signals import Label
from runbooks.report import Evidence

_PERCENT: Final = 100


def amount(value: float | None, unit: str) -> str:
    """A KPI value with its unit, as short as it can be read: `97.3 %`, `1.24 s`, `$0.0031`."""
    if value is None:
        return "-"
    match unit:
        case Unit.RATIO:
            return f"{value * _PERCENT:.1f} %"
        case Unit.SECONDS:
            return f"{value:.2f} s"
        case Unit.USD:
            return f"${value:.2f}" if value >= 1 else f"${value:.4f}"
        case Unit.TOKENS:
            return f"{value:,.0f}"
        case _:
            return f"{value:.2f}"


def clock(at: float) -> str:
    """Local wall-clock time of a unix time."""
    return dt.datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def ago(seconds: float) -> str:
    """`3 min 52 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def effect(evidence: Evidence) -> str:
    """How much worse, with its interval: `52.5 points (37.9 to 66.0)`, `+180 % (140 to 230)`."""
    points = evidence.unit == Unit.RATIO
    if evidence.effect is None:
        return "from nothing"
    size = f"{evidence.effect * _PERCENT:.1f} points" if points else f"{evidence.effect * _PERCENT:+.0f} %"
    if evidence.low is None or evidence.high is None:
        return size
    digits = 1 if points else 0
    return f"{size} ({evidence.low * _PERCENT:.{digits}f} to {evidence.high * _PERCENT:.{digits}f})"


def chance(p: float | None) -> str:
    """A p-value that can be read: `0.003`, `1e-12`, `< 1e-99`."""
    if p is None:
        return "-"
    if p < 1e-99:  # noqa: PLR2004 beyond any meaning
        return "< 1e-99"
    return f"{p:.0e}" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 as short as it can be read


def sure(confidence: float) -> str:
    """A probability without false certainty: `93 %`, `> 99 %`."""
    percent = round(confidence * _PERCENT)
    return "> 99 %" if percent >= _PERCENT else f"{percent} %"


def place(subject: dict[str, str]) -> str:
    """`tool order_lookup`, `agent planner`, `prod`."""
    if tool := subject.get(Label.TOOL):
        return f"tool {tool}"
    if agent := subject.get(Label.AGENT):
        return f"agent {agent}"
    return subject.get(Label.ENVIRONMENT, "everything")
