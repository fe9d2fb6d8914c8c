"""What a check reports: one `Finding` per thing to mend."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, Field

COLLECTOR: Final = "(collector)"  # stands where a service has its name, for findings about the collector itself


class Severity(StrEnum):
    """What a finding costs, worst first."""

    REQUIRED = "required"  # a KPI is missing, or cannot be told apart by agent, tool or version
    PROBLEM = "problem"  # data is lost, torn apart, or too much of it
    RECOMMENDED = "recommended"  # a view has less to show


class Kind(StrEnum):
    """What a finding is about."""

    MISSING = "missing_attribute"
    EXPLODING = "exploding_label"
    ORPHANED = "orphaned_spans"
    DETACHED = "detached_spans"
    UNTASKED = "no_task"
    UNPRICED = "unpriced_model"
    LOST = "lost_data"


class Finding(BaseModel):
    """One thing to mend: `count` of `of` examined are concerned; `of` is 0 where nothing compares."""

    severity: Severity
    kind: Kind
    service: str
    agent: str = ""
    subject: str = Field(description="The attribute, label, model or counter that it is about.")
    what: str
    count: int
    of: int = 0
    trace_id: str = ""
    fix: str

    @property
    def share(self) -> float | None:
        """Part of what was examined; None where there is nothing to compare with."""
        return self.count / self.of if self.of else None

    @property
    def order(self) -> tuple[str, int, str, str, int]:
        """Sort key: by service, worst first."""
        return self.service, list(Severity).index(self.severity), self.agent, self.kind, -self.count
