"""The picture and the table of `docs/architecture.md`: import layers, and the processes of the stack on this computer.

Both follow from what is true: layers from the contract of import-linter in pyproject.toml, processes, ports and calls
from the workloads themselves. Not here: flows of a cluster (`guides.py`).
"""

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from collector.stores import GRAFANA, PERMISSIVE, Stores
from stacks import observability, release_controller
from stacks.cluster import network
from stacks.deployment import Deployment
from stacks.environments import LOCAL
from stacks.ports import PORTS
from stacks.process.layout import StackDir
from stacks.workload import Workload

PICTURE: Final = "docs/pictures/architecture.svg"
_WIDTH, _HEIGHT, _BOX_W, _BOX_H = 960, 460, 170, 52
_LAYER_W: Final = 112
_FOLDERS: Final = {"agentobs": "sdk"}
"""Import package -> the folder that it lies in, where they differ."""
_COLUMNS: Final[Mapping[str, tuple[int, int]]] = {
    "collector": (235, 315),
    "prometheus": (450, 240),
    "alertmanager": (700, 240),
    "traces": (450, 315),
    "logs": (450, 390),
}
"""Upper left corner of each process; stores stand where their kind stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A rectangle with a title and a smaller line."""

    x: int
    y: int
    title: str
    note: str = ""
    colour: str = "#e8f0fe"
    width: int = _BOX_W

    @property
    def left(self) -> tuple[int, int]:
        """The middle of its left side."""
        return self.x, self.y + _BOX_H // 2

    @property
    def right(self) -> tuple[int, int]:
        """The middle of its right side."""
        return self.x + self.width, self.y + _BOX_H // 2

    def drawn(self) -> str:
        """Its SVG."""
        middle, first = self.x + self.width // 2, self.y + (22 if self.note else 31)
        lines = [
            (
                f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{_BOX_H}" rx="6" fill="{self.colour}"'
                ' stroke="#5f6f8f"/>'
            ),
            f'<text x="{middle}" y="{first}" class="title">{escape(self.title)}</text>',
        ]
        if self.note:
            lines.append(f'<text x="{middle}" y="{first + 18}" class="note">{escape(self.note)}</text>')
        return "\n".join(lines)


def layers(root: Path) -> list[tuple[str, ...]]:
    """The import layers from the highest to the lowest, each with its folders."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (contract,) = (each for each in settings["contracts"] if each["type"] == "layers")
    return [tuple(_FOLDERS.get(name, name) for name in layer.split(" | ")) for layer in contract["layers"]]


def workloads(stores: Stores) -> tuple[Workload, ...]:
    """What runs on this computer with these stores; where is of no matter here."""
    at = observability.LocalPlacement(PORTS, StackDir(Path("/")))
    return observability.workloads(Deployment.of(LOCAL, stores=stores), at)


def processes() -> str:
    """Each process of the local stack with its ports, as rows of a table."""
    every = {each.name: each for stores in (PERMISSIVE, GRAFANA) for each in workloads(stores)}
    rows = (
        f"| {name} | {', '.join(f'{port} {PORTS[port]}' for port in each.ports)} |\n" for name, each in every.items()
    )
    controller = f"| {release_controller.NAME} | {release_controller.NAME} {PORTS[release_controller.NAME]} |\n"
    return "| process | ports |\n| --- | --- |\n" + "".join(rows) + controller


def picture(root: Path) -> str:
    """The whole picture, as SVG."""
    parts = [*_layers(layers(root)), *_stack()]
    style = (
        "text{font-family:system-ui,sans-serif;text-anchor:middle;fill:#1b2333}.title{font-size:15px;font-weight:600}"
        ".note{font-size:11.5px}.head{font-size:16px;font-weight:600;text-anchor:start}"
        ".line{stroke:#5f6f8f;stroke-width:1.5;fill:none;marker-end:url(#arrow)}"
    )
    arrow = (
        '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#5f6f8f"/></marker>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">\n'
        "<title>Import layers, and the processes of the local stack</title>\n"
        f"<style>{style}</style>\n<defs>{arrow}</defs>\n"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _layers(every: list[tuple[str, ...]]) -> Iterator[str]:
    yield '<text x="20" y="32" class="head">Folders: an arrow means "may import"</text>'
    step = (_WIDTH - 40 - _LAYER_W) // (len(every) - 1)
    columns = [
        [
            _Box(x=20 + step * column, y=_middle(row, len(layer)), title=f"{name}/", width=_LAYER_W)
            for row, name in enumerate(layer)
        ]
        for column, layer in enumerate(every)
    ]
    for boxes, nexts in itertools.pairwise(columns):
        yield from (_line(one.right, other.left) for one in boxes for other in nexts)
    yield from (box.drawn() for boxes in columns for box in boxes)


def _middle(row: int, rows: int) -> int:
    """The upper edge of a box among `rows` boxes that stand in the middle of the upper half."""
    gap = _BOX_H + 18
    return 115 - (rows * gap - 18) // 2 + row * gap


def _stack() -> Iterator[str]:
    made = workloads(PERMISSIVE)
    yield '<text x="20" y="220" class="head">The stack on this computer: an arrow means "sends to or asks"</text>'
    agents = _Box(x=20, y=315, title="your agents", note="OTLP", colour="#fdf3dc")
    releases = _Box(x=235, y=390, title="releases", note=str(PORTS[release_controller.NAME]))
    people = _Box(x=770, y=355, title="agentobs", note="status, why, report ...", colour="#fdf3dc")
    boxes = {each.name: _box(each) for each in made}
    flows = {(flow.source, flow.target) for flow in network.flows(made)}
    yield _line(agents.right, boxes["collector"].left)
    yield _line(agents.right, releases.left)
    yield _line(releases.right, boxes["prometheus"].left)
    for source, target in sorted(flows):
        if (source, target) == ("prometheus", "alertmanager") or source == "collector":
            yield _line(boxes[source].right, boxes[target].left)
    stores = ("prometheus", PERMISSIVE.traces, PERMISSIVE.logs)
    yield from (_line(people.left, boxes[name].right) for name in stores)
    yield from (box.drawn() for box in (agents, people, releases, *boxes.values()))


def _box(workload: Workload) -> _Box:
    kinds = {
        str(PERMISSIVE.traces): ("traces", str(GRAFANA.traces)),
        str(PERMISSIVE.logs): ("logs", str(GRAFANA.logs)),
    }
    kind, other = kinds.get(workload.name, (workload.name, ""))
    x, y = _COLUMNS[kind]
    known = ("otlp-grpc", "otlp-http") if workload.name == "collector" else (workload.name,)
    title = f"{workload.name} or {other}" if other else workload.name
    return _Box(x=x, y=y, title=title, note=_numbers([*known, *([other] if other else [])]))


def _numbers(ports: Iterable[str]) -> str:
    return ", ".join(str(PORTS[port]) for port in ports)


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    return f'<path class="line" d="M{start[0]} {start[1]}L{end[0]} {end[1]}"/>'
