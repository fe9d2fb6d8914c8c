"""Environments of Python for tests, by a lock file, outside of the checkout, made once for each lock.

With uv: pip takes ten times as long, minutes for a large framework.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from toolchain.settings import cache_root


def interpreter(lock: Path) -> Path:
    """Python of an environment that has just what a lock file with hashes says."""
    made_of = lock.read_bytes() + platform.python_version().encode()
    root = cache_root() / "python"
    root.mkdir(parents=True, exist_ok=True)
    home = root / hashlib.sha256(made_of).hexdigest()[:16]
    python = home / "bin" / "python"
    with FileLock(f"{home}.lock"):
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(home))
            install(python, "--require-hashes", "--requirement", str(lock))
            (home / "done").touch()
    return python


def install(python: Path, *what: str) -> None:
    """Put something into an environment, without what it needs."""
    _uv("pip", "install", "--python", str(python), "--no-deps", *what)


def _uv(*arguments: str) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    uv = shutil.which("uv", path=path)
    assert uv, (
        "no uv beside this Python and none on the path; it is locked. Fix: make lint, which sets up what is locked"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith(("VIRTUAL_ENV", "PYTHON"))}
    command = [uv, "--quiet", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
