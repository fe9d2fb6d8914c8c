"""The SDK as agents have it: its wheel and the locked packages that it needs, in an environment of their own."""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from support.installed import closure, normal

ROOT = Path(__file__).resolve().parents[2]
SDK = "agentobs-sdk"


def wheel(folder: Path) -> Path:
    """Built without a network, and from a copy: setuptools writes beside the sources."""
    sources, built = folder / "sources", folder / "wheels"
    shutil.copytree(ROOT / "sdk", sources, ignore=shutil.ignore_patterns("build", "js", "*.egg-info", "__pycache__"))
    _pip("wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(built), str(sources))
    (found,) = built.iterdir()
    return found


def environment(folder: Path) -> Path:
    """Python of a virtual environment that has the wheel, its locked dependencies, and nothing else."""
    home = folder / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    pins = folder / "requirements.txt"
    pins.write_text("\n".join(_pins({normal(each.name) for each in closure([SDK])} - {SDK})))
    _pip("--python", str(python), "install", "--require-hashes", "--no-deps", "--requirement", str(pins))
    _pip("--python", str(python), "install", "--no-index", "--no-deps", str(wheel(folder)))
    return python


def _pins(names: set[str]) -> list[str]:
    """The entries of these in the lock, with the hashes; a package may have one per version of Python."""
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    pins = [(normal(entry.partition("==")[0]), entry) for entry in entries]
    assert names <= {name for name, _ in pins}
    return [entry for name, entry in pins if name in names]


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
