"""Finds or makes binaries: the order of sources, the lock, and the atomic step into the cache."""

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from toolchain.build import build
from toolchain.errors import MissingBinaryError, PublisherOnlyError, WrongVersionError
from toolchain.fetch import Downloads, UnavailableError, extract
from toolchain.golang import find_or_install
from toolchain.probe import ORIGIN_FILE, Finding, ask_version, find
from toolchain.progress import Reporter
from toolchain.recipes import Recipe
from toolchain.settings import Source, allowed_sources, platform_key, toolchain_root
from toolchain.table import RECIPES, select

_LOCK_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Made:
    """What was done for one recipe: how (a sentence for a person) and how long it took, in seconds."""

    recipe: Recipe
    how: str
    seconds: float


@dataclass(slots=True)
class Maker:
    """Makes recipes one after the other; remembers what it did and which hosts are out of reach."""

    reporter: Reporter
    sources: frozenset[Source]
    made: list[Made] = field(default_factory=list)
    downloads: Downloads = field(default_factory=lambda: Downloads(toolchain_root() / "downloads"))

    def make(self, recipe: Recipe) -> None:
        """Bring the recipe's binaries into the cache, unless another process did so meanwhile.

        Raises:
            ToolchainError: no allowed source gives them.

        """
        started = time.monotonic()
        self.reporter.begin(recipe)
        home = recipe.home()
        home.mkdir(parents=True, exist_ok=True)
        with self._lock(recipe):
            how = "made by another process" if _complete(recipe) else self._make(recipe, home)
        self.made.append(Made(recipe, how, time.monotonic() - started))
        self.reporter.end(recipe, how, self.made[-1].seconds)

    @contextmanager
    def _lock(self, recipe: Recipe) -> Iterator[None]:
        """Hold the recipe's lock; a person is told when it takes waiting."""
        lock = FileLock(recipe.lock_file())
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.reporter.say(f"{recipe.name}: another process is making it; waiting until it is done")
        while not lock.is_locked:
            try:
                lock.acquire(timeout=_LOCK_POLL_S)
            except Timeout:
                self.reporter.tick()
        try:
            yield
        finally:
            lock.release()

    def _make(self, recipe: Recipe, home: Path) -> str:
        """Make into a staging folder, check, and move into `home`; return how."""
        staging = home / ".staging"
        shutil.rmtree(staging, ignore_errors=True)  # what an interrupted run left
        staging.mkdir()
        try:
            how = self._download(recipe, staging) or self._build(recipe, staging)
            files = sorted(path for path in (staging / "bin").iterdir() if path.is_file())
            for binary in recipe.binaries:
                version, seen = ask_version(staging / "bin" / binary.name, binary)
                if version not in recipe.versions(binary):
                    raise WrongVersionError(binary.name, " or ".join(recipe.versions(binary)), seen)
            for file in files:
                os.replace(file, home / file.name)  # noqa: PTH105 - the point is that it is the atomic one
            (home / ORIGIN_FILE).write_text(json.dumps({"how": how}), encoding="utf-8")
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return how

    def _download(self, recipe: Recipe, staging: Path) -> str:
        """Return how, or "" when there is no release to be had here."""
        release = recipe.releases.get(platform_key())
        if release is None or Source.RELEASE not in self.sources:
            return ""
        try:
            archive = self.downloads.get(release, self.reporter.tick)
        except UnavailableError as error:
            self.reporter.say(f"{recipe.name}: no official release: {error}")
            return ""
        (staging / "bin").mkdir()
        extract(archive, release, staging / "bin")
        archive.unlink()
        return "official release"

    def _build(self, recipe: Recipe, staging: Path) -> str:
        if recipe.build is None:
            raise PublisherOnlyError(recipe.name, recipe.version)
        if Source.BUILD not in self.sources:
            raise MissingBinaryError({binary.name: "building is switched off" for binary in recipe.binaries})
        go = find_or_install(recipe.build.minimum_go)
        log = toolchain_root() / "logs" / f"{recipe.name}-{recipe.home().name}.log"
        build(recipe, recipe.build, go, staging, log, self.reporter.tick)
        return f"built with Go {go.version}"


def require(names: Iterable[str]) -> dict[str, Path]:
    """Return the path of each named binary (or of each binary of a named group); find only, never make.

    Raises:
        MissingBinaryError: names every binary that is not there and the command that makes them.
        UnknownNameError: a name that is neither a binary nor a group.

    """
    findings = find(select(names), allowed_sources())
    missing = {finding.binary.name: finding.note for finding in findings if finding.path is None}
    if missing:
        raise MissingBinaryError(missing)
    return _paths(findings)


def unobtainable(names: Iterable[str]) -> list[str]:
    """Those of the named binaries, with their versions, that are not here, have no archive, and are never built."""
    sources = allowed_sources()
    return [
        f"{finding.binary.name} {finding.binary.version}"
        for finding in find(select(names), sources)
        if finding.path is None
        and finding.recipe.build is None
        and (platform_key() not in finding.recipe.releases or Source.RELEASE not in sources)
    ]


def ensure(names: Iterable[str], progress: Reporter | None = None) -> dict[str, Path]:
    """Return the path of each named binary, making those that are not there; slow the first time.

    Raises:
        ToolchainError: one cannot be had; the text says why and how to mend it.

    """
    with progress or Reporter() as reporter:
        return make_all(names, reporter)[0]


def make_all(names: Iterable[str], reporter: Reporter) -> tuple[dict[str, Path], list[Made]]:
    """Find or make the named binaries; return their paths and what had to be done for them."""
    sources = allowed_sources()
    wanted = select(names)
    lacking = {finding.recipe.name for finding in find(wanted, sources) if finding.path is None}
    recipes = [recipe for recipe in RECIPES if recipe.name in lacking]
    maker = Maker(reporter, sources)
    reporter.plan(recipes)
    for recipe in recipes:
        maker.make(recipe)
    # What was just made counts even when the cache is switched off as a source.
    return _paths(find(wanted, sources | ({Source.CACHE} if recipes else frozenset()))), maker.made


def _complete(recipe: Recipe) -> bool:
    return all((recipe.home() / binary.name).is_file() for binary in recipe.binaries)


def _paths(findings: Iterable[Finding]) -> dict[str, Path]:
    return {finding.binary.name: finding.path for finding in findings if finding.path is not None}
