"""A dataset: a folder with `cases.jsonl`, `tapes/`, and `lock.json` once it is frozen.

Content decides: a digest per case, one over all. Not here: what a case holds (`example`), freezing (`freezing`).
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from agentobs import canonical
from agentobs.canonical import CanonicalError
from delivery.golden import files, parsing
from delivery.golden.errors import GoldenError
from delivery.golden.example import SCHEMA, Digest, Example, Strict, Words
from delivery.golden.tape import Surface, Tape, written

CASES: Final = "cases.jsonl"
TAPES: Final = "tapes"
LOCK: Final = "lock.json"
_SHORT: Final = 12

_Model = TypeVar("_Model", Tape, Surface)


class Lock(Strict):
    """What was frozen: which version, by whom and why, and the digest of every case."""

    name: Words
    version: Words
    digest: Digest
    parent: str = ""
    reason: Words
    by: Words
    at: str = ""
    cases: dict[str, Digest]


@dataclass(frozen=True, slots=True)
class Case:
    """A case, where it stands, and its digest."""

    example: Example
    line: int
    digest: str


@dataclass(frozen=True)
class Dataset:
    """Everything in the folder, read and checked. `surfaces` by digest, `tapes` likewise."""

    folder: Path
    cases: tuple[Case, ...]
    tapes: Mapping[str, Tape] = field(default_factory=dict)
    surfaces: Mapping[str, Surface] = field(default_factory=dict)
    lock: Lock | None = None

    @cached_property
    def digest(self) -> str:
        """Over every case, every tape and the version of the format."""
        lines = sorted(f"{case.example.id} {case.digest}" for case in self.cases)
        used = sorted({*self.tapes, *(each for tape in self.tapes.values() for each in tape.servers.values())})
        return hashlib.sha256("\n".join([SCHEMA, *lines, *used]).encode()).hexdigest()

    @property
    def name(self) -> str:
        """What it is called: as frozen, else as its folder."""
        return self.lock.name if self.lock else self.folder.resolve().name

    @property
    def reference(self) -> str:
        """`name@version#digest`, as baselines, evidence and telemetry carry it."""
        return f"{self.name}@{self.lock.version if self.frozen and self.lock else 'draft'}#{self.digest[:_SHORT]}"

    @property
    def frozen(self) -> bool:
        """Whether the folder still holds what was frozen."""
        return self.lock is not None and self.lock.digest == self.digest

    def counted(self, today: dt.date) -> tuple[Case, ...]:
        """The cases that are not in quarantine on that day. Raises GoldenError where there are none."""
        found = tuple(case for case in self.cases if case.example.counts(today))
        if not found:
            raise GoldenError(
                f"{self.folder / CASES}: all {len(self.cases)} cases are in quarantine, so nothing would be tested; "
                "fix: mend one, or end its quarantine"
            )
        return found

    def where(self, case: Case) -> str:
        """File and line of a case."""
        return f"{self.folder / CASES}:{case.line}"


def load(folder: Path) -> Dataset:
    """Read a dataset. Raises GoldenError naming file, line and fix; a folder that differs from its lock is one."""
    found = draft(folder)
    if found.lock is not None and not found.frozen:
        raise GoldenError(
            f"{folder / LOCK}: the dataset is not what was frozen as {found.lock.name}@{found.lock.version} "
            f"({found.lock.digest[:_SHORT]}, now {found.digest[:_SHORT]}); fix: `agentobs golden diff {folder}` shows "
            "what changed; take it back, or freeze it as a new version"
        )
    return found


def draft(folder: Path) -> Dataset:
    """Read a dataset that may have changed since it was frozen. Raises GoldenError."""
    path = folder / CASES
    cases = read_cases(path, files.text_of(path, f"agentobs golden init {folder}"))
    tapes: dict[str, Tape] = {}
    surfaces: dict[str, Surface] = {}
    for case in cases:
        where = f"{path}:{case.line}"
        if (name := case.example.tape) and name not in tapes:
            tapes[name], of_it = tape_of(folder, name, where)
            surfaces |= of_it
    return Dataset(folder, cases, tapes, surfaces, _lock(folder / LOCK))


def read_cases(path: Path, text: str) -> tuple[Case, ...]:
    """The cases of a text, without their tapes. Raises GoldenError."""
    found: list[Case] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        example = parsing.example(line, where)
        if example.id in lines:
            raise GoldenError(f"{where}: the id {example.id!r} stands in line {lines[example.id]} too; fix: rename one")
        lines[example.id] = number
        try:
            found.append(Case(example, number, canonical.digest(json.loads(line))))
        except CanonicalError as error:
            raise GoldenError(f"{where}: {error}") from None
    if not found:
        raise GoldenError(f"{path}: holds no case, so nothing would be tested; fix: add one JSON object per line")
    return tuple(found)


def tape_of(folder: Path, name: str, where: str) -> tuple[Tape, dict[str, Surface]]:
    """A tape of a folder by its digest, and the surfaces it was recorded with by theirs. Raises GoldenError."""
    tape = _kept(folder, name, Tape, where)
    place = f"{folder / TAPES / name}.json"
    return tape, {digest: _kept(folder, digest, Surface, place) for digest in tape.servers.values()}


def _kept(folder: Path, name: str, model: type[_Model], where: str) -> _Model:
    """A file of `tapes/`, which must hold what its name says."""
    path = folder / TAPES / f"{name}.json"
    text = files.text_of(path, f"record the case again (agentobs golden record); it is asked for in {where}")
    parsing.strictly(text, str(path))
    try:
        found = model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise GoldenError(f"{path}: {place}: {first['msg']}; fix: record the case again") from None
    if written(found)[0] != name:
        raise GoldenError(
            f"{path}: was changed: its digest is {written(found)[0][:_SHORT]}, its name says {name[:_SHORT]} "
            f"(asked for in {where}); fix: take the change back, or record the case again"
        )
    return found


def _lock(path: Path) -> Lock | None:
    if not path.is_symlink() and not path.exists():
        return None
    text = files.text_of(path, "freeze the dataset again")
    parsing.strictly(text, str(path))
    try:
        return Lock.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise GoldenError(f"{path}: {place}: {first['msg']}; fix: take it back from version control") from None
