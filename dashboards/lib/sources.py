"""Data sources of a board, as variables that Grafana lets a reader choose, and the targets that ask them."""

from typing import Any, Final

from dashboards.lib.model import Board, Heatmap, LogQl, Panel, Prom, Query, ServiceGraph, Table, TraceQl, TraceView

# Variable -> plugin; a board has those it asks.
PLUGINS: Final = {"datasource": "prometheus", "loki": "loki", "tempo": "tempo"}
TITLES: Final = {"datasource": "Metrics", "loki": "Logs", "tempo": "Traces"}


def variable(query: Query) -> str:
    """The variable that holds the data source a query goes to."""
    match query:
        case Prom():
            return "datasource"
        case LogQl():
            return "loki"
        case TraceQl() | ServiceGraph():
            return "tempo"


def reference(name: str) -> dict[str, str]:
    """A reference to the data source that a variable holds."""
    return {"type": PLUGINS[name], "uid": f"${{{name}}}"}


def of_panel(panel: Panel) -> dict[str, str] | None:
    """The data source of a panel; a text has none."""
    return reference(variable(panel.queries[0])) if panel.queries else None


def target(query: Query, ref: str, panel: Panel) -> dict[str, Any]:
    """A query as Grafana stores it."""
    common: dict[str, Any] = {"refId": ref, "datasource": reference(variable(query))}
    match query:
        case Prom():
            return {**common, **_prom(query, panel)}
        case LogQl():
            return {**common, "expr": query.expr, "queryType": "range", "editorMode": "code"}
        case TraceQl():
            kind = "traceId" if isinstance(panel, TraceView) else "traceql"
            return {**common, "queryType": kind, "query": query.query, "limit": query.limit, "tableType": "traces"}
        case ServiceGraph():
            return {**common, "queryType": "serviceMap", "serviceMapQuery": query.where}


def _prom(query: Prom, panel: Panel) -> dict[str, Any]:
    form = "table" if isinstance(panel, Table) else "heatmap" if isinstance(panel, Heatmap) else "time_series"
    return {
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "format": form,
        "instant": query.instant,
        "range": not query.instant,
        "exemplar": query.exemplars,
        "editorMode": "code",
    }


def used(board: Board) -> tuple[str, ...]:
    """The variables of data sources that a board needs; its other variables and annotations ask the metrics."""
    asked = {variable(query) for panel in board.panels() for query in panel.queries}
    return tuple(name for name in PLUGINS if name in asked or name == "datasource")
