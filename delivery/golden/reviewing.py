"""Drafts that wait for a person: kept beside the cases, and taken in one by one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from delivery.golden import files, parsing
from delivery.golden.curating import UNREAD, Draft
from delivery.golden.dataset import CASES, TAPES, read_cases
from delivery.golden.errors import GoldenError
from delivery.golden.recording import files_of

DRAFTS: Final = "drafts.jsonl"


def waiting(folder: Path) -> list[dict[str, Any]]:
    """The drafts of a folder. Raises GoldenError."""
    path = folder / DRAFTS
    if not path.exists():
        return []
    lines = files.text_of(path, "agentobs golden curate").split("\n")
    return [parsing.strictly(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def add(folder: Path, chosen: Sequence[tuple[Draft, str]]) -> int:
    """Keep drafts, each once: those that wait or are cases already are left out. Returns how many are new."""
    there = {draft["id"] for draft in waiting(folder)} | {case["id"] for case in _cases(folder)}
    new = [(draft, reason) for draft, reason in chosen if draft.case["id"] not in there]
    for draft, _ in new:
        for name, content in files_of([draft.tape], draft.surfaces).items():
            files.write(folder / TAPES / f"{name}.json", content)
    lines = [*waiting(folder), *({**draft.case, "tags": [reason.replace(" ", "-")]} for draft, reason in new)]
    _write(folder / DRAFTS, lines)
    return len(new)


def take(folder: Path, case_id: str, *, expected: str, by: str) -> None:
    """Make a draft a case, with what a person says should happen. Raises GoldenError where the case is not sound."""
    draft = _of(folder, case_id)
    if not expected.strip() or expected.strip() == UNREAD:
        raise GoldenError(f"{folder / DRAFTS}: case {case_id}: nobody said what should happen; fix: --expected '...'")
    provenance = {**draft["provenance"], "reviewed_by": by, "approved_by": by}
    case = {**draft, "expected_behavior": expected.strip(), "provenance": provenance}
    parsing.example(json.dumps(case), f"{folder / DRAFTS}, case {case_id}")
    _write(folder / CASES, [*_cases(folder), case])
    drop(folder, case_id)


def drop(folder: Path, case_id: str) -> None:
    """Forget a draft. Raises GoldenError where there is none."""
    _of(folder, case_id)
    _write(folder / DRAFTS, [draft for draft in waiting(folder) if draft["id"] != case_id])


def _of(folder: Path, case_id: str) -> dict[str, Any]:
    for draft in waiting(folder):
        if draft["id"] == case_id:
            return draft
    raise GoldenError(f"{folder / DRAFTS}: there is no draft {case_id!r}; fix: agentobs golden review {folder}")


def _cases(folder: Path) -> list[dict[str, Any]]:
    path = folder / CASES
    if not path.exists():
        return []
    text = files.text_of(path, f"agentobs golden init {folder}")
    read_cases(path, text)
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _write(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    files.write(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
