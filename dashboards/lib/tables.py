"""Tables: instant queries brought together by their labels, columns named, coloured and linked one by one.

Keys of the catalogue are shown as their titles. A link gets the text that its row shows, so where it needs the key, a
copy of the label goes along unseen.
"""

from collections.abc import Iterator
from typing import Any, Final

from alerts.promql import renamed
from dashboards.lib import fields, links
from dashboards.lib.model import BoardLink, Column, Table
from dashboards.lib.titles import TITLES

OPTIONS: Final = {"showHeader": True, "cellHeight": "sm", "sortBy": [], "enablePagination": False}
_CELL: Final = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}


def table(panel: Table) -> dict[str, Any]:
    """Options, columns and the transformations that make rows of the queries' results."""
    shown = [{"displayName": panel.sort_by, "desc": panel.descending}] if panel.sort_by else []
    defaults = {"custom": _CELL, "noValue": "-", "mappings": [], "thresholds": fields.steps(())}
    return {
        "options": {**OPTIONS, "sortBy": shown},
        "fieldConfig": fields.config(
            defaults, *(_override(column) for column in panel.columns), *(_unseen(label) for label in _clicked(panel))
        ),
        "transformations": list(_transformations(panel)),
    }


def plain() -> dict[str, Any]:
    """A table of whatever a store answers, such as traces found."""
    return {"options": dict(OPTIONS), "fieldConfig": fields.config({"custom": _CELL})}


def asked(panel: Table, expr: str) -> str:
    """A query of the table, with the copies that its links need."""
    for label in _clicked(panel):
        expr = renamed(expr, label, links.copy(label))
    return expr


def _clicked(panel: Table) -> tuple[str, ...]:
    """Labels that links read and that are shown as something else."""
    read = [each.link.variables.values() for each in panel.columns if isinstance(each.link, BoardLink)]
    return tuple(dict.fromkeys(label for labels in read for label in labels if label in TITLES))


def _unseen(label: str) -> dict[str, Any]:
    """Hides a copy: by the name that Grafana 12 began with, and by the one it has now."""
    properties = [{"id": name, "value": True} for name in ("custom.hidden", "custom.hideFrom.viz")]
    return {"matcher": {"id": "byName", "options": links.copy(label)}, "properties": properties}


def _field(column: Column, queries: int) -> str:
    """The name a column has before it is renamed: with one query Grafana leaves the letter off."""
    if column.query is None:
        return str(column.label)
    return f"Value #{chr(ord('A') + column.query)}" if queries > 1 else "Value"


def _transformations(panel: Table) -> Iterator[dict[str, Any]]:
    if len(panel.queries) > 1:
        yield {"id": "merge", "options": {}}
    names = [_field(column, len(panel.queries)) for column in panel.columns]
    copies = [links.copy(label) for label in _clicked(panel)]
    yield {"id": "filterFieldsByName", "options": {"include": {"names": [*names, *copies]}}}
    yield {
        "id": "organize",
        "options": {
            "excludeByName": {},
            "indexByName": {name: index for index, name in enumerate(names)},
            "renameByName": {name: column.title for name, column in zip(names, panel.columns, strict=True)},
        },
    }


def _override(column: Column) -> dict[str, Any]:
    properties: list[dict[str, Any]] = [{"id": "unit", "value": column.format.value}]
    properties += [{"id": name, "value": value} for name, value in fields.decimals(column.format).items()]
    if column.steps:
        properties += [
            {"id": "thresholds", "value": fields.steps(column.steps)},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    if titles := TITLES.get(column.label or ""):
        words = {key: {"text": title, "index": index} for index, (key, title) in enumerate(titles.items())}
        properties.append({"id": "mappings", "value": [{"type": "value", "options": words}]})
    if column.link is not None:
        properties.append({"id": "links", "value": [fields.link(column.link, in_table=True)]})
    return {"matcher": {"id": "byName", "options": column.title}, "properties": properties}
