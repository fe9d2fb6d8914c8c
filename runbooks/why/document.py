"""The answer of a diagnosis, as a document: `Diagnosis.model_json_schema()` is its published schema."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import Field

from agentobs.contract import Label
from alerts.catalogue import Unit
from runbooks import wording
from runbooks.document import Document

if TYPE_CHECKING:
    from alerts.statistics import Comparison  # the form of documents needs no statistics


class Verdict(StrEnum):
    """What the diagnosis found."""

    REGRESSION = "regression"
    SYMPTOM = "symptom_without_version_change"
    NEWCOMER = "new_and_failing"
    ONE_OF_THESE = "one_of_these"
    RESOLVED = "resolved"
    HEALTHY = "healthy"
    NOT_ENOUGH_DATA = "not_enough_data"
    NO_DATA = "no_data"


class Origin(StrEnum):
    """What kind of cause a hypothesis names."""

    VERSION = "version"
    DATA_DRIFT = "data_drift"
    UNVERSIONED = "unversioned"
    NEW = "new"


class Status(StrEnum):
    """Whether an incident still harms."""

    OPEN = "open"
    OVER = "over"
    TAKEN_BACK = "taken_back"


class Measured(Document):
    """A KPI over one period; where there was none before, what is promised, with no events."""

    value: float = Field(description="The KPI in its unit")
    events: float = Field(description="Events it rests on; 0 of a promise")


class Evidence(Document):
    """One KPI before and after. Values and events are those of the KPI; the test is of what `tested` says."""

    kpi: str = Field(description="Key in the KPI catalogue")
    title: str
    unit: str
    before: Measured
    after: Measured
    z: float = Field(description="Change for the worse in standard errors; negative means better")
    subject: dict[str, str] = Field(description="Labels it was measured for; empty for the whole system")
    since: float | None = Field(description="Unix seconds of the moment it got worse, where that was searched for")
    p: float | None = Field(default=None, description="One-sided p-value, corrected for the number of comparisons")
    comparisons: int | None = Field(default=None, description="How many comparisons were made and corrected for")
    effect: float | None = Field(
        default=None, description="Change for the worse: absolute for a ratio, else a share of the old value"
    )
    low: float | None = Field(default=None, description="Lower end of the effect's 95 % confidence interval")
    high: float | None = Field(default=None, description="Upper end of the effect's 95 % confidence interval")
    tested: str = Field(default="", description="What was counted as bad, before and after")


class Culprit(Document):
    """The version to blame: which of the four dimensions, of what, since when."""

    environment: str
    agent: str | None = Field(description="The agent that runs the version, or through which a tool or graph acts most")
    agents: list[str] = Field(description="All agents it acts through, the most affected first")
    tool: str | None
    workflow: str | None
    prompt: str | None
    dimension: str = Field(description="prompt, tool, model or graph")
    version: str
    previous: str = Field(description="With its name before it where another one was replaced; none where none was")
    since: float = Field(description="Unix seconds of the first use in the window")


class Change(Document):
    """Another version change in the window, for the reader to weigh."""

    environment: str
    dimension: str
    entity: str = Field(description="Tool, agent (and its prompt) or workflow")
    version: str
    previous: str
    since: float
    until: float | None = Field(default=None, description="When its use ended, where it did")
    worst: list[Evidence] = Field(default_factory=list, description="What looks worst at home, certain or not")
    events: float | None = Field(default=None, description="Calls that ran it; few of them prove nothing")


class TraceLink(Document):
    """A trace that shows the trouble."""

    trace_id: str
    url: str | None = None


class Contribution(Document):
    """How much of an excess one tool or agent carries."""

    kpi: str
    name: str = Field(description="Tool, agent, or workflow")
    excess: float = Field(description="Failures, seconds, tokens or dollars beyond what the old value would have made")
    share: float = Field(description="Of the excess of all, 0 to 1")


class VersionUse(Document):
    """One version of the accused thing: when it was in use, and how it did."""

    version: str
    first_seen: float
    last_seen: float | None = Field(description="As recorded: up to five minutes after its last use")
    kpi: str
    measured: Measured | None = Field(description="The KPI that accuses, while it is in the window")


class Harm(Document):
    """What an incident has cost so far, beyond what the old value would have made."""

    tasks: float = Field(description="Failed tasks")
    events: float = Field(description="Bad events of its first KPI")
    kpi: str = Field(description="That KPI")


class Hypothesis(Document):
    """One explanation of an incident, with how sure it is and why."""

    incident: int = Field(description="Number of the incident it explains, from 0")
    origin: Origin
    status: Status
    until: float | None = Field(description="Unix seconds of its end, where it is over or taken back")
    harm: Harm
    confidence: float = Field(description="Probability among the explanations that were tried, 0 to 1")
    title: str
    culprit: Culprit | None = Field(description="The version, where one is to blame")
    subject: dict[str, str] = Field(description="Labels of the place that broke")
    since: float
    evidence: list[Evidence]
    reasons: list[str] = Field(description="Why it is this probable, in sentences")
    fixes: list[str] = Field(description="What usually mends it, the first thing first")
    rollback: str = Field(default="", description="The command that takes it back where releases are managed")
    preview: str = Field(default="", description="Address of the release console's preview of it, where there is one")
    inseparable_from: list[str] = Field(description="Titles of others that the same data support about as well")
    tells_apart: list[str] = Field(default_factory=list, description="What would tell it from those")


class Undecided(Document):
    """A change for the worse that may be chance still."""

    evidence: Evidence
    events_needed: int = Field(description="Events on each side that would prove an effect of this size")


class Diagnosis(Document):
    """Which agent broke, why, and since which version. All times are unix seconds."""

    verdict: Verdict
    culprit: Culprit | None
    evidence: list[Evidence] = Field(description="The clearest first, then the strongest of every KPI before a second")
    impact: list[Evidence] = Field(description="Task KPIs of the whole system before and after the change")
    trace: TraceLink | None
    other_changes: list[Change] = Field(description="Changes that are not accused, at most five")
    other_changes_left: int = Field(default=0, description="How many more of them there were")
    hypotheses: list[Hypothesis] = Field(
        default_factory=list, description="The cause of each incident, the most harmful first; then what rivals them"
    )
    contributions: list[Contribution] = Field(default_factory=list, description="Who carries the leading KPI's excess")
    history: list[VersionUse] = Field(
        default_factory=list, description="Versions of the accused thing, the newest first"
    )
    warnings: list[str] = Field(default_factory=list, description="What to mind before a fix")
    notes: list[str] = Field(
        default_factory=list,
        description="What else to know of each environment: other inputs, silence, tasks that fail all the time",
    )
    undecided: list[Undecided] = Field(default_factory=list, description="Not enough data to tell")
    failing_traces: list[TraceLink] = Field(
        default_factory=list, description="Calls that show the trouble, the newest first"
    )
    baseline_traces: list[TraceLink] = Field(
        default_factory=list, description="Good calls from before, to compare with"
    )
    window_start: float
    window_end: float


def evidence_of(
    comparison: "Comparison",
    subject: Mapping[Label, str] | None = None,
    since: float | None = None,
    comparisons: int | None = None,
    bound: float | None = None,
) -> Evidence:
    """Turn a comparison (both sides non-empty), the worst of so many, into its document."""
    kpi = comparison.kpi
    before, after = comparison.before, comparison.after
    share = kpi.is_share
    what = _what(comparison, bound)
    was = (
        f"promised is {wording.promised(kpi)}"
        if comparison.promised
        else what.format(f"{before.bad:,.0f}", f"{before.events:,.0f}")
    )
    return Evidence(
        kpi=kpi.key,
        title=kpi.title,
        unit=kpi.unit,
        before=Measured(value=before.value or 0.0, events=before.total),
        after=Measured(value=after.value or 0.0, events=after.total),
        z=round(comparison.z, 2),
        subject={str(label): value for label, value in (subject or {}).items()},
        since=since,
        p=min(1.0, comparison.p * (comparisons or 1)),
        comparisons=comparisons,
        effect=_finite(comparison.worsening),
        low=_finite(comparison.low) if share else None,
        high=_finite(comparison.high) if share else None,
        tested=f"{was}, then " + what.format(f"{after.bad:,.0f}", f"{after.events:,.0f}"),
    )


def _what(comparison: "Comparison", bound: float | None) -> str:
    """What was counted: bad calls, first attempts, large values, or stretches of time with a large mean."""
    kpi, sides = comparison.kpi, (comparison.before, comparison.after)
    if kpi.unit is Unit.PER_CALL:
        return "{} in {}"
    events = "first attempts" if any(side.events < side.total for side in sides[comparison.promised :]) else "events"
    if bound is None:
        return f"{{}} of {{}} {events} bad"
    if kpi.histogram is None:
        events = "stretches of time"
    return f"{{}} of {{}} {events} over {wording.amount(bound, kpi.unit)}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
