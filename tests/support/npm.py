"""Packages of npm for tests, by a lock file, outside of the checkout, installed once for each lock."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

from toolchain.settings import cache_root

_FILES = ("package.json", "package-lock.json")


def node_modules(project: Path) -> Path:
    """The folder `node_modules` that `npm ci` makes for a project."""
    for program in ("node", "npm"):
        assert shutil.which(program), f"no {program}; this test needs Node.js 20 or newer. Fix: install it, with npm"
    made_of = hashlib.sha256(b"".join((project / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    folder = cache_root() / "node" / made_of
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "done").exists():
            for name in _FILES:
                shutil.copy(project / name, folder)
            command = ("npm", "ci", "--no-fund", "--no-audit", "--ignore-scripts")
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, f"{' '.join(command)} for {project}:\n{done.stdout}{done.stderr}"
            (folder / "done").touch()
    return folder / "node_modules"
