"""Versions that binaries report, and how binaries are found. Stand-ins on PATH are real executables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import toolchain
from toolchain import recipes
from toolchain.errors import MissingBinaryError
from toolchain.probe import ask_version, find, parse_version
from toolchain.recipes import Binary, Recipe
from toolchain.settings import Source
from toolchain.table import RECIPES, select

# What the binaries of the table printed, and official builds of some of them.
OUTPUTS = {
    "pulumi": ("3.230.0\n", "3.230.0"),
    "pulumi, official": ("v3.230.0\n", "3.230.0"),
    "alertmanager": (
        "alertmanager, version 0.31.1 (branch: , revision: unknown)\n  build user:       \n  go version:  go1.26.8\n",
        "0.31.1",
    ),
    "amtool": ("amtool, version 0.31.1 (branch: , revision: unknown)\n  go version:       go1.26.8\n", "0.31.1"),
    "prometheus": ("prometheus, version 3.16.0 (branch: , revision: unknown)\n  go version: go1.26.8\n", "3.16.0"),
    "promtool": ("promtool, version 3.16.0 (branch: , revision: unknown)\n  go version: go1.26.8\n", "3.16.0"),
    "tempo": ("tempo, version 2.10.8 (branch: , revision: unknown)\n  go version:       go1.26.8\n", "2.10.8"),
    "loki": ("loki, version 3.7.8 (branch: , revision: unknown)\n  go version:       go1.26.8\n", "3.7.8"),
    "otelcol": ("otelcol version 0.161.0\n", "0.161.0"),
    "otelcol-contrib": ("otelcol-contrib version 0.161.0\n", "0.161.0"),
    "victoria-logs": ("victoria-logs-v1.52.1\n", "1.52.1"),
    "victoria-logs, official": ("victoria-logs-20260716-022147-tags-v1.52.0-0-g46a54c976f\n", "1.52.0"),
    "some commits after the tag": ("victoria-logs-20260801-101500-tags-v1.52.0-7-g1f0a54c976\n", "1.52.0-7"),
    "jaeger": ('{"gitCommit":"","gitVersion":"v2.13.0","buildDate":""}', "2.13.0"),
    "jaeger, official": (
        '{"gitCommit":"798e4b0fcf22609e","gitVersion":"v2.20.0","buildDate":"2026-07-20T03:41:33Z"}',
        "2.20.0",
    ),
    # Built from the module without being told: nothing in it is a version.
    "jaeger, untold": ('{"gitCommit":"","gitVersion":"","buildDate":""}', None),
    "a release candidate": ("prometheus, version 3.16.0-rc.1 (branch: HEAD)\n", "3.16.0-rc.1"),
    # Built without its version: the Go version further down must not be taken for it.
    "no version": ("prometheus, version  (branch: , revision: unknown)\n  go version:       go1.26.8\n", None),
    "only on a later line": ("some tool\n  runtime: 1.26.8\n", None),
    "nothing": ("", None),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and a PATH that holds only this folder."""
    monkeypatch.setenv("AGENTOBS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AGENTOBS_TOOLCHAIN_SOURCE", raising=False)
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    return path


