"""Rules about panels."""

import re
from collections.abc import Iterator
from typing import Final

from dashboards.lib.model import Format
from dashboards.lint.model import Json, panels
from dashboards.lint.templates import Problem

_REFERENCE: Final = re.compile(r"\$\{\w+\}")
_WITH_UNIT: Final = ("timeseries", "stat", "gauge", "bargauge", "heatmap")
_WITHOUT_QUERY: Final = ("text",)
_UNITS: Final = frozenset(Format)


def data_source(board: Json) -> Iterator[Problem]:
    """The store is the one that was chosen, never a certain one."""
    for panel in panels(board):
        if panel["type"] in _WITHOUT_QUERY:
            continue
        for place in (panel, *panel.get("targets", [])):
            uid = (place.get("datasource") or {}).get("uid", "")
            if not _REFERENCE.fullmatch(uid):
                yield panel["title"], f"the data source is {uid!r}; expected a variable, such as ${{datasource}}"


def title_description(board: Json) -> Iterator[Problem]:
    """A panel says what it is and what it shows."""
    for number, panel in enumerate(panels(board), start=1):
        for key in ("title", "description"):
            if not panel.get(key):
                yield panel.get("title") or f"panel {number}", f"no {key}"


def units(board: Json) -> Iterator[Problem]:
    """A number has a unit that Grafana knows."""
    for panel in panels(board):
        if panel["type"] in _WITH_UNIT:
            unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
            if unit not in _UNITS:
                yield panel["title"], f"the unit is {unit!r}; expected one of {', '.join(sorted(_UNITS))}"


def no_targets(board: Json) -> Iterator[Problem]:
    """A panel asks something."""
    for panel in panels(board):
        if panel["type"] not in _WITHOUT_QUERY and not panel.get("targets"):
            yield panel["title"], "it asks nothing; fix: a target, or a text panel"
