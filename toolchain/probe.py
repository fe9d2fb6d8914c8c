"""Asks a binary for its version, and looks for binaries on PATH and in the cache. Nothing is changed here."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolchain.recipes import Binary, Recipe
from toolchain.settings import Source

ORIGIN_FILE = "origin.json"

# VictoriaLogs of its publisher ends in what `git describe` says of the tag itself, -0-g<commit>: no pre-release.
_VERSION = re.compile(r"(?<![\w.])v?(\d+\.\d+\.\d+(?:-(?!0-g[0-9a-f])[0-9A-Za-z.]+)?)")
_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a binary was found (`path` is None when nowhere), and a note worth showing."""

    recipe: Recipe
    binary: Binary
    path: Path | None = None
    source: Source | None = None
    note: str = ""


def parse_version(output: str) -> str | None:
    """Return the version in the first line that is not empty; later lines name Go, the platform, the build."""
    line = next((line for line in output.splitlines() if line.strip()), "")
    match = _VERSION.search(line)
    return match.group(1) if match else None


def ask_version(path: Path, binary: Binary) -> tuple[str | None, str]:
    """Run the binary and return its version (None when it says none) and what was seen instead."""
    try:
        result = subprocess.run(
            [path, *binary.version_args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if result.returncode != 0:
        return None, f"exit status {result.returncode} of {path.name} {' '.join(binary.version_args)}"
    output = result.stdout if result.stdout.strip() else result.stderr
    # Some say first by which path they were called, and the cache's folder has a version too.
    version = parse_version(output.replace(str(path), path.name))
    return version, f"version {version}" if version else f"no version in {output[:80]!r}"


def on_path(recipe: Recipe, binary: Binary) -> Finding:
    """Look for the binary on PATH; one of another version is passed over and named in the note."""
    notes: list[str] = []
    for name in binary.names_on_path:
        located = shutil.which(name)
        if located is None:
            continue
        version, seen = ask_version(Path(located), binary)
        if version in recipe.versions(binary):
            return Finding(recipe, binary, Path(located), Source.PATH)
        notes.append(f"passed over {located}: {seen}")
    return Finding(recipe, binary, note="; ".join(notes))


def in_cache(recipe: Recipe, binary: Binary) -> Finding:
    """Look for the binary in the cache, where nothing lands before its version was checked."""
    path = recipe.home() / binary.name
    if not path.is_file():
        return Finding(recipe, binary)
    try:
        origin = json.loads((recipe.home() / ORIGIN_FILE).read_text(encoding="utf-8"))["how"]
    except (OSError, ValueError, KeyError, TypeError):
        origin = ""
    return Finding(recipe, binary, path, Source.CACHE, origin)


def find(wanted: Iterable[tuple[Recipe, Binary]], sources: frozenset[Source]) -> list[Finding]:
    """Return one finding per wanted binary: PATH first, then the cache."""
    findings: list[Finding] = []
    for recipe, binary in wanted:
        finding = on_path(recipe, binary) if Source.PATH in sources else Finding(recipe, binary)
        if finding.path is None and Source.CACHE in sources:
            cached = in_cache(recipe, binary)
            note = "; ".join(text for text in (cached.note, finding.note) if text)
            finding = Finding(recipe, binary, cached.path, cached.source, note)
        findings.append(finding)
    return findings
