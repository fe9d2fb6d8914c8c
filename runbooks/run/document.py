"""What a run of an alert's quick checks found, as a document: `Run.model_json_schema()` is its schema."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from alerts.evidence import About
from runbooks.document import Document
from runbooks.why.document import Diagnosis
from runbooks.why.document import Verdict as Found

_WRONG: Final = frozenset({Found.REGRESSION, Found.SYMPTOM, Found.NEWCOMER, Found.ONE_OF_THESE})
"""Verdicts of a diagnosis that say that something is wrong now."""


class Verdict(StrEnum):
    """What the answer to one quick check means."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    FOUND = "found"
    NOTHING = "nothing found"
    NOT_ASKED = "cannot be asked"


class Result(Document):
    """One series, trace or line of an answer."""

    labels: dict[str, str]
    value: float | None = Field(description="Of a series; of a trace its seconds, of a line its time")


class Step(Document):
    """One quick check with its answer."""

    title: str
    about: About
    language: str = Field(description="promql, or bash for a search in traces or lines")
    query: str = Field(description="As it was asked, or as a person asks it, with the labels filled in")
    shows: str = Field(description="What the page says of it")
    verdict: Verdict
    message: str = Field(description="The number, and what it means")
    failed: bool = Field(default=False, description="Whether a store that there is did not answer")
    results: list[Result] = Field(default_factory=list, description="At most 50")


class Run(Document):
    """All quick checks of an alert, then the diagnosis, then what to type next. All times are unix seconds."""

    alert: str
    labels: dict[str, str]
    at: float
    steps: list[Step]
    diagnosis: Diagnosis | None
    undiagnosed: str = Field(default="", description="Why there is no diagnosis")
    next_command: str = ""
    next_reason: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether the alert's condition holds, or the diagnosis found something that got worse."""
        return self.fires or (self.diagnosis is not None and self.diagnosis.verdict in _WRONG)

    @property
    def fires(self) -> bool:
        """Whether a rule of the alert holds."""
        return any(step.about is About.RULE and step.verdict is Verdict.HOLDS for step in self.steps)

    @property
    def is_whole(self) -> bool:
        """Whether everything that there is to ask was asked, and of something that was ever measured."""
        if self.diagnosis is not None and self.diagnosis.verdict is Found.NO_DATA:
            return False
        return self.diagnosis is not None and not any(step.failed for step in self.steps)
