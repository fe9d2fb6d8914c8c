"""The SDK stands alone: nothing of the platform, a quick import, enums as those of newer Pythons, a true page."""

import enum
import inspect
import json
import pickle
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import agentobs
from agentobs import contract, emit
from agentobs.contract.enums import StrEnum
from alerts.catalogue import CATALOGUE
from collector.document import to_yaml
from dashboards.boards import BOARDS

SDK = Path(__file__).parents[2] / "sdk"
PAGE = (SDK / "README.md").read_text()
PROJECT = tomllib.loads((SDK / "pyproject.toml").read_text())
PLATFORM = {"alerts", "collector", "dashboards", "demo", "runbooks", "stacks", "toolchain"}
ENUMS = sorted(
    (kind for _, kind in inspect.getmembers(contract, inspect.isclass) if issubclass(kind, enum.Enum)),
    key=lambda kind: kind.__name__,
)


def _imported(code: str) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(said.stdout.split())


def test_no_module_of_it_imports_the_platform():
    names = [module.name for module in pkgutil.walk_packages(agentobs.__path__, "agentobs.")]
    assert "agentobs.emit.telemetry" in names
    assert not _imported("".join(f"import {name}\n" for name in names)) & PLATFORM


def test_emit_is_imported_without_what_only_sending_needs():
    imported = _imported("import agentobs.emit")
    slow = {"requests", "urllib3", "opentelemetry.exporter.otlp.proto.http", "opentelemetry.proto"}
    assert "agentobs.emit" in imported
    assert not imported & slow


def test_every_package_is_in_the_wheel():
    found = {path.parent.relative_to(SDK).as_posix().replace("/", ".") for path in (SDK / "agentobs").rglob("*.py")}
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(found)


def _twin(kind: type[enum.Enum]) -> type[enum.StrEnum]:
    """The same names and values as an enum of the standard library."""
    return enum.StrEnum(kind.__name__, {name: each.value for name, each in kind.__members__.items()})


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_an_enum_behaves_as_one_of_the_standard_library(kind):
    assert issubclass(kind, StrEnum)
    twin = _twin(kind)
    for ours, theirs in zip(kind, twin, strict=True):
        assert type(str(ours)) is type(str(theirs)) is str
        assert (str(ours), f"{ours}", repr(ours)) == (str(theirs), f"{theirs}", repr(theirs))
        assert f"{ours:>40}" == f"{theirs:>40}"
        assert ours == theirs.value
        assert hash(ours) == hash(theirs)
        assert "%s" % ours == theirs.value  # noqa: UP031 one more way to print
        assert json.dumps({ours: ours}) == json.dumps({theirs: theirs})
        assert kind(theirs.value) is ours
        assert pickle.loads(pickle.dumps(ours)) is ours  # noqa: S301 made here
    assert sorted(kind) == sorted(twin)


def test_an_automatic_value_is_the_name_in_lower_case():
    class Colour(StrEnum):
        DARK_RED = enum.auto()

    assert Colour.DARK_RED == "dark_red"


def test_both_kinds_of_enums_are_plain_text_in_documents():
    theirs = enum.StrEnum("Theirs", {"ONE": "one"}).ONE
    assert to_yaml({"a": contract.Attr.ERROR_TYPE, "b": theirs}) == to_yaml({"a": "error.type", "b": "one"})


def _section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_page_says_what_every_function_does():
    calls = {name for name in emit.__all__ if inspect.isfunction(getattr(emit, name))} - {"error_type_of"}
    assert calls <= set(re.findall(r"`(\w+)", _section("What each call does")))


def test_the_page_sends_people_to_boards_and_kpis_that_exist():
    rows = [row.split(" | ") for row in _section("What appears where").splitlines() if row.startswith("| ")][1:]
    shown = {name for _, cell, _ in rows for name in re.findall(r"\*([^*]+)\*", cell)}
    assert {"Fleet", "Agent", "Versions"} <= shown <= {board.title for board in BOARDS}
    counted = {name for *_, cell in rows for name in cell.removesuffix(" |").split(", ") if name[0].isupper()}
    assert {"Task success", "Tool call success"} <= counted <= {kpi.title for kpi in CATALOGUE}


def test_the_page_points_at_files_that_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (SDK / target).is_file(), target
