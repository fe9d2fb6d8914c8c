"""Rules about variables and the dashboard as a whole."""

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as pq

from dashboards.lint.model import Json, panels, variables

Problem = tuple[str, str]
"""The title of a panel, or nothing, and what is wrong."""
_LABEL_VALUES: Final = re.compile(r"label_values\((?:(?P<series>.+),\s*)?\w+\)")
_VARIABLE: Final = re.compile(r"\$\w+")
_ON_TIME_RANGE_CHANGE: Final = 2


def data_source(board: Json) -> Iterator[Problem]:
    """Every kind of store that is asked can be chosen."""
    offered = {each["query"]: each for each in variables(board, "datasource")}
    asked = {panel["datasource"]["type"] for panel in panels(board) if panel.get("datasource")}
    for kind in sorted(asked - offered.keys()):
        yield "", f"no variable offers data sources of type {kind}; fix: one of type datasource"
    for each in offered.values():
        if not each.get("label"):
            yield "", f"the variable {each['name']} has no label"


def job(board: Json) -> Iterator[Problem]:
    """A reader can choose a job."""
    yield from _offers(board, "job")


def instance(board: Json) -> Iterator[Problem]:
    """A reader can choose an instance."""
    yield from _offers(board, "instance")


def _offers(board: Json, name: str) -> Iterator[Problem]:
    if not any(each["name"] == name for each in variables(board, "query")):
        yield "", f"no variable is called {name}"


def label_promql(board: Json) -> Iterator[Problem]:
    """What a variable asks is `label_values` of a series that can be parsed."""
    for each in variables(board, "query"):
        asked = _LABEL_VALUES.fullmatch(each["query"]["query"])
        if asked is None:
            yield (
                "",
                f"the variable {each['name']} asks {each['query']['query']!r}; expected label_values(series, label)",
            )
        elif asked["series"]:
            try:
                pq.parse(_VARIABLE.sub("x", asked["series"]))
            except ValueError as error:
                yield "", f"the variable {each['name']}: {error}"


def reload(board: Json) -> Iterator[Problem]:
    """Values of a variable are those of the time range that is shown."""
    for each in variables(board, "query"):
        if each.get("refresh") != _ON_TIME_RANGE_CHANGE:
            yield "", f"the variable {each['name']} is not read again when the time range changes; fix: refresh 2"


def uneditable(board: Json) -> Iterator[Problem]:
    """What a browser changes would be lost at the next deployment."""
    if board.get("editable") is not False:
        yield "", "the board can be edited in the browser; fix: editable false"
