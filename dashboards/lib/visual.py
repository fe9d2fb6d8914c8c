"""How each kind of panel looks in Grafana: type, options, field configuration, transformations."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from dashboards.lib import fields, tables
from dashboards.lib.model import (
    Heatmap,
    LogList,
    NodeGraph,
    Panel,
    Stat,
    StateTimeline,
    Table,
    Text,
    TimeSeries,
    TraceList,
    TraceView,
)

_LINE: Final = {
    "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 10, "gradientMode": "none",
    "spanNulls": False, "showPoints": "auto", "pointSize": 4, "axisPlacement": "auto", "axisLabel": "",
    "axisColorMode": "text", "axisCenteredZero": False, "axisBorderShow": False, "barAlignment": 0,
    "scaleDistribution": {"type": "linear"}, "insertNulls": False,
    "hideFrom": {"legend": False, "tooltip": False, "viz": False},
}  # fmt: skip


_LOGS: Final = {
    "showTime": True, "showLabels": False, "showCommonLabels": False, "wrapLogMessage": True, "dedupStrategy": "none",
    "prettifyLogMessage": False, "showLogContextToggle": True, "enableLogDetails": True, "sortOrder": "Descending",
}  # fmt: skip
_GRAPH: Final[dict[str, Any]] = {"nodes": {}, "edges": {}}


def _defaults(panel: Panel) -> dict[str, Any]:
    clicked = [fields.link(link) for link in panel.links if getattr(link, "variables", True)]
    return {
        "unit": panel.format.value, "noValue": "no data", "mappings": [], "links": clicked,
        "thresholds": fields.steps(panel.steps), **fields.decimals(panel.format),
    }  # fmt: skip


def _time_series(panel: TimeSeries) -> dict[str, Any]:
    custom = {
        **_LINE,
        "fillOpacity": 40 if panel.stacked else 10,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
    }
    limits = {name: value for name, value in (("min", panel.minimum), ("max", panel.maximum)) if value is not None}
    defaults = {**_defaults(panel), **limits, "color": {"mode": "palette-classic-by-name"}, "custom": custom}
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": False},
    }
    return {"options": options, "fieldConfig": fields.config(defaults)}


def _stat(panel: Stat) -> dict[str, Any]:
    course = not any(getattr(query, "instant", False) for query in panel.queries)
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "name" if panel.label else "auto", "colorMode": "value", "justifyMode": "auto",
        "graphMode": "area" if course else "none", "orientation": "auto", "wideLayout": True,
        "showPercentChange": False, "percentChangeColorMode": "standard",
    }  # fmt: skip
    defaults = {**_defaults(panel), "color": {"mode": "thresholds"}}
    return {"options": options, "fieldConfig": fields.config(defaults)}


def _heatmap(panel: Heatmap) -> dict[str, Any]:
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Blues", "steps": 64, "exponent": 0.5, "fill": "blue", "reverse": False},
        "yAxis": {"unit": panel.format.value, "axisPlacement": "left"},
        "rowsFrame": {"layout": "auto"},
        "filterValues": {"le": 1e-9},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": False},
        "legend": {"show": True},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
    }
    return {"options": options, "fieldConfig": fields.config(_defaults(panel))}


def _state_timeline(panel: StateTimeline) -> dict[str, Any]:
    words = {
        str(value): {"text": text, "color": str(colour), "index": index}
        for index, (value, (text, colour)) in enumerate(panel.states.items())
    }
    custom = {"lineWidth": 0, "fillOpacity": 80}
    defaults = {
        **_defaults(panel), "mappings": [{"type": "value", "options": words}], "custom": custom,
        "color": {"mode": "thresholds"},
    }  # fmt: skip
    options = {
        "mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    return {"options": options, "fieldConfig": fields.config(defaults)}


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"options": dict(options), "fieldConfig": fields.config({})}


def _text(panel: Text) -> dict[str, Any]:
    return _plain({"mode": "markdown", "content": panel.markdown})


_KINDS: Final[dict[type[Panel], tuple[str, Callable[[Any], dict[str, Any]]]]] = {
    TimeSeries: ("timeseries", _time_series),
    Stat: ("stat", _stat),
    Table: ("table", tables.table),
    Heatmap: ("heatmap", _heatmap),
    StateTimeline: ("state-timeline", _state_timeline),
    Text: ("text", _text),
    LogList: ("logs", lambda _: _plain(_LOGS)),
    TraceList: ("table", lambda _: tables.plain()),
    TraceView: ("traces", lambda _: _plain({})),
    NodeGraph: ("nodeGraph", lambda _: _plain(_GRAPH)),
}


def describe(panel: Panel) -> tuple[str, dict[str, Any]]:
    """Grafana's name of the panel type, and the keys that make it what it is."""
    kind, visualisation = _KINDS[type(panel)]
    return kind, visualisation(panel)
