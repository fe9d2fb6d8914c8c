"""What people install: wheels of the SDK and of the platform, in an environment of their own with locked packages."""

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from pathlib import Path

from support.installed import closure, normal
from support.python_environment import install

ROOT = Path(__file__).resolve().parents[2]
SDK, PLATFORM = "agentobs-sdk", "agentobs"
_NO_SOURCES = ("build", "js", "*.egg-info", "__pycache__")
_BESIDE = ("LICENSE", "Pulumi.yaml", "README.md", "pyproject.toml")


def wheel(folder: Path, name: str = SDK) -> Path:
    """Built without a network, and from a copy: setuptools writes beside the sources."""
    sources, built = folder / f"{name}-sources", folder / "wheels" / name
    if name == SDK:
        _copy(ROOT / "sdk", sources)
    else:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        for package in sorted({each.partition(".")[0] for each in project["tool"]["setuptools"]["packages"]}):
            _copy(ROOT / package, sources / package)
        for file in _BESIDE:
            shutil.copy(ROOT / file, sources)
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel", "--no-build-isolation"]
    command += ["--no-deps", "--no-index", "--wheel-dir", str(built), str(sources)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = built.iterdir()
    return found


def environment(folder: Path, names: Iterable[str] = (SDK,)) -> Path:
    """Python of a virtual environment that has these wheels, their locked dependencies, and nothing else."""
    names = [*names]
    home = folder / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    pins = folder / "requirements.txt"
    pins.write_text("\n".join(_pins({normal(each.name) for each in closure(names)} - {SDK, PLATFORM})))
    install(python, "--require-hashes", "--requirement", str(pins))
    install(python, "--no-index", *(str(wheel(folder, name)) for name in names))
    return python


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NO_SOURCES))


def _pins(names: set[str]) -> list[str]:
    """The entries of these in the lock, with the hashes; a package may have one per version of Python."""
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    pins = [(normal(entry.partition("==")[0]), entry) for entry in entries]
    assert names <= {name for name, _ in pins}
    return [entry for name, entry in pins if name in names]
