"""Small pictures that need no library in the page: the course behind a number, and who calls whom."""

from collections.abc import Sequence
from html import escape

from collector.search import Call

_WIDTH, _HEIGHT = 130, 24
_NODE_W, _NODE_H, _GAP_X, _GAP_Y = 150, 30, 120, 26


def spark(values: Sequence[float | None]) -> str:
    """The course of a number as an SVG line; empty for fewer than two points."""
    points = [(number, value) for number, value in enumerate(values) if value is not None]
    if len(points) < 2:  # noqa: PLR2004 a line has two ends
        return ""
    low, high = min(value for _, value in points), max(value for _, value in points)
    across, up = max(1, len(values) - 1), (high - low) or 1
    path = " ".join(
        f"{number / across * _WIDTH:.1f},{_HEIGHT - 2 - (value - low) / up * (_HEIGHT - 4):.1f}"
        for number, value in points
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true"><polyline points="{path}"/></svg>'


def graph(edges: Sequence[Call]) -> str:
    """Callers at the left of what they call, with the number of calls on each edge."""
    column = _columns(edges)
    places: dict[str, tuple[int, int]] = {}
    for depth in range(max(column.values()) + 1):
        for row, node in enumerate(sorted(name for name, each in column.items() if each == depth)):
            places[node] = (depth * (_NODE_W + _GAP_X) + 8, row * (_NODE_H + _GAP_Y) + 8)
    width = max(x for x, _ in places.values()) + _NODE_W + 8
    height = max(y for _, y in places.values()) + _NODE_H + 8
    drawn = "".join(
        [*(_edge(edge, places) for edge in edges), *(_node(name, *place) for name, place in places.items())]
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Who calls whom"'
        f' preserveAspectRatio="xMidYMid meet" style="max-width:{width * 1.6:.0f}px">{drawn}</svg>'
    )


def _columns(edges: Sequence[Call]) -> dict[str, int]:
    """How far a node is from those that nobody calls; a circle is cut where it closes."""
    called = {edge.server for edge in edges if edge.server != edge.client}
    names = dict.fromkeys(name for edge in edges for name in (edge.client, edge.server))
    roots = [name for name in names if name not in called] or [*names][:1]
    column = dict.fromkeys(roots, 0)
    reached = [*roots]
    while reached:
        client = reached.pop(0)
        for edge in edges:
            if edge.client == client and edge.server not in column:
                column[edge.server] = column[client] + 1
                reached.append(edge.server)
    return {name: column.get(name, 0) for name in names}


def _node(name: str, x: int, y: int) -> str:
    shown = escape(name if len(name) <= 22 else f"{name[:21]}…")  # noqa: PLR2004 what fits
    return (
        f'<rect class="node" x="{x}" y="{y}" width="{_NODE_W}" height="{_NODE_H}" rx="4"><title>{escape(name)}</title>'
        f'</rect><text x="{x + _NODE_W / 2}" y="{y + 19}" text-anchor="middle">{shown}</text>'
    )


def _edge(edge: Call, places: dict[str, tuple[int, int]]) -> str:
    (x0, y0), (x1, y1) = places[edge.client], places[edge.server]
    begin, end, out, middle = x0 + _NODE_W, x1, y0 + _NODE_H / 2, y1 + _NODE_H / 2
    bend = (begin + end) / 2
    return (
        f'<path class="edge" d="M{begin},{out} C{bend},{out} {bend},{middle} {end},{middle}"/>'
        f'<text class="calls" x="{end - 6}" y="{middle - 4}" text-anchor="end">{edge.count:,.0f}</text>'
    )
