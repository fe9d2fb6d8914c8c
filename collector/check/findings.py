"""What a check reports: one `Finding` per thing to mend, and findings that are alike as one `Group`."""

from collections.abc import Iterable, Sequence
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
    """What a finding is about, in the order of what it breaks: a new kind stands where its harm belongs."""

    # Numbers are wrong.
    LOST = "lost_data"
    UNREAD = "unread_spans"
    TWICE = "counted_twice"
    EXPLODING = "exploding_label"
    SCATTERED = "scattered_task"
    DOUBTFUL = "doubtful_tokens"
    COSTS_DIFFER = "costs_differ"
    BEYOND = "beyond_buckets"
    CLOCK = "odd_clock"
    # Numbers are not there.
    UNTASKED = "no_task"
    UNNAMED = "no_agent"
    MISSING = "missing_attribute"
    UNPRICED = "unpriced_model"
    UNSTORED = "unstored_metric"
    # Traces are hard to read.
    ORPHANED = "orphaned_spans"
    DETACHED = "detached_spans"

    @property
    def breaks(self) -> str:
        """What it breaks, in a few words."""
        return _BREAKS[self]


_BREAKS: Final[dict[Kind, str]] = {
    Kind.LOST: "every count is too low by what was lost",
    Kind.UNREAD: "these calls, their failures and their cost are in no KPI",
    Kind.TWICE: "what they report is counted twice: calls with their tokens and cost, runs of agents",
    Kind.EXPLODING: "each value is a series: none can be followed over time, and at the limit new ones are dropped",
    Kind.SCATTERED: "one request counts as several tasks: success, cost and time per task are wrong",
    Kind.DOUBTFUL: "tokens and cost of these calls are wrong, and cannot be put right afterwards",
    Kind.COSTS_DIFFER: "what is spent is stated twice, and one of the two is wrong",
    Kind.BEYOND: "quantiles of time are lower than what happened",
    Kind.CLOCK: "durations are wrong, and nobody finds these spans at their time",
    Kind.UNTASKED: "these requests are in no KPI of tasks",
    Kind.UNNAMED: "no KPI and no alert can say which agent broke",
    Kind.MISSING: "KPIs that need it, or are told apart by it, leave these spans out",
    Kind.UNPRICED: "cost is too low",
    Kind.UNSTORED: "this metric of an application's own is not stored; no KPI is concerned",
    Kind.ORPHANED: "traces are torn: nobody sees what led to the failure",
    Kind.DETACHED: "a tool's own time and errors cannot be found from the agent that called it",
}


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
    example: str = Field(default="", description="Name of a span that is concerned.")
    scope: str = Field(default="", description="The library that made these spans, where it matters.")
    fix: str

    @property
    def share(self) -> float | None:
        """Part of what was examined; None where there is nothing to compare with."""
        return self.count / self.of if self.of else None

    @property
    def order(self) -> tuple[bool, int, int, int, str, str]:
        """Sort key: what breaks most first; what a view could show and does not comes last."""
        return (
            self.severity is Severity.RECOMMENDED,
            list(Kind).index(self.kind),
            list(Severity).index(self.severity),
            -self.count,
            self.service,
            self.agent,
        )


class Group(BaseModel):
    """Findings that are alike: of one kind, about one thing, mended by one line."""

    severity: Severity
    kind: Kind
    subject: str
    what: str
    breaks: str
    count: int
    of: int = 0
    services: list[str]
    agents: list[str]
    scopes: list[str] = []
    trace_id: str = ""
    example: str = ""
    fix: str


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Findings that differ only in who is concerned, put together; the order is that of the findings."""
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: finding.order):
        same = () if finding.kind is Kind.MISSING else (finding.what, finding.fix)
        key = (finding.severity, finding.kind, finding.subject, *same)
        alike.setdefault(key, []).append(finding)
    made = [_group(rows) for rows in alike.values()]
    return sorted(made, key=lambda group: (group.severity is Severity.RECOMMENDED, list(Kind).index(group.kind)))


def _group(rows: Sequence[Finding]) -> Group:
    first = rows[0]
    return Group(
        severity=first.severity,
        kind=first.kind,
        subject=first.subject,
        what=_together([row.what for row in rows]),
        breaks=first.kind.breaks,
        count=sum(row.count for row in rows),
        of=sum(row.of for row in rows),
        services=list(dict.fromkeys(row.service for row in rows)),
        agents=list(dict.fromkeys(row.agent for row in rows if row.agent)),
        scopes=list(dict.fromkeys(row.scope for row in rows if row.scope)),
        trace_id=next((row.trace_id for row in rows if row.trace_id), ""),
        example=next((row.example for row in rows if row.example), ""),
        fix=first.fix,
    )


def _together(said: Sequence[str]) -> str:
    """`no x on the agent span` and `no x on the task span`, said once."""
    first, *rest = dict.fromkeys(said)
    start = first.partition(" on the ")[0]
    return first + "".join(f" and the {each.removeprefix(f'{start} on the ')}" for each in rest)
