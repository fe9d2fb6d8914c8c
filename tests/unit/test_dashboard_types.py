"""Every board and panel has the types that Grafana itself publishes."""

import copy
import subprocess
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from support import npm

from alerts.alerting import Links
from dashboards import documents
from dashboards.documents import Sites

HERE = Path(__file__).parents[1] / "types"
MODULES = {
    "timeseries": "TimeSeries", "stat": "Stat", "table": "Table", "heatmap": "Heatmap",
    "state-timeline": "StateTimeline", "logs": "Logs", "text": "Text", "nodeGraph": "NodeGraph",
}  # fmt: skip
LINKS = Links(runbook="https://example.com/pages/{name}", board="")
WITH_FIELDS = {"timeseries", "table", "heatmap", "state-timeline"}
TSC = (
    "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext",
    "--moduleResolution", "nodenext",
)  # fmt: skip


def panels(board):
    return [*board["panels"], *(inner for each in board["panels"] for inner in each.get("panels", []))]


def types(kind):
    """Options and field configuration of a panel; a trace view has neither."""
    if kind not in MODULES:
        return "None", "None"
    module = MODULES[kind]
    options = "TableOptions" if kind == "table" else f"{module}.Options"
    return options, f"{module}.FieldConfig" if kind in WITH_FIELDS else "None"


@pytest.fixture(scope="module")
def node_modules():
    """Grafana's types and the compiler."""
    return npm.node_modules(HERE)


@pytest.fixture
def check(node_modules, tmp_path):
    """The compiler's errors about boards."""

    def run(boards):
        every = [panel for board in boards for panel in panels(board)]
        environment = Environment(
            loader=FileSystemLoader(HERE), trim_blocks=True, undefined=StrictUndefined, autoescape=True
        )
        text = environment.get_template("boards.ts.j2").render(
            modules=MODULES,
            boards=[{key: value for key, value in board.items() if key != "panels"} for board in boards],
            rows=[{k: v for k, v in panel.items() if k != "panels"} for panel in every if panel["type"] == "row"],
            panels=[(*types(panel["type"]), panel) for panel in every if panel["type"] != "row"],
        )
        (tmp_path / "boards.ts").write_text(text)
        (tmp_path / "node_modules").symlink_to(node_modules)
        command = ("node", str(node_modules / "typescript" / "bin" / "tsc"), *TSC, "boards.ts")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        return [line for line in done.stdout.splitlines() if line.startswith("boards.ts")]

    return run


def test_every_board_and_panel_has_grafanas_types(check):
    sites = Sites(runbooks=documents.runbooks(LINKS), langfuse="https://langfuse.example.com/traces")
    boards = documents.provisioned(sites, editable=False)
    assert check(boards.values()) == []


MISTAKES = {
    "a title that is a number": lambda board: board.update(title=7),
    "a key that nobody knows": lambda board: board.update(refersh="1m"),
    "a width in words": lambda board: panels(board)[1]["gridPos"].update(w="wide"),
    "a mode of thresholds that is none": lambda board: panels(board)[1]["fieldConfig"]["defaults"]["thresholds"].update(
        mode="absolut"
    ),
    "an option that the panel does not have": lambda board: panels(board)[1]["options"].update(graphMod="area"),
    "a variable of no type": lambda board: board["templating"]["list"][0].update(type="datasauce"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(check, mistake):
    board = copy.deepcopy(documents.provisioned(Sites(), editable=False)["fleet"])
    MISTAKES[mistake](board)
    assert check([board])
