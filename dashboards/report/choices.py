"""Variables of a board, filled in as Grafana does for what is chosen; what is not chosen is everything.

A list without All, such as the KPI, is asked for as a whole, so that the reader can choose in the page.
"""

import re
from collections.abc import Mapping
from typing import Final

from collector.quotes import escaped
from collector.search.model import Search, filled
from dashboards.lib.model import Board, Variable, VariableKind
from dashboards.report.sources import Period

_FINEST_S: Final = 5  # as often as the stack on this computer is scraped
_POINTS: Final = 240
RATE_S: Final = 60
"""The shortest window of a rate: four scrapes of a production, as Grafana's $__rate_interval."""
_ALL: Final = ".*"
_REFERENCE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_META: Final = re.compile(r"([\\^$.|?*+()\[\]{}])")


def step(period: Period) -> float:
    """Seconds between points: about as many as a panel is wide, and no more often than is scraped."""
    return max(_FINEST_S, round(period.seconds / _POINTS))


def metrics(query: str, board: Board, period: Period, chosen: Mapping[str, str]) -> str:
    """PromQL with its variables filled in; values are quoted for a string with a regular expression in it."""
    for variable in board.variables:
        if open_here(variable, chosen):
            query = query.replace(f'="${variable.name}"', f'=~"{_ALL}"')
    times = {
        "__range": f"{max(1, round(period.seconds))}s",
        "__rate_interval": f"{round(max(RATE_S, step(period)))}s",
        "__interval": f"{round(step(period))}s",
    }
    return _filled(query, {**_values(board, chosen), **times})


def search(asked: Search, board: Board, chosen: Mapping[str, str]) -> Search:
    """A search of traces or lines with its variables filled in."""
    return filled(asked, {variable.name: _text(variable, chosen) for variable in board.variables})


def plain(text: str, board: Board, chosen: Mapping[str, str]) -> str:
    """A text with its variables filled in, as they are."""
    return _filled(text, {variable.name: _text(variable, chosen) for variable in board.variables})


def open_here(variable: Variable, chosen: Mapping[str, str]) -> bool:
    """Whether the page, not the query, narrows to a value of this variable."""
    return variable.kind is VariableKind.LIST and not variable.all and variable.name not in chosen


def _values(board: Board, chosen: Mapping[str, str]) -> dict[str, str]:
    return {variable.name: _value(variable, chosen) for variable in board.variables}


def _value(variable: Variable, chosen: Mapping[str, str]) -> str:
    """For PromQL, as text between double quotes; the value of a label as a regular expression."""
    pattern = variable.kind is VariableKind.LABEL and variable.name in chosen
    return escaped(_pattern(chosen[variable.name]) if pattern else _text(variable, chosen))


def _text(variable: Variable, chosen: Mapping[str, str]) -> str:
    """For a search: what is chosen, as a regular expression where several may be."""
    if variable.kind is VariableKind.TEXT:
        return chosen.get(variable.name, "")
    if variable.name not in chosen:
        return _ALL if variable.all or not variable.values else variable.values[0]
    return _pattern(chosen[variable.name]) if variable.all else chosen[variable.name]


def _pattern(text: str) -> str:
    return _META.sub(r"\\\1", text)


def _filled(query: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return values.get(name, found[0])

    return _REFERENCE.sub(value, query)
