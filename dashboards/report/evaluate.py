"""Evaluates a board's panels against the stores."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final, TypeVar

from alerts.evidence import of_counters
from alerts.source import Series
from collector.search import Call
from dashboards.lib.model import (
    Board,
    Heatmap,
    LineQuery,
    LogList,
    NodeGraph,
    Panel,
    Prom,
    ServiceGraph,
    Table,
    Text,
    TraceById,
    TraceList,
    TraceQuery,
    TraceView,
)
from dashboards.lib.variables import TRACE
from dashboards.report import choices, numbers, traces
from dashboards.report.results import (
    Cells,
    Dot,
    Failed,
    Graph,
    Line,
    Lines,
    LogLines,
    Nothing,
    Prose,
    Result,
    Row,
    Rows,
    TraceRows,
)
from dashboards.report.sources import Period, Sources

_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_LOG_LINES: Final = 100
_DOTS: Final = 60
_CALLS: Final = "sum by (client, server) (increase(traces_service_graph_request_total{where}[$__range])) > 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Asks one board's questions about a period, with the variables that were chosen."""

    board: Board
    sources: Sources
    period: Period
    chosen: Mapping[str, str]

    def panels(self) -> Iterator[tuple[Panel, Result]]:
        """Every panel with what it shows, from top to bottom. Unless one is chosen, the first trace found is shown."""
        now = self
        for panel in self.board.panels():
            result = now.panel(panel)
            if isinstance(result, TraceRows) and TRACE.name not in now.chosen:
                now = replace(self, chosen={**self.chosen, TRACE.name: result.rows[0].trace_id})
            yield panel, result

    def panel(self, panel: Panel) -> Result:
        """What one panel shows; a store's error becomes the result."""
        try:
            return self._asked(panel) or Nothing(panel.no_data)
        except self.sources.errors as error:
            return Failed(str(error))

    def range(self, query: Prom) -> list[Series]:
        """A range query over the whole period."""
        return self._range(query.expr)

    def _range(self, expr: str) -> list[Series]:
        step = choices.step(self.period)
        return self.sources.metrics.range(self._metrics(expr), self.period.start, self.period.end, step)

    def _side_by_side(self, queries: Sequence[Prom]) -> list[list[Series]]:
        """What each query finds. Where one finds nothing, all ask counters: young rules would compare two moments."""
        recorded = [self._range(query.expr) for query in queries]
        if all(recorded):
            return recorded
        ways = [_ways(query)[1:] for query in queries]
        counted = [[series for expr in others for series in self._range(expr)] for others in ways]
        return [new or old for new, old in zip(counted, recorded, strict=True)]

    def _asked(self, panel: Panel) -> Result | None:
        if isinstance(panel, Text):
            return Prose(panel.markdown)
        kinds: dict[type[Panel], Callable[[Any], Result | None]] = {
            Table: self._table,
            Heatmap: self._heatmap,
            LogList: self._logs,
            TraceList: self._traces,
            TraceView: self._traces,
            NodeGraph: self._graph,
        }
        return kinds.get(type(panel), self._lines)(panel)

    def _metrics(self, expr: str) -> str:
        return choices.metrics(expr, self.board, self.period, self.chosen)

    def _moments(self) -> list[float]:
        step = choices.step(self.period)
        return [self.period.start + number * step for number in range(int(self.period.seconds // step) + 1)]

    def _lines(self, panel: Panel) -> Lines | None:
        moments = self._moments()
        found: list[Line] = []
        dots: list[Dot] = []
        queries = _of(panel, Prom)
        for query, series in zip(queries, self._side_by_side(queries), strict=True):
            found += [
                Line(legend(query.legend, each.labels), each.labels, self._on_grid(each, moments)) for each in series
            ]
            dots += self._dots(query) if query.exemplars else []
        return Lines(moments, found, dots) if found else None

    def _on_grid(self, series: Series, moments: list[float]) -> list[float | None]:
        step, values = choices.step(self.period), dict[int, float]()
        for at, value in series.points:
            values[round((at - self.period.start) / step)] = value
        return [_finite(values.get(number)) for number in range(len(moments))]

    def _dots(self, query: Prom) -> list[Dot]:
        """The newest exemplars; those of a long period would hide the lines."""
        found = self.sources.metrics.exemplars(self._metrics(query.expr), self.period.start, self.period.end)
        newest = sorted(found, key=lambda each: -each.at)[:_DOTS]
        return [Dot(each.at, each.value, each.trace_id) for each in newest]

    def _table(self, panel: Table) -> Rows | None:
        """Rows are joined on the labels of the columns, as Grafana merges them."""
        labels = [column.label for column in panel.columns if column.label is not None]
        queries = _of(panel, Prom)
        rows: dict[tuple[str, ...], list[float | None]] = defaultdict(lambda: [None] * len(queries))
        # What counters say at the end is newer than the last that was recorded; what has stopped was recorded only.
        for number, expr in ((number, expr) for number, query in enumerate(queries) for expr in _ways(query)):
            for sample in self.sources.metrics.instant(self._metrics(expr), self.period.end):
                rows[tuple(sample.labels.get(label, "") for label in labels)][number] = _finite(sample.value)
        # A row without a value of the first question is a gap in it, a row without any label is nobody's.
        named = {key: values for key, values in rows.items() if any(key)}
        found = [Row(dict(zip(labels, key, strict=True)), values) for key, values in named.items()]
        return Rows(found) if found else None

    def _heatmap(self, panel: Panel) -> Cells | None:
        moments = self._moments()
        buckets: dict[float, list[float | None]] = {}
        for query in _of(panel, Prom):
            for series in self.range(query):
                buckets[float(series.labels.get("le", "inf"))] = self._on_grid(series, moments)
        if not any(value for values in buckets.values() for value in values):
            return None
        bounds = sorted(buckets)
        counts, below = [], [0.0] * len(moments)
        for bound in bounds:
            cumulative = [value or 0.0 for value in buckets[bound]]
            counts.append([max(0.0, now - before) for now, before in zip(cumulative, below, strict=True)])
            below = cumulative
        return Cells(moments, [numbers.bound(bound, panel.format) for bound in bounds], counts)

    def _logs(self, panel: Panel) -> LogLines | Nothing | None:
        if self.sources.logs is None:
            return Nothing("No store of logs was given to this report.")
        (query,) = _of(panel, LineQuery)
        search = choices.search(query.search, self.board, self.chosen)
        lines = self.sources.logs.lines(search, self.period.start, self.period.end, _LOG_LINES)
        return LogLines(lines) if lines else None

    def _traces(self, panel: Panel) -> Result | None:
        if self.sources.traces is None:
            return Nothing("No store of traces was given to this report.")
        if isinstance(panel, TraceView):
            (one,) = _of(panel, TraceById)
            asked = choices.plain(one.trace_id, self.board, self.chosen)
            return traces.waterfall(asked, self.sources.traces.trace(asked)) if asked else None
        (query,) = _of(panel, TraceQuery)
        search = choices.search(query.search, self.board, self.chosen)
        rows = self.sources.traces.find(search, self.period.start, self.period.end, query.limit)
        return TraceRows(rows) if rows else None

    def _graph(self, panel: Panel) -> Graph | None:
        (query,) = _of(panel, ServiceGraph)
        search, store = choices.search(query.search, self.board, self.chosen), self.sources.traces
        told = store.calls(search, self.period.start, self.period.end) if store else None
        if told is not None:
            return Graph(told) if told else None
        expr = self._metrics(_CALLS.replace("{where}", query.where))
        calls = [
            Call(sample.labels.get("client", ""), sample.labels.get("server", ""), sample.value)
            for sample in self.sources.metrics.instant(expr, self.period.end)
        ]
        return Graph(calls) if calls else None


_Kind = TypeVar("_Kind")


def _of(panel: Panel, kind: type[_Kind]) -> list[_Kind]:
    return [query for query in panel.queries if isinstance(query, kind)]


def _ways(query: Prom) -> tuple[str, ...]:
    """A query as boards ask it, then of the counters behind it."""
    return tuple(dict.fromkeys((query.expr, of_counters(query.expr))))


def legend(template: str, labels: Mapping[str, str]) -> str:
    """A series' name: its legend filled in, or its labels where there is none."""
    if not template:
        return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name != "__name__") or "total"
    return " ".join(_LEGEND.sub(lambda found: _short(labels.get(found[1], "")), template).split()) or "total"


def _short(value: str) -> str:
    """A path without its folders, which are the same in all names and would hide what differs."""
    return value.rpartition("/")[2] or value if value.startswith("/") else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
