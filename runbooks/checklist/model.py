"""A deployment checklist as data: items, what was found, and what an item may ask.

Not here: the items (`catalogue`), how they are run (`running`), what a record looks like (`record`, `rendering`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from agentobs.errors import AgentobsError
from collector import quotes
from runbooks.baseline import Baseline
from runbooks.checklist.evidence import Evidence
from runbooks.checklist.platform import Platform
from runbooks.document import Document


class ChecklistError(AgentobsError, ValueError):
    """A checklist that cannot be run, written or verified; the message names what, and the fix."""


class Phase(StrEnum):
    """When an item is looked at."""

    BEFORE = "before"
    AFTER = "after"


class Section(StrEnum):
    """What an item is about; a record is read section by section."""

    RELEASE = "Release process"
    MEASURE = "Measures to compare with"
    ALERTING = "Alerting"
    BOARDS = "Dashboards"
    PLATFORM = "Platform"
    ROOM = "Room to grow"
    KPIS = "KPIs of the release"
    REVIEW = "Review by people"
    MONEY = "Cost"


class Owner(StrEnum):
    """Who sees to it that an item passes."""

    AGENTS = "agent team"
    PLATFORM = "platform team"
    RELEASE = "release manager"


class Status(StrEnum):
    """What became of an item. `UNJUDGED`: nobody can say, for instance because a store does not answer."""

    PASS = "pass"  # noqa: S105 a verdict, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    UNJUDGED = "could not be judged"


class Proof(Document):
    """What a verdict rests on: a question, its answer, and where to look, which is an address of the web or nothing."""

    model_config = ConfigDict(extra="forbid")

    what: str
    value: str = ""
    query: str = ""
    link: Annotated[str, AfterValidator(quotes.web)] = ""


class Result(Document):
    """One item of a record. `at` is when it was looked at, in unix seconds."""

    model_config = ConfigDict(extra="forbid")

    key: str
    title: str
    section: Section
    owner: Owner
    automated: bool = Field(description="Asked of the running platform; else read from the evidence file")
    status: Status
    message: str = Field(description="What was found, in one sentence")
    fix: str = ""
    proofs: list[Proof] = Field(default_factory=list)
    at: float
    took_s: float
    inputs: str = Field(default="", description="Digest of options and file that it rests on")

    def describes(self, item: "Item") -> bool:
        """Whether it is a result of that item, as the checklist has it."""
        mine = (self.key, self.title, self.section, self.owner, self.automated)
        return mine == (item.key, item.title, item.section, item.owner, item.automated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an item finds."""

    status: Status
    message: str
    fix: str = ""
    proofs: Sequence[Proof] = ()


def passed(said: str, *proofs: Proof) -> Outcome:
    """The item holds."""
    return Outcome(status=Status.PASS, message=said, proofs=proofs)


def failed(said: str, fix: str, *proofs: Proof) -> Outcome:
    """The item does not hold; `fix` is what to do."""
    return Outcome(status=Status.FAIL, message=said, fix=fix, proofs=proofs)


def not_applicable(reason: str) -> Outcome:
    """The item does not concern this release or stack."""
    return Outcome(status=Status.NOT_APPLICABLE, message=reason)


def unjudged(reason: str, fix: str, *proofs: Proof) -> Outcome:
    """Nobody can say; `fix` is what to do so that somebody can."""
    return Outcome(status=Status.UNJUDGED, message=reason, fix=fix, proofs=proofs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an operator may set otherwise: shares that must be free, and how many traces are read of each kind."""

    disk_free: float
    memory_free: float
    per_stratum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What items look at: a release in an environment over a window (unix seconds).

    `baseline` is the recorded one, or why there is none. `missing` are parts of the platform that were not named, by
    name, each with how to name it.
    """

    stack: str
    environment: str
    release: str
    start: float
    end: float
    evidence: Evidence
    baseline: Baseline | str
    platform: Platform
    limits: Limits
    seed: str
    trace_url: str = ""
    errors: tuple[type[Exception], ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the checklist. `promise` is what it means to a reader outside; `judge` finds out.

    `reads` says from which file it is judged, `evidence` or `baseline`; empty where the platform alone is asked.
    """

    key: str
    phase: Phase
    section: Section
    title: str
    promise: str
    owner: Owner
    judge: Callable[[Context], Outcome]
    reads: str = ""

    @property
    def automated(self) -> bool:
        """Whether the running platform is asked."""
        return self.reads != "evidence"
