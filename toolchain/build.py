"""Builds a recipe's binaries with Go into a staging folder. Who checks and publishes them is `make.py`."""

import json
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import BuildError
from toolchain.golang import Go, environment
from toolchain.recipes import GENERATOR, GoBuild, Recipe

TAIL_LINES = 30
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Workbench:
    """Runs the commands of one build, all output into one log file."""

    recipe: Recipe
    how: GoBuild
    folder: Path
    """Scratch folder; the finished binaries go into its `bin`."""
    log: Path
    env: Mapping[str, str]
    tick: Callable[[], None]

    def run(self, command: Sequence[str | Path], cwd: Path, **extra_env: str) -> str:
        """Run a command to its end and return what it wrote.

        Raises:
            BuildError: it failed; the error carries the last lines it wrote.

        """
        shown = shlex.join(str(part) for part in command)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {shown}\n")
            log.flush()
            start = log.tell()
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**self.env, **extra_env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while process.poll() is None:
                    self.tick()
                    time.sleep(_POLL_S)
            except BaseException:
                # Ctrl-C, or a display that broke: the compiler must not go on alone.
                process.terminate()
                process.wait()
                raise
        written = self.log.read_bytes()[start:].decode(errors="replace")
        if process.returncode != 0:
            raise BuildError(self.recipe.name, shown, "\n".join(written.splitlines()[-TAIL_LINES:]), self.log)
        return written


def build(  # noqa: PLR0913, PLR0917 what a build needs
    recipe: Recipe, how: GoBuild, go: Go, folder: Path, log: Path, tick: Callable[[], None]
) -> Path:
    """Build the recipe as `how` says in the scratch folder `folder` and return the folder that holds the new binaries.

    Raises:
        BuildError: a command failed, or the source is not the pinned one.

    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"{recipe.name} {recipe.version} with Go {go.version}\n", encoding="utf-8")
    bench = Workbench(recipe, how, folder, log, environment(go), tick)
    output = folder / "bin"
    output.mkdir(parents=True)
    source = _source(bench, go)
    command: list[str | Path] = [
        go.command,
        "build",
        *how.arguments(),
        "-o",
        f"{output}/",
        *how.packages,
    ]
    bench.run(command, cwd=source)
    _rename_single(recipe, output)
    return output


def _source(bench: Workbench, go: Go) -> Path:
    """Return the folder of the main module, prepared for `go build -mod=readonly`."""
    recipe = bench.recipe
    if recipe.folder is None:
        return _published_module(bench, go)
    return _generated(bench, go, recipe.folder) if bench.how.generator else recipe.folder


def _published_module(bench: Workbench, go: Go) -> Path:
    """Download a module whole, compare its hash with the pinned one, and return its folder in the module cache."""
    build = bench.how
    written = bench.run([go.command, "mod", "download", "-json", build.module], cwd=bench.folder)
    # Go reports downloads on stderr into the same log: the answer is what lies between the outer braces.
    module = json.loads(written[written.index("{") : written.rindex("}") + 1])
    if module["Sum"] != build.module_sum:
        seen = f"{build.module}: expected {build.module_sum}, got {module['Sum']}"
        raise BuildError(bench.recipe.name, "go mod download", seen, bench.log)
    return Path(module["Dir"])


def _generated(bench: Workbench, go: Go, folder: Path) -> Path:
    """Generate the main package from builder.yaml, and put the committed go.mod and go.sum beside it.

    The generator writes the source that is compiled, so it comes from a module of its own, whose go.sum pins all of it.
    """
    tools = bench.folder / "tools"
    tools.mkdir()
    package, _, _ = bench.how.generator.rpartition("@")
    flags = ["-mod=readonly", "-buildvcs=false", "-trimpath"]
    command: list[str | Path] = [go.command, "build", *flags, "-o", f"{tools}/", package]
    bench.run(command, cwd=folder / GENERATOR)
    manifest = (folder / "builder.yaml").read_text(encoding="utf-8")
    # The manifest names no output folder: where it is built is this computer's business.
    output = bench.folder / "source"
    (bench.folder / "builder.yaml").write_text(
        manifest.replace("dist:\n", f"dist:\n  output_path: {json.dumps(str(output))}\n", 1),
        encoding="utf-8",
    )
    generator = tools / package.rpartition("/")[2]
    bench.run([generator, "--config=builder.yaml", "--skip-get-modules", "--skip-compilation"], cwd=bench.folder)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(folder / name, output / name)
    return output


def _rename_single(recipe: Recipe, output: Path) -> None:
    """Go names the file after its package or module; a recipe with one binary may call it otherwise."""
    files = list(output.iterdir())
    if len(recipe.binaries) == 1 and len(files) == 1:
        files[0].rename(output / recipe.binaries[0].name)
