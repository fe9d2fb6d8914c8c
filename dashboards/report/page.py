"""Puts a report together: boards evaluated, placed and written into one page that needs no network."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from alerts.alerting.model import VARIABLES
from dashboards.lib import variables
from dashboards.lib.layout import place
from dashboards.lib.model import Board, Variable
from dashboards.report import choices, marks, numbers
from dashboards.report.evaluate import Evaluation
from dashboards.report.results import Failed, Nothing, Result
from dashboards.report.sources import Period, Sources
from dashboards.report.views import Places, view

_HERE: Final = Path(__file__).parent
_MS: Final = 1000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A page, and what is in it. `empty` are (board, panel) without data; `failed` panels show an error instead."""

    html: str
    panels: int
    with_data: int
    failed: int
    empty: tuple[tuple[str, str], ...]


def _quiet(_title: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def render(  # noqa: PLR0913 what a report is made of
    boards: Sequence[Board],
    sources: Sources,
    period: Period,
    chosen: Mapping[str, str],
    *,
    runbooks: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = _quiet,
    traces_url: str = "",
    made: float | None = None,
) -> Report:
    """Evaluate boards and write the page. `chosen`: variable -> value; `progress` is told board, panels done and all.

    `runbooks` are addresses by alert; `traces_url` is the address that a trace id completes; `made` is the time at
    which the page is made, where that is not the end of the period. Raises what `sources` raises and does not declare.
    """
    now = period.end if made is None else made
    places = Places(boards={board.slug: board.title for board in boards}, runbooks=runbooks, traces=traces_url, now=now)
    total = sum(1 for board in boards for _ in board.panels())
    found: dict[tuple[str, str], Result] = {}
    views = []
    for board in boards:
        evaluation = Evaluation(board=board, sources=sources, period=period, chosen=chosen)
        results: dict[str, Result] = {}
        for panel, result in evaluation.panels():
            results[panel.title] = found[board.slug, panel.title] = result
            progress(board.title, len(found), total)
        views.append(_board(board, results, places, evaluation))
    empty = tuple(key for key, result in found.items() if isinstance(result, Nothing))
    failed = sum(isinstance(result, Failed) for result in found.values())
    counts = {"panels": total, "with_data": total - failed - len(empty), "failed": failed}
    return Report(html=_page(views, period, now, chosen, counts), empty=empty, **counts)


def _board(board: Board, results: Mapping[str, Result], places: Places, evaluation: Evaluation) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    sections = []
    for number, placed in enumerate(place(board.sections)):
        panels: list[dict[str, Any]] = []
        for panel, spot in placed.panels:
            made = view(panel, results[panel.title], f"{board.slug}-{number}-{len(panels)}", places)
            if "figure" in made:
                figures[made["id"]] = made.pop("figure")
            panels.append({**made, "x": spot.x, "w": spot.w, "h": spot.h})
        sections.append({"title": placed.section.title, "panels": panels})
    period = evaluation.period
    data = {
        "figures": figures,
        "marks": marks.moments(evaluation),
        "period": [round(period.start * _MS), round(period.end * _MS)],
    }
    return {
        "slug": board.slug,
        "title": board.title,
        "question": board.question,
        "sections": sections,
        "failed": sum(isinstance(result, Failed) for result in results.values()),
        "next": [{"title": places.boards[slug], "url": f"#{slug}"} for slug in board.next if slug in places.boards],
        "variables": json.dumps({each.name: _label(each) for each in board.variables}),
        "open": json.dumps(
            {each.name: _open(each) for each in board.variables if choices.open_here(each, evaluation.chosen)}
        ),
        "data": _json(data),
    }


def _label(variable: Variable) -> str:
    """The label of rows and series that a variable narrows."""
    by_name = {name: str(label) for label, name in VARIABLES.items()}
    return variable.label or by_name.get(variable.name, variable.name)


def _open(variable: Variable) -> dict[str, Any]:
    return {"title": variable.title, "first": variable.values[0], "values": list(variable.values)}


def _json(value: Any) -> Markup:  # noqa: ANN401 JSON
    """For a script element: nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 made safe in this line


def _page(
    views: list[dict[str, Any]], period: Period, now: float, chosen: Mapping[str, str], counts: Mapping[str, int]
) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    where = chosen.get(variables.ENVIRONMENT.name, "")
    narrowed = "".join(f", {name} {value}" for name, value in chosen.items() if name != variables.ENVIRONMENT.name)
    failed = f", {counts['failed']} not evaluated" if counts["failed"] else ""
    return environment.get_template("page.html.j2").render(
        title=f"agentobs: environment {where}" if where else "agentobs",
        period=f"{numbers.moment(period.start)} to {numbers.moment(period.end)}",
        made=numbers.moment(now),
        counted=f"{counts['with_data']} of {counts['panels']} panels with data{failed}{narrowed}",
        boards=views,
        css=Markup((_HERE / "page.css").read_text("utf-8")),  # noqa: S704 our own file
        js=Markup((_HERE / "page.js").read_text("utf-8")),  # noqa: S704 our own file
        plotly=Markup(get_plotlyjs()),  # noqa: S704 plotly's own file
    )
