"""Every archive of the table, end to end: laid out as its publisher does, served on loopback, without Go."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.release_layouts import LAYOUTS, archive
from support.release_server import FILLER, Server, serving

from toolchain import make, recipes, table
from toolchain.errors import ChecksumError, MissingBinaryError, PublisherOnlyError, WrongVersionError
from toolchain.make import Made, make_all, require
from toolchain.progress import Reporter
from toolchain.recipes import Recipe, Release
from toolchain.settings import toolchain_root
from toolchain.table import GROUPS, RECIPES

LINUX, LINUX_ARM, MAC = "linux/amd64", "linux/arm64", "darwin/arm64"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({}) as state:
        yield state


@pytest.fixture(autouse=True)
def go_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is on PATH but a Go, which leaves this file behind when it is started; the cache is empty."""
    trace, folder = tmp_path / "go-was-started", tmp_path / "path"
    folder.mkdir()
    (folder / "go").write_text(f"#!/bin/sh\n: > {trace}\nexit 1\n", encoding="utf-8")
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("AGENTOBS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AGENTOBS_TOOLCHAIN_SOURCE", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    return trace


class Publisher:
    """Serves the archives of a platform and points the rows of the table at them."""

    def __init__(self, server: Server, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
        self._server, self._monkeypatch, self._platform = server, monkeypatch, platform
        for module in (recipes, make):
            monkeypatch.setattr(module, "platform_key", lambda: platform)
        self._show([self._served(recipe) for recipe in RECIPES])

    def again(self, name: str, *, says: str | None = None, more: dict[str, bytes] | None = None) -> str:
        """Publish one archive anew, with other content; return its path on the server."""
        (original,) = (recipe for recipe in RECIPES if recipe.name == name)
        self._show([self._served(each, says, more) if each is original else self._served(each) for each in RECIPES])
        return urlsplit(original.releases[self._platform].url).path

    def _served(self, recipe: Recipe, says: str | None = None, more: dict[str, bytes] | None = None) -> Recipe:
        release = recipe.releases.get(self._platform)
        if release is None:
            return recipe
        content = archive(recipe.name, release, says or release.version or recipe.version, more)
        path = urlsplit(release.url).path
        self._server.files[path] = content
        here = dataclasses.replace(release, url=f"{self._server.url}{path}", sha256=hashlib.sha256(content).hexdigest())
        return dataclasses.replace(recipe, releases={self._platform: here})

    def _show(self, rows: list[Recipe]) -> None:
        for module in (table, make):
            self._monkeypatch.setattr(module, "RECIPES", tuple(rows))


class Record(Reporter):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def _how(made: list[Made]) -> dict[str, str]:
    return {each.recipe.name: each.how for each in made}


def test_every_layout_is_of_a_recipe_that_has_archives() -> None:
    assert set(LAYOUTS) == {recipe.name for recipe in RECIPES if recipe.releases}


@pytest.mark.parametrize("platform", [LINUX, MAC])
def test_the_local_stack_comes_whole_from_archives(
    server: Server, monkeypatch: pytest.MonkeyPatch, go_started: Path, platform: str
) -> None:
    Publisher(server, monkeypatch, platform)

    paths, made = make_all(["local"], Reporter())

    assert set(paths) == set(GROUPS["local"])
    assert require(["local"]) == paths
    assert set(_how(made).values()) == {"official release"}
    assert len(server.asked) == len(made) == 6
    assert not go_started.exists()
    assert list((toolchain_root() / "downloads").iterdir()) == []
    for name, path in paths.items():
        assert path.name == name
        assert path.stat().st_mode & 0o777 == 0o755


def test_pulumi_brings_what_a_program_in_python_needs_and_no_archive_brings_more_than_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    Publisher(server, monkeypatch, LINUX)

    paths, _ = make_all(["local", "loki", "etcd"], Reporter())

    held = {path.name for binary in paths.values() for path in binary.parent.iterdir()}
    python = {"pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python"}
    assert held == {*paths, *python, "origin.json"}


def test_where_one_archive_is_lacking_the_others_are_taken_and_that_one_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No checksum of Jaeger's archive for Linux on ARM is known."""
    Publisher(server, monkeypatch, LINUX_ARM)
    monkeypatch.setenv("AGENTOBS_TOOLCHAIN_SOURCE", "path,cache,release")

    with pytest.raises(MissingBinaryError, match=r"jaeger \(building is switched off\)"):
        make_all(["local"], Reporter())

    assert set(require(["alertmanager", "pulumi", "promtool", "victoria-logs"]))


def test_the_stores_of_grafana_come_from_their_publisher_as_far_as_an_archive_is_known(
    server: Server, monkeypatch: pytest.MonkeyPatch, go_started: Path
) -> None:
    Publisher(server, monkeypatch, LINUX)

    paths, made = make_all(["loki"], Reporter())
    with pytest.raises(PublisherOnlyError, match=r"tempo 2\.10\.8 is neither on PATH nor in the cache"):
        make_all(["tempo"], Reporter())

    assert set(paths) == {"loki"}
    assert _how(made) == {"loki": "official release"}
    assert not go_started.exists()


def test_what_is_never_built_says_the_way_out_and_never_starts_go(
    server: Server, monkeypatch: pytest.MonkeyPatch, go_started: Path
) -> None:
    publisher = Publisher(server, monkeypatch, LINUX)
    del server.files[publisher.again("loki")]
    record = Record()

    with pytest.raises(PublisherOnlyError) as caught:
        make_all(["loki"], record)

    text = str(caught.value)
    assert "never built, as its licence is the AGPL" in text
    assert "Put loki 3.7.8 of its publisher on PATH" in text
    assert "VictoriaLogs for logs" in text
    assert record.lines[0].startswith("loki: no official release: ")
    assert "404" in record.lines[0]
    assert not go_started.exists()


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_an_archive_with_another_checksum_is_refused_whatever_it_is(
    server: Server, monkeypatch: pytest.MonkeyPatch, go_started: Path, name: str
) -> None:
    publisher = Publisher(server, monkeypatch, LINUX)
    server.files[publisher.again(name)] += b"\0"
    (recipe,) = (each for each in table.RECIPES if each.name == name)

    with pytest.raises(ChecksumError, match="Nothing was installed"):
        make_all([recipe.binaries[0].name], Reporter())

    assert list(recipe.home().iterdir()) == []
    assert not go_started.exists()


def test_an_archive_that_breaks_off_is_taken_up_where_it_stopped(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(server, monkeypatch, LINUX)
    path = publisher.again("prometheus", more={"prometheus-3.15.0.linux-amd64/filler": FILLER})
    server.cut_after = [300_000, 400_000]

    paths, made = make_all(["promtool"], Reporter())

    assert set(paths) == {"promtool"}
    assert _how(made) == {"prometheus": "official release"}
    assert [asked for asked, _ in server.asked] == [path] * 3
    starts = [int(wanted.removeprefix("bytes=").removesuffix("-")) for _, wanted in server.asked[1:] if wanted]
    assert 0 < starts[0] < starts[1] < len(server.files[path])


@pytest.mark.parametrize(
    ("name", "says", "expected"),
    [
        ("prometheus", "3.14.0", "version 3.16.0 or 3.15.0: version 3.14.0"),
        ("jaeger", "2.21.0", "version 2.13.0 or 2.20.0: version 2.21.0"),
        ("victoria-logs", "1.52.0-rc1", "version 1.52.1 or 1.52.0: version 1.52.0-rc1"),
        ("loki", "3.7.7", "version 3.7.8: version 3.7.7"),
    ],
)
def test_an_archive_whose_program_says_another_version_is_refused(  # noqa: PLR0917 three fixtures, one case
    server: Server, monkeypatch: pytest.MonkeyPatch, go_started: Path, name: str, says: str, expected: str
) -> None:
    Publisher(server, monkeypatch, LINUX).again(name, says=says)
    (recipe,) = (each for each in table.RECIPES if each.name == name)

    with pytest.raises(WrongVersionError) as caught:
        make_all([recipe.binaries[0].name], Reporter())

    assert f"does not report {expected}.\n" in str(caught.value)
    assert list(recipe.home().iterdir()) == []
    assert not go_started.exists()


def test_an_archive_may_hold_the_version_that_is_built(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two are as good as one another."""
    Publisher(server, monkeypatch, LINUX).again("prometheus", says="3.16.0")

    assert set(make_all(["promtool"], Reporter())[0]) == {"promtool"}


def _every_release() -> list[tuple[str, str, Release]]:
    return [(recipe.name, platform, release) for recipe in RECIPES for platform, release in recipe.releases.items()]


@pytest.mark.parametrize(("name", "platform", "release"), _every_release(), ids=lambda part: str(part)[:20])
def test_the_address_of_an_archive_names_its_platform(name: str, platform: str, release: Release) -> None:
    system, machine = platform.split("/")
    file = release.url.rpartition("/")[2]
    assert system in file
    assert machine in file or (name, machine, "x64" in file) == ("pulumi", "amd64", True)
