"""What the page's template reads of each panel: texts, colours and links, ready to be put down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode

from markdown_it import MarkdownIt
from markupsafe import Markup

from agentobs.contract import Attr
from dashboards.lib import titles
from dashboards.lib.model import BoardLink, Column, Format, Heatmap, Link, Panel, Stat, StateTimeline, Table
from dashboards.report import drawings, figures, numbers
from dashboards.report.results import (
    Cells,
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
    Waterfall,
)

_MARKDOWN: Final = MarkdownIt("js-default")  # HTML in it is shown as text
_HIGH: Final = "\uffff"  # sorts last


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where links lead: boards in the page, runbooks by alert, and the address that a trace id completes."""

    boards: Mapping[str, str]
    runbooks: Mapping[str, str]
    traces: str
    now: float

    def trace(self, trace_id: str) -> str:
        """The address of a trace, or nothing."""
        return self.traces + quote(trace_id) if self.traces else ""

    def of(self, link: Link, labels: Mapping[str, str]) -> str:
        """The address behind a link of a row with those labels; empty where it leads nowhere."""
        if not isinstance(link, BoardLink):
            return link.url.format_map({name: quote(value) for name, value in labels.items()})
        if link.board not in self.boards:
            return ""
        chosen = {name: labels[label] for name, label in link.variables.items() if labels.get(label)}
        return f"#{link.board}" + (f"?{urlencode(chosen, quote_via=quote)}" if chosen else "")


def view(panel: Panel, result: Result, identity: str, places: Places) -> dict[str, Any]:
    """A panel for the template; `figure` is there for those that Plotly draws."""
    return {
        "id": identity,
        "title": panel.title,
        "description": panel.description,
        "no_data": panel.no_data,
        "links": _links(panel, places),
        **_body(panel, result, places),
    }


def _links(panel: Panel, places: Places) -> list[dict[str, str]]:
    pages = [
        {"title": f"Runbook {name}", "url": places.runbooks[name]} for name in panel.alerts if name in places.runbooks
    ]
    whole = [link for link in panel.links if isinstance(link, BoardLink) and link.board in places.boards]
    return [*pages, *({"title": link.title, "url": f"#{link.board}"} for link in whole)]


def _body(panel: Panel, result: Result, places: Places) -> dict[str, Any]:  # noqa: C901, PLR0911 a case per kind
    match result:
        case Failed(error):
            return {"kind": "failed", "text": error}
        case Nothing(why):
            return {"kind": "nothing", "text": why}
        case Prose(markdown):
            return {"kind": "prose", "html": Markup(_MARKDOWN.render(markdown))}  # noqa: S704 escaped by the renderer
        case Rows():
            return _table(panel, result, places)
        case TraceRows():
            return _traces(result, places)
        case Waterfall():
            return _steps(result, places)
        case LogLines():
            return _logs(result)
        case Graph():
            return {"kind": "drawing", "svg": Markup(drawings.graph(result.calls))}  # noqa: S704 names are escaped
        case Lines() if isinstance(panel, Stat):
            return _stat(panel, result, places)
        case Lines() | Cells():
            return _figure(panel, result, places)


def _figure(panel: Panel, result: Lines | Cells, places: Places) -> dict[str, Any]:
    figure = figures.figure(panel, result)
    if isinstance(result, Lines) and not isinstance(panel, StateTimeline):
        for drawn, line in zip(figure["data"], result.lines, strict=False):
            drawn |= {"last": numbers.text(line.last, panel.format, places.now), "label": line.name}
    figure["marked"] = not isinstance(panel, Heatmap)
    count = len(result.lines) if isinstance(result, Lines) else len(result.buckets)
    return {"kind": "figure", "figure": figure, "summary": f"{count} lines over time"}


def _stat(panel: Stat, result: Lines, places: Places) -> dict[str, Any]:
    return {"kind": "stat", "numbers": [_number(panel, line, places, len(result.lines)) for line in result.lines]}


