"""Data sources of a board, as variables that Grafana lets a reader choose, and the targets that ask them."""

from typing import Any, Final

from collector.search import LineSearch, jaeger, logql, logsql, traceql
from collector.search.model import Op, SpanSearch, filled
from collector.stores import LogKind, Stores, TraceKind
from dashboards.lib import tables
from dashboards.lib.model import (
    Board,
    Heatmap,
    LineQuery,
    Panel,
    Prom,
    Query,
    ServiceGraph,
    Table,
    TraceById,
    TraceQuery,
)
from dashboards.lib.variables import SERVICE

METRICS: Final = "datasource"
PLUGINS: Final = {
    METRICS: "prometheus",
    LogKind.LOKI: "loki",
    LogKind.VICTORIALOGS: "victoriametrics-logs-datasource",
    TraceKind.TEMPO: "tempo",
    TraceKind.JAEGER: "jaeger",
}
"""Variable -> plugin; a board has those it asks."""
TITLES: Final = {
    METRICS: "Metrics",
    LogKind.LOKI: "Logs",
    LogKind.VICTORIALOGS: "Logs",
    TraceKind.TEMPO: "Traces",
    TraceKind.JAEGER: "Traces",
}


def variable(query: Query, stores: Stores) -> str:
    """The variable that holds the data source a query goes to."""
    match query:
        case Prom():
            return METRICS
        case LineQuery():
            return stores.logs
        case TraceQuery() | TraceById() | ServiceGraph():
            return stores.traces


def reference(name: str) -> dict[str, str]:
    """A reference to the data source that a variable holds."""
    return {"type": PLUGINS[name], "uid": f"${{{name}}}"}


def of_panel(panel: Panel, stores: Stores) -> dict[str, str] | None:
    """The data source of a panel; a text has none."""
    return reference(variable(panel.queries[0], stores)) if panel.queries else None


def target(query: Query, ref: str, panel: Panel, stores: Stores) -> dict[str, Any]:
    """A query as Grafana stores it."""
    common: dict[str, Any] = {"refId": ref, "datasource": reference(variable(query, stores))}
    match query:
        case Prom():
            return {**common, **_prom(query, panel)}
        case LineQuery():
            return {**common, **_lines(query.search, stores.logs)}
        case _ if stores.traces is TraceKind.JAEGER:
            return {**common, **_jaeger(query)}
        case _:
            return {**common, **_tempo(query)}


def _lines(search: LineSearch, store: LogKind) -> dict[str, Any]:
    if store is LogKind.LOKI:
        return {"expr": logql.render(search), "queryType": "range", "editorMode": "code"}
    # Several values that are chosen become one pattern.
    patterns = {str(term.value).lstrip("$") for term in search.terms if term.op is Op.MATCHES}
    search = filled(search, {name: f"${{{name}:regex}}" for name in patterns})
    return {"expr": logsql.render(search), "queryType": "instant", "editorMode": "code"}


def _tempo(query: TraceQuery | TraceById | ServiceGraph) -> dict[str, Any]:
    match query:
        case TraceById():
            return {"queryType": "traceId", "query": query.trace_id, "limit": 20, "tableType": "traces"}
        case TraceQuery():
            asked = {"query": traceql.render(query.search), "limit": query.limit}
            return {"queryType": "traceql", **asked, "tableType": "traces"}
        case ServiceGraph():
            return {"queryType": "serviceMap", "serviceMapQuery": query.where}


def _jaeger(query: TraceQuery | TraceById | ServiceGraph) -> dict[str, Any]:
    match query:
        case TraceById():
            return {"query": query.trace_id}
        case TraceQuery():
            search: SpanSearch = query.tags or query.search
            return {
                "queryType": "search",
                "service": f"${SERVICE.name}",
                "tags": jaeger.tags_text(search),
                "minDuration": jaeger.milliseconds(search.slower_than_s),
                "limit": query.limit,
            }
        case ServiceGraph():
            return {"queryType": "dependencyGraph"}


def _prom(query: Prom, panel: Panel) -> dict[str, Any]:
    form = "table" if isinstance(panel, Table) else "heatmap" if isinstance(panel, Heatmap) else "time_series"
    return {
        "expr": tables.asked(panel, query.expr) if isinstance(panel, Table) else query.expr,
        "legendFormat": query.legend or "__auto",
        "format": form,
        "instant": query.instant,
        "range": not query.instant,
        "exemplar": query.exemplars,
        "editorMode": "code",
    }


def used(board: Board, stores: Stores) -> tuple[str, ...]:
    """The variables of data sources that a board needs; its other variables and annotations ask the metrics."""
    asked = {variable(query, stores) for panel in board.panels() for query in panel.queries}
    return tuple(str(name) for name in PLUGINS if name in asked or name == METRICS)
