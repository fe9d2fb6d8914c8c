"""The part of a period in which something happened: thirty seconds of data are no dot at the edge of a day."""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue.model import counter
from alerts.promql import increase, matchers
from alerts.source import EXPORT_DELAY_S
from dashboards.report import choices
from dashboards.report.sources import Period, Sources

_LOOKS: Final = 4  # each sees much sharper than the one before, until nothing is gained
_GAIN: Final = 0.5
# What was counted had begun before; it is recorded and judged after.
_BEFORE_S: Final = EXPORT_DELAY_S
_AFTER_S: Final = 2 * EXPORT_DELAY_S
_ROOM: Final = 0.05
_SHORTEST_S: Final = 60.0


def fitted(sources: Sources, asked: Period, environment: str) -> Period:
    """From the first to the last call or firing alert of an environment, with some room; `asked` without any."""
    found = asked
    try:
        for _ in range(_LOOKS):
            closer = _closer(sources, found, environment)
            if closer is None:
                break
            found, before = closer, found
            if found.seconds > before.seconds * _GAIN:
                break
    except sources.errors:
        return asked  # the panels say what is wrong
    return asked if found is asked else _with_room(found, asked)


def _closer(sources: Sources, period: Period, environment: str) -> Period | None:
    """The same, as sharp as the points of a picture of that period are."""
    step = choices.step(period)
    window = max(step, choices.RATE_S)
    calls = f"{increase(counter(contract.SPAN_CALLS), (), {Label.ENVIRONMENT: environment}, window)} > 0"
    alerts = f"ALERTS{matchers({'environment': environment, 'alertstate': 'firing'})}"
    called, fired = _moments(sources, calls, period, step), _moments(sources, alerts, period, step)
    if not called and not fired:
        return None
    # A call shows in every window that it is in: for that long after it, unless the period ends before.
    ends = [at if at + step > period.end else at - window for at in called[-1:]] + fired[-1:]
    start, end = min(called[:1] + fired[:1]) - step, max(ends) + step
    return Period(max(period.start, start), max(period.start, min(period.end, end)))


def _moments(sources: Sources, query: str, period: Period, step: float) -> list[float]:
    found = sources.metrics.range(query, period.start, period.end, step)
    return sorted({at for series in found for at, _ in series.points})


def _with_room(found: Period, asked: Period) -> Period:
    room = found.seconds * _ROOM
    start = max(asked.start, found.start - max(room, _BEFORE_S))
    end = min(asked.end, found.end + max(room, _AFTER_S))
    return Period(max(asked.start, min(start, end - _SHORTEST_S)), end)
