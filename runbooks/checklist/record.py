"""The record of a run: who looked at what, when, and what was found; with a digest over all of it, and a signature.

`Record.model_json_schema()` is its published schema. The digest is SHA-256 over the JSON of the record without
`digest` and `signature`, keys sorted, without spaces. Not here: making and checking signatures (`stacks.cli.signing`).
"""

import hashlib
import json
from collections import Counter
from typing import Literal

from pydantic import ConfigDict, Field, ValidationError

from runbooks.checklist.model import ChecklistError, Phase, Result, Section, Status
from runbooks.report import Document


class Signature(Document):
    """An SSH signature over the digest, in the namespace `agentobs-checklist`."""

    by: str = Field(description="Identity that the signer claims")
    fingerprint: str
    armored: str = Field(description="As `ssh-keygen -Y sign` wrote it")


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
    """Read a record. Raises ChecklistError that names the file and the first bad keys."""
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        first = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'the whole'}: {each['msg']}"
            for each in error.errors(include_url=False)[:3]
        )
        raise ChecklistError(f"{where} is no record of a checklist: {first}") from None


def check(record: Record, where: str) -> None:
    """Raise ChecklistError where a record was changed after it was made."""
    if digest(record) != record.digest:
        raise ChecklistError(
            f"{where} was changed after it was made: its content has digest {digest(record)[:16]}..., it says"
            f" {record.digest[:16] or 'none'}. Fix: take it from where it was archived, or run the checklist again"
        )
