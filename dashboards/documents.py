"""All boards as files: as our Grafana is provisioned with them, and as a person imports them into another.

Both are made from the same objects. The first asks a reader for data sources in the board; the second asks once, at the
import, and is bound to them.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from alerts import alerting
from alerts.alerting import Links
from alerts.alerting.model import runbook_slug
from alerts.timing import PRODUCTION
from collector.stores import GRAFANA as GRAFANA_STORES
from collector.stores import Stores
from dashboards.boards import BOARDS, runbook
from dashboards.boards.runbook import Page
from dashboards.lib import sources
from dashboards.lib.grafana import Sites, dashboard
from dashboards.lib.links import HOME
from dashboards.lib.model import Board
from dashboards.lib.stores import adapted

__all__ = ["GRAFANA", "Sites", "importable", "pages", "provisioned", "runbook_boards", "runbooks", "text"]

GRAFANA: Final = "12.0.0"
"""The oldest Grafana that takes them."""
_NAMES: Final = {
    "prometheus": "Prometheus", "loki": "Loki", "tempo": "Tempo", "jaeger": "Jaeger",
    "victoriametrics-logs-datasource": "VictoriaLogs",
}  # fmt: skip
_INPUTS: Final = {name: f"DS_{_NAMES[plugin].upper()}" for name, plugin in sources.PLUGINS.items()}
_RUNBOOKS: Final = "VAR_RUNBOOKS"
_PANELS: Final = {
    "timeseries": "Time series", "stat": "Stat", "table": "Table", "heatmap": "Heatmap", "text": "Text",
    "state-timeline": "State timeline", "logs": "Logs", "traces": "Traces", "nodeGraph": "Node graph",
}  # fmt: skip


def runbooks(links: Links) -> dict[str, str]:
    """The pages of all alerts. A path in the checkout is left out: no browser finds it."""
    every = {alert.name: links.runbook_url(alert.name) for alert in alerting.alerts(PRODUCTION)}
    return {name: url for name, url in every.items() if url.startswith(("http://", "https://"))}


def provisioned(sites: Sites, *, editable: bool) -> dict[str, dict[str, Any]]:
    """Every board by slug, for provisioning and for the API."""
    return {board.slug: _dashboard(board, sites, editable=editable) for board in BOARDS}


def pages(sites: Sites, shown: Iterable[Page], *, editable: bool) -> dict[str, dict[str, Any]]:
    """The boards of runbooks by slug; which alert each is about, its page says."""
    names = {alert.name for alert in alerting.alerts(PRODUCTION)}
    made = (runbook.alert(page) if page.name in names else runbook.text(page) for page in shown)
    return {board.slug: _dashboard(board, sites, editable=editable) for board in made}


def runbook_boards() -> dict[str, str]:
    """The boards that show the pages of all alerts, by an address that is good inside their own Grafana."""
    return {alert.name: f"{HOME}{runbook_slug(alert.name)}" for alert in alerting.alerts(PRODUCTION)}


def importable(stores: Stores = GRAFANA_STORES) -> dict[str, dict[str, Any]]:
    """Every board by slug, for the import form: it asks for data sources and for the place of runbooks."""
    names = [alert.name for alert in alerting.alerts(PRODUCTION)]
    sites = Sites(runbooks={name: f"${{{_RUNBOOKS}}}/{name}" for name in names}, stores=stores)
    return {board.slug: _importable(board, sites) for board in BOARDS}


def _dashboard(board: Board, sites: Sites, *, editable: bool) -> dict[str, Any]:
    titles = {each.slug: each.title for each in BOARDS}
    return dashboard(adapted(board, sites.stores), sites, titles, editable=editable)


def _importable(board: Board, sites: Sites) -> dict[str, Any]:
    made = _dashboard(board, sites, editable=True)
    used = sources.used(adapted(board, sites.stores), sites.stores)
    kept = [each for each in made["templating"]["list"] if each["type"] != "datasource"]
    bound: dict[str, Any] = _replaced(
        {**made, "templating": {"list": kept}}, {f"${{{name}}}": f"${{{_INPUTS[name]}}}" for name in used}
    )
    inputs = [_source_input(name) for name in used]
    if _RUNBOOKS in json.dumps(bound):
        inputs.append(_constant(_RUNBOOKS, "Runbooks", "https://example.com/runbooks"))
    return {"__inputs": inputs, "__elements": {}, "__requires": _requires(bound, used), **bound}


def _replaced(value: Any, texts: Mapping[str, str]) -> Any:  # noqa: ANN401 JSON
    if isinstance(value, dict):
        return {key: _replaced(inner, texts) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, texts) for inner in value]
    return texts.get(value, value) if isinstance(value, str) else value


def _source_input(name: str) -> dict[str, str]:
    plugin = sources.PLUGINS[name]
    return {
        "name": _INPUTS[name], "label": sources.TITLES[name], "description": f"The {_NAMES[plugin]} to ask",
        "type": "datasource", "pluginId": plugin, "pluginName": _NAMES[plugin],
    }  # fmt: skip


def _constant(name: str, label: str, value: str) -> dict[str, str]:
    return {
        "name": name, "label": label, "description": "Address below which runbooks lie, one page per alert",
        "type": "constant", "value": value,
    }  # fmt: skip


def _requires(made: Mapping[str, Any], used: tuple[str, ...]) -> list[dict[str, str]]:
    panels = [*made["panels"], *(inner for panel in made["panels"] for inner in panel.get("panels", []))]
    kinds = sorted({panel["type"] for panel in panels} - {"row"})
    return [
        {"type": "grafana", "id": "grafana", "name": "Grafana", "version": GRAFANA},
        *({"type": "datasource", "id": sources.PLUGINS[name], "name": _NAMES[sources.PLUGINS[name]], "version": "1.0.0"}
          for name in used),
        *({"type": "panel", "id": kind, "name": _PANELS[kind], "version": ""} for kind in kinds),
    ]  # fmt: skip


def text(made: Mapping[str, Any]) -> str:
    """As a file: keys sorted, so that a review shows what changed."""
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