def executable(path: Path, prints: str, status: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' '{prints}'\nexit {status}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def the(name: str) -> tuple[Recipe, Binary]:
    return select([name])[0]


@pytest.mark.parametrize(("output", "version"), OUTPUTS.values(), ids=OUTPUTS.keys())
def test_the_version_is_read_from_the_first_line(output: str, version: str | None) -> None:
    assert parse_version(output) == version


def test_the_right_version_on_path_wins_over_the_cache(folder: Path) -> None:
    located = executable(folder / "tempo", "tempo, version 2.10.8 (branch: HEAD)")
    executable(the("tempo")[0].home() / "tempo", "unused")

    assert toolchain.require(["tempo"]) == {"tempo": located}


def test_a_wrong_version_on_path_is_passed_over_and_noted(folder: Path) -> None:
    located = executable(folder / "tempo", "tempo, version 2.8.1 (branch: HEAD)")
    cached = executable(the("tempo")[0].home() / "tempo", "unused")

    [finding] = find([the("tempo")], frozenset(Source))

    assert (finding.path, finding.source) == (cached, Source.CACHE)
    assert finding.note == f"passed over {located}: version 2.8.1"


@pytest.mark.parametrize("version", ["3.16.0", "3.15.0"])
def test_on_path_the_version_that_is_released_is_as_good_as_the_one_that_is_built(folder: Path, version: str) -> None:
    located = executable(folder / "promtool", f"promtool, version {version} (branch: HEAD)")

    assert toolchain.require(["promtool"]) == {"promtool": located}


def test_on_path_a_version_that_is_neither_is_passed_over_and_noted(folder: Path) -> None:
    located = executable(folder / "promtool", "promtool, version 3.14.0 (branch: HEAD)")

    [finding] = find([the("promtool")], frozenset(Source))

    assert finding.path is None
    assert finding.note == f"passed over {located}: version 3.14.0"


def test_on_a_platform_without_a_release_only_the_built_version_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(folder / "promtool", "promtool, version 3.15.0 (branch: HEAD)")
    monkeypatch.setattr(recipes, "platform_key", lambda: "plan9/386")

    with pytest.raises(MissingBinaryError, match=r"passed over .*: version 3\.15\.0"):
        toolchain.require(["promtool"])


def test_path_is_not_asked_when_it_is_no_allowed_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(folder / "tempo", "tempo, version 2.10.8 (branch: HEAD)")
    cached = executable(the("tempo")[0].home() / "tempo", "unused")
    monkeypatch.setenv("AGENTOBS_TOOLCHAIN_SOURCE", "cache")

    assert toolchain.require(["tempo"]) == {"tempo": cached}


def test_the_core_collector_on_path_is_not_taken_for_ours_but_contrib_is(folder: Path) -> None:
    executable(folder / "otelcol", "otelcol version 0.161.0")
    with pytest.raises(MissingBinaryError):
        toolchain.require(["otelcol"])

    contrib = executable(folder / "otelcol-contrib", "otelcol-contrib version 0.161.0")

    assert toolchain.require(["otelcol"]) == {"otelcol": contrib}


def test_a_binary_that_fails_or_does_not_run_has_no_version(folder: Path) -> None:
    binary = the("tempo")[1]

    assert ask_version(executable(folder / "broken", "2.10.8", status=3), binary) == (
        None,
        "exit status 3 of broken --version",
    )
    (folder / "text").write_text("no program", encoding="utf-8")
    version, seen = ask_version(folder / "text", binary)
    assert version is None
    assert "denied" in seen


def test_missing_binaries_are_all_named_with_the_command_that_makes_them(folder: Path) -> None:
    executable(folder / "loki", "loki, version 3.0.0 (branch: HEAD)")

    with pytest.raises(MissingBinaryError) as caught:
        toolchain.require(["promtool", "loki"])

    assert set(caught.value.missing) == {"promtool", "loki"}
    assert f"loki (passed over {folder / 'loki'}: version 3.0.0)" in str(caught.value)
    assert str(caught.value).endswith("python -m toolchain build promtool loki")


def test_status_as_json_says_for_each_binary_what_is_wanted_and_where_it_is(folder: Path) -> None:
    located = executable(folder / "promtool", "promtool, version 3.16.0 (branch: HEAD)")

    rows = json.loads(command("status", "--json", "promtool", "tempo"))

    assert [row["name"] for row in rows] == ["promtool", "tempo"]
    assert rows[0] == {
        "name": "promtool",
        "version": "3.16.0",
        "recipe": "prometheus",
        "source": "path",
        "path": str(located),
        "bytes": located.stat().st_size,
        "note": "",
    }
    assert (rows[1]["source"], rows[1]["path"], rows[1]["bytes"]) == (None, None, None)


@pytest.mark.usefixtures("folder")
def test_status_as_a_table_lists_every_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    shown = command("status")

    for recipe in RECIPES:
        for binary in recipe.binaries:
            assert binary.name in shown
    assert shown.count("from its publisher only, never built") == 2


@pytest.mark.usefixtures("folder")
def test_an_expected_error_is_one_message_without_a_traceback() -> None:
    shown = command("build", "promtol", ok=False)

    assert shown.startswith("error: unknown binary or group 'promtol'")
    assert "Traceback" not in shown


def command(*arguments: str, ok: bool = True) -> str:
    """Run `python -m toolchain` in a process of its own and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-m", "toolchain", *arguments],
        cwd=Path(toolchain.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (result.returncode == 0) == ok, result.stderr
    return result.stdout + result.stderr
