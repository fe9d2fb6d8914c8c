"""A board for the stores in use: what they cannot answer is asked otherwise, what is of others is left out."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from collector.stores import Stores, TraceKind
from dashboards.lib.model import Board, Panel, Section, TraceList
from dashboards.lib.variables import SERVICE

_ONE_SERVICE: Final = (
    " Jaeger searches one service at a time and knows no patterns: the list is of the service chosen above,"
    " `agentobs traces` narrows further."
)


def adapted(board: Board, stores: Stores) -> Board:
    """The board as it is where these stores are in use."""
    sections = tuple(section for each in board.sections if (section := _section(each, stores)).panels)
    made = replace(board, sections=sections)
    searches = any(isinstance(panel, TraceList) for panel in made.panels())
    if stores.traces is not TraceKind.JAEGER or not searches or SERVICE.name in {each.name for each in made.variables}:
        return made
    # Jaeger is asked for the traces of one program.
    return replace(made, variables=(*made.variables, replace(SERVICE, all=False)))


def _section(section: Section, stores: Stores) -> Section:
    return replace(section, panels=tuple(_panels(section, stores)))


def _panels(section: Section, stores: Stores) -> Iterator[Panel]:
    for panel in section.panels:
        if panel.store not in {None, stores.traces, stores.logs}:
            continue
        if isinstance(panel, TraceList) and stores.traces is TraceKind.JAEGER:
            yield replace(panel, description=panel.description + _ONE_SERVICE)
        else:
            yield panel
