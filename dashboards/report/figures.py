"""Plotly figures, as the JSON that plotly.js reads. Colours of lines and of the page around them are the page's."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

from dashboards.lib.model import Colour, Panel, StateTimeline, Step, TimeSeries
from dashboards.report import numbers
from dashboards.report.results import Cells, Line, Lines

COLOURS: Final = {
    Colour.GOOD: "#2f9e44",
    Colour.WARNING: "#e8890c",
    Colour.BAD: "#d6336c",
    Colour.INFO: "#1c7ed6",
    Colour.NEUTRAL: "#868e96",
}
_MS: Final = 1000
_BAR: Final = 0.6
_ROOM: Final = 1.03  # a line at the maximum is not cut in half
_NOTHING: Final = 1e-6
_SIGNIFICANT: Final = 6  # digits; more would only make the page larger


def figure(panel: Panel, result: Lines | Cells) -> dict[str, Any]:
    """Data and layout of a panel."""
    if isinstance(result, Cells):
        return _heatmap(result)
    if isinstance(panel, StateTimeline):
        return _timeline(panel, result)
    return _lines(panel, result)


def _grid(moments: Sequence[float]) -> dict[str, float]:
    """Moments are even, so that the first and the step say it all."""
    step = moments[1] - moments[0] if len(moments) > 1 else 1
    return {"x0": round(moments[0] * _MS), "dx": round(step * _MS)}


def _lines(panel: Panel, result: Lines) -> dict[str, Any]:
    stacked = isinstance(panel, TimeSeries) and panel.stacked
    data = [_line(line, result.moments, stacked=stacked) for line in result.lines]
    data += _dots(result)
    limits = (panel.minimum, panel.maximum) if isinstance(panel, TimeSeries) else (None, None)
    highest = max((value for line in result.lines for value in line.values if value is not None), default=0)
    axis = {**numbers.axis(panel.format, highest), "rangemode": "tozero" if limits[0] == 0 else "normal"}
    if limits[1] is not None:
        axis["range"] = [limits[0] or 0, limits[1] * _ROOM]
    elif highest <= _NOTHING:
        axis |= {"range": [0, 1], "dtick": 1}
    # A threshold at nothing is the axis itself.
    thresholds = [step for step in panel.steps if step.value is not None and step.value > _NOTHING]
    layout = {"yaxis": axis, "shapes": [_threshold(step) for step in thresholds]}
    return {"data": data, "layout": layout}


def _line(line: Line, moments: Sequence[float], *, stacked: bool) -> dict[str, Any]:
    filled = {"stackgroup": "all", "line": {"width": 0.5}} if stacked else {"line": {"width": 1.5}}
    lonely = sum(value is not None for value in line.values) == 1
    return {
        "type": "scatter",
        "mode": "markers" if lonely else "lines",
        "name": escape(line.name, quote=False),
        "meta": dict(line.labels),
        "y": [_short(value) for value in line.values],
        **_grid(moments),
        "connectgaps": False,
        "hovertemplate": "%{fullData.name}: %{y}<br>%{x}<extra></extra>",
        **filled,
    }


def _dots(result: Lines) -> list[dict[str, Any]]:
    """Traces along the bottom: their values are seconds, whatever the axis is."""
    if not result.dots:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "traces",
            "x": [round(dot.at * _MS) for dot in result.dots],
            "y": [0] * len(result.dots),
            "text": [f"{escape(dot.trace_id)}, {dot.value:.3g} s" for dot in result.dots],
            "customdata": [dot.trace_id for dot in result.dots],
            "hovertemplate": "trace %{text}<extra></extra>",
            "marker": {"size": 7, "symbol": "diamond", "color": COLOURS[Colour.INFO]},
            "showlegend": False,
            "cliponaxis": False,
        }
    ]


def _threshold(step: Step) -> dict[str, Any]:
    line = {"color": COLOURS[step.colour], "width": 1, "dash": "dash"}
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": step.value, "y1": step.value, "line": line,
        # Below, a line of the grid at the same value hides it.
        "layer": "above",
    }  # fmt: skip


def _timeline(panel: StateTimeline, result: Lines) -> dict[str, Any]:
    """A bar for each stretch of one state, one row per series."""
    step = _grid(result.moments)["dx"]
    data = [
        _bar(line, panel.states.get(round(value), (f"{value:g}", Colour.NEUTRAL)), result.moments[first], length * step)
        for line in result.lines
        for first, length, value in _stretches(line.values)
    ]
    layout = {
        "barmode": "overlay",
        "yaxis": {"type": "category", "automargin": True, "autorange": "reversed", "ticklabelstandoff": 4},
        "showlegend": False,
        "bargap": 1 - _BAR,
    }
    return {"data": data, "layout": layout, "rows": len({line.name for line in result.lines})}


def _bar(line: Line, state: tuple[str, Colour], start: float, length_ms: float) -> dict[str, Any]:
    word, colour = state
    return {
        "type": "bar",
        "orientation": "h",
        "y": [escape(line.name, quote=False)],
        "x": [round(length_ms)],
        "base": [round(start * _MS)],
        "name": word,
        "meta": dict(line.labels),
        "marker": {"color": COLOURS[colour]},
        "hovertemplate": f"%{{y}}<br>{word} from %{{base|%H:%M:%S}}, {round(length_ms / _MS)} s<extra></extra>",
    }


def _stretches(values: Sequence[float | None]) -> Iterator[tuple[int, int, float]]:
    """Places where a state begins, for how many steps, and the state."""
    first, state = 0, None
    for number, value in enumerate([*values, None]):
        if value != state:
            if state is not None:
                yield first, number - first, state
            first, state = number, value


def _heatmap(result: Cells) -> dict[str, Any]:
    grid = _grid(result.moments)
    data = {
        "type": "heatmap",
        **grid,
        "y": list(result.buckets),
        "z": [[_short(count) or None for count in row] for row in result.counts],
        "colorscale": "Blues",
        "reversescale": True,
        "hovertemplate": "up to %{y}: %{z:.3~s}<extra></extra>",
        "colorbar": {"thickness": 8, "outlinewidth": 0},
        "hoverongaps": False,
    }
    return {"data": [data], "layout": {"yaxis": {"type": "category"}, "showlegend": False}}


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_SIGNIFICANT}g}")
