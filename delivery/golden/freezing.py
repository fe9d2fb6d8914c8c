"""Freezing a dataset: from then on its content has a version, and a change is another version."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.redaction import finding
from delivery.golden import files
from delivery.golden.dataset import LOCK, Dataset, Lock
from delivery.golden.errors import GoldenError


@dataclass(frozen=True, slots=True)
class Difference:
    """What a version changed."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing did."""
        return not (self.added or self.removed or self.changed)


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> Difference:
    """Compare two versions by the digests of their cases."""
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(case for case in after.keys() & before.keys() if after[case] != before[case])),
    )


def digests(dataset: Dataset) -> dict[str, str]:
    """The digest of every case."""
    return {case.example.id: case.digest for case in dataset.cases}


def freeze(dataset: Dataset, *, version: str, reason: str, by: str, at: dt.datetime) -> Lock:
    """Write `lock.json`. Raises GoldenError where a case may not be kept, or the version is taken."""
    before = dataset.lock
    if before is not None and before.version == version and before.digest != dataset.digest:
        raise GoldenError(
            f"{dataset.folder / LOCK}: version {version} is frozen with other content, and what is frozen does not "
            "change; fix: another --version"
        )
    if before is not None and before.digest == dataset.digest and before.version == version:
        return before
    problems = [*unfit(dataset)]
    if problems:
        raise GoldenError("\n".join(problems))
    lock = Lock(
        name=before.name if before else dataset.folder.resolve().name,
        version=version,
        digest=dataset.digest,
        parent=before.digest if before else "",
        reason=reason,
        by=by,
        at=at.isoformat(timespec="seconds"),
        cases=digests(dataset),
    )
    text = json.dumps(lock.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False)
    files.write(dataset.folder / LOCK, f"{text}\n".encode())
    return lock


def unfit(dataset: Dataset) -> Iterator[str]:
    """What may not be frozen: secrets, personal data, and cases of production that nobody approved."""
    for case in dataset.cases:
        where = dataset.where(case)
        found = [*finding.secrets_and_personal_data(case.example.model_dump_json(by_alias=True))]
        tape = dataset.tapes.get(case.example.tape or "")
        found += [*finding.secrets_and_personal_data(tape.model_dump_json(exclude={"servers"}))] if tape else []
        if found:
            yield (
                f"{where}: case {case.example.id} holds what must not be kept ({', '.join(sorted(set(found)))}); "
                "fix: replace it by a made-up value that stays the same in input, arguments and results"
            )
        if case.example.provenance.source == "production" and not case.example.provenance.approved_by:
            yield (
                f"{where}: case {case.example.id} comes from production and nobody approved it; fix: read it, then set "
                "provenance.approved_by"
            )