def _number(panel: Stat, line: Line, places: Places, count: int) -> dict[str, Any]:
    found = numbers.colour(line.last, panel.steps)
    written = line.labels.get(panel.label, "") if panel.label else numbers.text(line.last, panel.format, places.now)
    return {
        "text": written,
        "name": line.name if count > 1 else "",
        "colour": found.name.lower() if found else "",
        "mark": numbers.mark(found),
        "spark": Markup(drawings.spark(line.values)),  # noqa: S704 numbers only
    }


def _table(panel: Panel, result: Rows, places: Places) -> dict[str, Any]:
    columns = panel.columns if isinstance(panel, Table) else ()
    rows = sorted(result.rows, key=lambda row: [str(value) for value in row.labels.values()])
    order = next((column for column in columns if isinstance(panel, Table) and column.title == panel.sort_by), None)
    if order is not None and isinstance(panel, Table):
        # Gaps come last in both directions.
        present = [row for row in rows if _key(order, row) is not None]
        present.sort(key=lambda row: _key(order, row) or 0, reverse=panel.descending)
        rows = [*present, *(row for row in rows if _key(order, row) is None)]
    return {
        "kind": "table",
        "headings": [column.title for column in columns],
        "rows": [
            {"labels": json.dumps(dict(row.labels)), "cells": [_cell(column, row, places) for column in columns]}
            for row in rows
        ],
    }


def _key(column: Column, row: Row) -> float | str | None:
    return row.labels.get(column.label or "") if column.query is None else row.values[column.query]


def _cell(column: Column, row: Row, places: Places) -> dict[str, Any]:
    url = places.of(column.link, row.labels) if column.link else ""
    if column.query is None:
        text = titles.text(column.label or "", row.labels.get(column.label or "", ""))
        return {"text": text, "sort": text, "colour": "", "mark": "", "url": url if text else ""}
    value = row.values[column.query]
    found = numbers.colour(value, column.steps)
    return {
        "text": numbers.text(value, column.format, places.now),
        "sort": "" if value is None else f"{value:g}" if column.format is not Format.AGO else f"{value:.0f}",
        "colour": found.name.lower() if found else "",
        "mark": numbers.mark(found),
        "url": url,
    }


def _traces(result: TraceRows, places: Places) -> dict[str, Any]:
    rows = []
    for row in result.rows:
        written = (
            (numbers.moment(row.start), f"{row.start:.3f}", ""),
            (row.name or "(no root yet)", row.name or _HIGH, ""),
            (row.service, row.service, ""),
            (numbers.text(row.duration_s, Format.SECONDS, places.now), f"{row.duration_s:g}", ""),
            (row.trace_id, row.trace_id, places.trace(row.trace_id)),
        )
        cells = [{"text": text, "sort": sort, "colour": "", "mark": "", "url": url} for text, sort, url in written]
        rows.append({"labels": "{}", "cells": cells})
    return {"kind": "table", "headings": ["Began", "Task", "Service", "Took", "Trace"], "rows": rows}


def _steps(result: Waterfall, places: Places) -> dict[str, Any]:
    whole = result.seconds or 1
    return {
        "kind": "steps",
        "trace_id": result.trace_id,
        "url": places.trace(result.trace_id),
        "took": numbers.text(result.seconds, Format.SECONDS, places.now),
        "steps": [
            {
                "name": step.span.name,
                "service": step.span.service,
                "failed": step.span.failed,
                "depth": step.depth,
                "left": f"{step.offset_s / whole * 100:.2f}",
                "width": f"{step.span.duration_s / whole * 100:.2f}",
                "took": numbers.text(step.span.duration_s, Format.SECONDS, places.now),
            }
            for step in result.steps
        ],
    }


def _logs(result: LogLines) -> dict[str, Any]:
    lines = [
        {
            "at": numbers.moment(line.at),
            "level": line.severity,
            "who": line.attributes.get(Attr.AGENT_NAME) or line.service,
            "text": line.text or line.event,
        }
        for line in result.lines
    ]
    return {"kind": "logs", "lines": lines}


def safe(text: str) -> str:
    """For Plotly, which reads a few HTML tags in names and hovers."""
    return escape(text, quote=False)
