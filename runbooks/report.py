"""The answer of a diagnosis, as a document: `Diagnosis.model_json_schema()` is its published schema."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from collector.signals import Label

if TYPE_CHECKING:
    from runbooks.comparison import Comparison  # status needs the form of documents, and no statistics


class Document(BaseModel):
    """Base of everything that is printed as JSON."""

    model_config = ConfigDict(frozen=True)


class Verdict(StrEnum):
    """What the diagnosis found."""

    REGRESSION = "regression"
    SYMPTOM = "symptom_without_version_change"
    HEALTHY = "healthy"
    NOT_ENOUGH_DATA = "not_enough_data"
    NO_DATA = "no_data"


class Origin(StrEnum):
    """What kind of cause a hypothesis names."""

    VERSION = "version"
    DATA_DRIFT = "data_drift"
    ENVIRONMENT = "environment"


class Measured(Document):
    """A KPI over one period."""

    value: float = Field(description="The KPI in its unit")
    events: float = Field(description="Events it rests on")


class Evidence(Document):
    """One KPI before and after."""

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
    previous: str
    since: float = Field(description="Unix seconds of the first use in the window")


class Change(Document):
    """Another version change in the window, for the reader to weigh."""

    environment: str
    dimension: str
    entity: str = Field(description="Tool, agent (and its prompt) or workflow")
    version: str
    previous: str
    since: float
    worst: list[Evidence] = Field(description="Its worst regression, if it has one")
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


class Hypothesis(Document):
    """One explanation, with how sure it is and why."""

    origin: Origin
    confidence: float = Field(description="Probability among the explanations that were tried, 0 to 1")
    title: str
    culprit: Culprit | None = Field(description="The version, where one is to blame")
    subject: dict[str, str] = Field(description="Labels of the place that broke")
    since: float
    evidence: list[Evidence]
    reasons: list[str] = Field(description="Why it is this probable, in sentences")
    fixes: list[str] = Field(description="What usually mends it, the first thing first")
    inseparable_from: list[str] = Field(description="Titles of others that the same data support about as well")


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
    other_changes: list[Change]
    hypotheses: list[Hypothesis] = Field(default_factory=list, description="The most probable first, at most three")
    contributions: list[Contribution] = Field(default_factory=list, description="Who carries the leading KPI's excess")
    history: list[VersionUse] = Field(
        default_factory=list, description="Versions of the accused thing, the newest first"
    )
    warnings: list[str] = Field(default_factory=list, description="What to mind before a fix")
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
) -> Evidence:
    """Turn a comparison (both sides non-empty), the worst of so many, into its document."""
    kpi = comparison.kpi
    return Evidence(
        kpi=kpi.key,
        title=kpi.title,
        unit=kpi.unit,
        before=Measured(value=comparison.before.value or 0.0, events=comparison.before.denominator),
        after=Measured(value=comparison.after.value or 0.0, events=comparison.after.denominator),
        z=round(comparison.z, 2),
        subject={str(label): value for label, value in (subject or {}).items()},
        since=since,
        p=min(1.0, comparison.p * (comparisons or 1)),
        comparisons=comparisons,
        effect=_finite(comparison.worsening),
        low=_finite(comparison.low),
        high=_finite(comparison.high),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
