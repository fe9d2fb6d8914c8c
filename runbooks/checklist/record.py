"""The record of a run: who looked at what, when, and what was found; with a digest over all of it, and a signature.

`Record.model_json_schema()` is its published schema. The digest is SHA-256 over the JSON of the record without
`digest` and `signature`, keys sorted, without spaces. Not here: signatures (`stacks.checklist.signing`).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from runbooks.checklist.catalogue import items
from runbooks.checklist.model import ChecklistError, Item, Phase, Result, Section, Status
from runbooks.document import Document
from runbooks.signature import Signature

_SHOWN: Final = 3


class Record(Document):
    """One run of a checklist. Times are unix seconds."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    phase: Phase
    stack: str
    environment: str
    release: str
    by: str = Field(description="Who ran it")
    made_at: float
    window_start: float
    window_end: float
    evidence: str = Field(description="Digest of the evidence file, empty without one")
    baseline: str = Field(description="Name of the baseline, empty without one")
    results: list[Result]
    digest: str = ""
    signature: Signature | None = None

    @property
    def verdict(self) -> Status:
        """The worst of the items: fail, then could not be judged, then pass."""
        found = {result.status for result in self.results}
        return next((status for status in (Status.FAIL, Status.UNJUDGED) if status in found), Status.PASS)

    def count(self, status: Status) -> int:
        """How many items have a status."""
        return Counter(result.status for result in self.results)[status]

    @property
    def automated(self) -> int:
        """How many items were asked of the running platform."""
        return sum(result.automated for result in self.results)

    def sections(self) -> dict[Section, list[Result]]:
        """Results by section, in the order of the checklist."""
        return {
            section: [result for result in self.results if result.section is section]
            for section in dict.fromkeys(result.section for result in self.results)
        }


def digest(record: Record) -> str:
    """The digest of a record's content."""
    content = record.model_dump(mode="json", exclude={"digest", "signature"})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(record: Record) -> Record:
    """The record with its digest."""
    return record.model_copy(update={"digest": digest(record)})


def parse(text: str, where: str) -> Record:
    """Read a record, of which every byte of content counts. Raises ChecklistError that names the file and the bad keys.

    What a reader could read otherwise is refused: keys that are repeated, unknown or left out, values of other types.
    """
    try:
        content = json.loads(text, object_pairs_hook=_once, parse_constant=_number)
        record = Record.model_validate(content)
    except (ValueError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            raise ChecklistError(f"{where} is no record of a checklist: {error or 'too deep'}") from None
        first = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'the whole'}: {each['msg']}"
            for each in error.errors(include_url=False)[:3]
        )
        raise ChecklistError(f"{where} is no record of a checklist: {first}") from None
    if content != record.model_dump(mode="json"):
        raise ChecklistError(f"{where} is no record as this version writes them: a key is missing, or a value is odd")
    return record


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} stands there twice, and readers differ in which one counts")
    return found


def _number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _whole(record: Record, where: str) -> None:
    """Every item of its phase, each once, as this version's checklist has it."""
    wanted = {item.key: item for item in items(record.phase)}
    counted = Counter(result.key for result in record.results)
    problems = [
        *(f"{key} is missing" for key in wanted if key not in counted),
        *(f"{key} is there {count} times" for key, count in counted.items() if count > 1),
        *(f"{key} is not in the checklist" for key in counted if key not in wanted),
        *(f"{result.key} is described otherwise" for result in record.results if not _is_of(result, wanted)),
    ]
    if problems:
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ChecklistError(
            f"{where} does not hold the checklist {record.phase!s} as this version has it:"
            f" {'; '.join(problems[:_SHOWN])}{more}. Fix: run it again, or verify with the version that made it"
        )


def _is_of(result: Result, wanted: Mapping[str, Item]) -> bool:
    item = wanted.get(result.key)
    return item is None or result.describes(item)


def check(record: Record, where: str) -> None:
    """Raise ChecklistError where a record was changed after it was made, or does not hold the whole checklist."""
    if digest(record) != record.digest:
        raise ChecklistError(
            f"{where} was changed after it was made: its content has digest {digest(record)[:16]}..., it says"
            f" {record.digest[:16] or 'none'}. Fix: take it from where it was archived, or run the checklist again"
        )
    _whole(record, where)
