"""How values are written: short, with their unit, the same in tables and beside lines."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from dashboards.lib.model import Colour, Format, Step

_LARGE: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_SMALL: Final = 1e-3
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_THOUSAND: Final = 1000
_PREFIXED, _AS_IT_IS = ".3~s", ".3~g"
# d3 formats with what stands before and after, for axes and hovers.
_TICKS: Final[dict[Format, tuple[str, str, str]]] = {
    Format.SHARE: (".3~p", "", ""),
    Format.SECONDS: (_PREFIXED, "", "s"),
    Format.USD: (".4~g", "$", ""),
    Format.TIMES: (_AS_IT_IS, "", "x"),
    Format.SCORE: (_AS_IT_IS, "", ""),
    Format.BYTES: (_PREFIXED, "", "B"),
    Format.PER_SECOND: (_PREFIXED, "", "/s"),
    Format.BYTES_PER_SECOND: (_PREFIXED, "", "B/s"),
}
_MARKS: Final = {Colour.BAD: "✖", Colour.WARNING: "▲"}


def text(value: float | None, form: Format, now: float) -> str:
    """`97.3 %`, `1.24 s`, `$0.0031`, `12.3 k`, `5 min ago`; a dash for no value. `now` in unix seconds."""
    if value is None:
        return "-"
    if form is Format.AGO:
        return ago(now - value / 1000)
    written = _WRITTEN.get(form, _plain)
    return written(value)


def bound(value: float, form: Format) -> str:
    """The upper bound of a bucket; the last has none."""
    return "more" if value == float("inf") else text(value, form, 0)


def ago(seconds: float) -> str:
    """`5 min ago`."""
    for size, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name} ago"
    return f"{max(0, seconds):.0f} s ago"


def moment(at: float) -> str:
    """A unix time in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def axis(form: Format, highest: float) -> dict[str, Any]:
    """How Plotly writes the values of an axis. Only seconds have thousandths of their own: 800 m/s is a speed."""
    ticks, before, after = _TICKS.get(form, (_PREFIXED, "", ""))
    if ticks == _PREFIXED and form is not Format.SECONDS and highest < _THOUSAND:
        ticks = _AS_IT_IS
    return {"tickformat": ticks, "hoverformat": ticks, "tickprefix": before, "ticksuffix": after}


def colour(value: float | None, steps: tuple[Step, ...]) -> Colour | None:
    """The colour of the last step that the value has reached."""
    if value is None or not steps:
        return None
    reached = [step.colour for step in steps if step.value is None or value >= step.value]
    return reached[-1] if reached else None


def mark(found: Colour | None) -> str:
    """A sign beside a colour, for those who do not see it."""
    return _MARKS.get(found, "") if found else ""


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 three digits


def _plain(value: float) -> str:
    return _large(value).strip()


def _large(value: float) -> str:
    for size, letter in _LARGE:
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    if value == round(value):
        return f"{value:.0f} "
    return f"{value:.3g} " if abs(value) >= _SMALL else f"{value:.1e} "


_WRITTEN: Final[dict[Format, Callable[[float], str]]] = {
    Format.SHARE: lambda value: f"{_digits(value * 100)} %",
    Format.SECONDS: lambda value: f"{_digits(value * 1000)} ms" if 0 < abs(value) < 1 else f"{_digits(value)} s",
    Format.USD: lambda value: f"${value:,.2f}" if abs(value) >= 1 else f"${value:.4f}",
    Format.TIMES: lambda value: f"{_digits(value)} x",
    Format.SCORE: _digits,
    Format.BYTES: lambda value: f"{_large(value)}B",
    Format.BYTES_PER_SECOND: lambda value: f"{_large(value)}B/s",
    Format.PER_SECOND: lambda value: f"{_large(value)}/s",
    Format.MOMENT: lambda value: moment(value / 1000),
}
