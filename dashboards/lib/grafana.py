"""A board as the classic dashboard JSON (schema 42) that Grafana 12 and 13 import without a warning.

grafanalib writes the frame; what it does not know (data links, Tempo, exemplars, node graphs) comes from
`dashboards.lib.visual`, and what it writes for Grafanas of long ago is taken out by `finish`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import attr
from grafanalib import core

from collector.stores import GRAFANA, Stores
from dashboards.lib import links, sources, visual
from dashboards.lib.layout import Place, PlacedSection, place
from dashboards.lib.model import Board, BoardLink, Panel, Text, TraceView, UrlLink
from dashboards.lib.templating import annotations, templates
from dashboards.lib.variables import TRACE

SCHEMA_VERSION: Final = 42
TAG: Final = "agentobs"
# Written by grafanalib for panels and dashboards of another age, or unset.
_OLD_PANEL: Final = ("cacheTimeout", "editable", "error", "height", "hideTimeOverride", "minSpan", "span")
_OLD_DASHBOARD: Final = (
    "__inputs",
    "gnetId",
    "hideControls",
    "rows",
    "sharedCrosshair",
    "style",
    "timepicker",
    "version",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """What is not in Grafana: the stores in use, addresses of runbooks by alert, and of Langfuse.

    `langfuse` is the address that a trace id completes; empty without a Langfuse.
    """

    runbooks: Mapping[str, str] = field(default_factory=dict)
    langfuse: str = ""
    stores: Stores = GRAFANA

    def of(self, panel: Panel) -> Iterator[dict[str, Any]]:
        """Runbooks of what watches the panel, and the trace in Langfuse."""
        for name in panel.alerts:
            if name in self.runbooks:
                yield _link(f"Runbook: {name}", self.runbooks[name])
        if self.langfuse and isinstance(panel, TraceView):
            yield _link("The trace in Langfuse", f"{self.langfuse}/${{{TRACE.name}}}")


@attr.s
class _Panel(core.Panel):  # type: ignore[misc] # grafanalib has no types
    """Any panel: grafanalib's frame around the visualisation that `visual` describes."""

    kind: Any = attr.ib(default="")
    visualisation: Any = attr.ib(factory=dict)

    def to_json_data(self) -> dict[str, Any]:
        """Return the form grafanalib's encoder and Grafana read."""
        return dict(self.panel_json({"type": self.kind, **self.visualisation}))


def dashboard(
    board: Board,
    sites: Sites,
    boards: Mapping[str, str],
    *,
    editable: bool,
) -> dict[str, Any]:
    """The JSON of a board. `boards`: slug -> title, of all there are."""
    made = core.Dashboard(
        title=f"agentobs / {board.title}",
        description=board.question,
        uid=board.uid,
        tags=[TAG, *board.tags],
        editable=editable,
        timezone="utc",
        refresh="1m",
        graphTooltip=1,
        schemaVersion=SCHEMA_VERSION,
        time=core.Time("now-6h", "now"),
        templating=core.Templating(list=templates(board, sites.stores)),
        annotations=core.Annotations(list=annotations(board)),
        links=[_to_board(slug, boards[slug]) for slug in board.next],
        panels=list(_panels(place(board.sections), sites)),
    ).to_json_data()
    return finish(made)


def _to_board(slug: str, title: str) -> dict[str, Any]:
    return {
        "type": "link", "title": title, "url": f"{links.HOME}{slug}", "icon": "dashboard", "tooltip": "", "tags": [],
        "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False,
    }  # fmt: skip


def _panels(sections: Iterable[PlacedSection], sites: Sites) -> Iterator[dict[str, Any]]:
    number = 0
    for placed in sections:
        number += 1
        heading = {"x": 0, "y": placed.y, "w": 24, "h": 1}
        inner = [
            _panel(panel, spot, number + offset, sites) for offset, (panel, spot) in enumerate(placed.panels, start=1)
        ]
        collapsed = placed.section.collapsed
        yield {
            "type": "row", "id": number, "title": placed.section.title, "gridPos": heading, "collapsed": collapsed,
            "panels": inner if collapsed else [],
        }  # fmt: skip
        if not collapsed:
            yield from inner
        number += len(inner)


def _panel(panel: Panel, spot: Place, number: int, sites: Sites) -> dict[str, Any]:
    kind, visualisation = visual.describe(panel)
    make: Any = _Panel  # its fields come from grafanalib, which has no types
    frame = make(
        title=panel.title,
        description=f"{panel.description}\n\nNo data: {panel.no_data}"
        if not isinstance(panel, Text)
        else panel.description,
        id=number,
        gridPos={"x": spot.x, "y": spot.y, "w": spot.w, "h": spot.h},
        dataSource=sources.of_panel(panel, sites.stores),
        targets=[
            sources.target(query, ref, panel, sites.stores) for ref, query in zip(_REFS, panel.queries, strict=False)
        ],
        links=[*sites.of(panel), *(_link(link.title, links.address(link)) for link in panel.links if _whole(link))],
        maxDataPoints=None,
        kind=kind,
        visualisation=visualisation,
    )
    return dict(frame.to_json_data())


_REFS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _whole(link: BoardLink | UrlLink) -> bool:
    """Whether a link is about the panel, not about what was clicked in it."""
    return isinstance(link, BoardLink) and not link.variables


def _link(title: str, url: str) -> dict[str, Any]:
    return {
        "type": "link", "title": title, "url": url, "targetBlank": not url.startswith("/"), "icon": "", "tooltip": "",
        "tags": [], "asDropdown": False, "includeVars": False, "keepTime": False,
    }  # fmt: skip


def finish(made: Mapping[str, Any]) -> dict[str, Any]:
    """Take out what is old or unset. A base threshold keeps its null: it means from the start of the scale."""
    kept = {key: value for key, value in made.items() if key not in _OLD_DASHBOARD}
    kept["id"] = None
    kept["panels"] = [_finish_panel(panel) for panel in kept["panels"]]
    return {key: value if key == "id" else _set(value) for key, value in kept.items()}


def _finish_panel(panel: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in panel.items() if key not in _OLD_PANEL}
    if "panels" in kept:
        kept["panels"] = [_finish_panel(inner) for inner in kept["panels"]]
    return kept


def _set(value: Any) -> Any:  # noqa: ANN401 JSON
    """Without unset keys, at any depth."""
    if hasattr(value, "to_json_data"):
        return _set(value.to_json_data())
    if isinstance(value, Mapping):
        return {k: _set(v) for k, v in value.items() if v is not None or (k == "value" and "color" in value)}
    if isinstance(value, list | tuple):
        return [_set(item) for item in value]
    return value
