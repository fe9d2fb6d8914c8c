"""Values and times in words, the same on a terminal, in a reason and in the text of an alert."""

import datetime as dt
from typing import Final

from alerts.catalogue import Direction, Kpi, Unit

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


def promised(kpi: Kpi) -> str:
    """What a KPI promises: `at least 90.0 %`."""
    least = kpi.direction is Direction.HIGHER_IS_BETTER
    return f"{'at least' if least else 'at most'} {amount(kpi.promise, kpi.unit)}"


def clock(at: float) -> str:
    """Local date, time and zone of a unix time: `2026-11-30 16:04:05 UTC`."""
    return dt.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def ago(seconds: float) -> str:
    """`3 min 52 s`, `2 h 5 min`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
