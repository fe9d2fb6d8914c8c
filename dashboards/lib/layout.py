"""Places panels on Grafana's grid: left to right in 24 columns, a row as high as its highest panel, without gaps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dashboards.lib.model import GRID_COLUMNS, Panel, Section

_HEADING_HEIGHT = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Position and size of a panel on the grid, in columns and rows."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class PlacedSection:
    """A heading at row `y`, and its panels with their places."""

    section: Section
    y: int
    panels: tuple[tuple[Panel, Place], ...]


def place(sections: Iterable[Section]) -> Iterator[PlacedSection]:
    """Sections below one another; the panels of a collapsed one take no room until it is opened."""
    y = 0
    for section in sections:
        placed = tuple(_flow(section.panels, y + _HEADING_HEIGHT))
        yield PlacedSection(section, y, placed)
        height = 0 if section.collapsed or not placed else placed[-1][1].y + placed[-1][1].h - y - _HEADING_HEIGHT
        y += _HEADING_HEIGHT + height


def _flow(panels: Iterable[Panel], y: int) -> Iterator[tuple[Panel, Place]]:
    row: list[Panel] = []
    for panel in panels:
        if sum(each.width for each in row) + panel.width > GRID_COLUMNS:
            yield from _row(row, y)
            y += max(each.height for each in row)
            row = []
        row.append(panel)
    yield from _row(row, y)


def _row(row: list[Panel], y: int) -> Iterator[tuple[Panel, Place]]:
    """Panels side by side at one height; the last takes what is left of the width."""
    height, x = max((panel.height for panel in row), default=0), 0
    for number, panel in enumerate(row, start=1):
        width = GRID_COLUMNS - x if number == len(row) else panel.width
        yield panel, Place(x, y, width, height)
        x += width
