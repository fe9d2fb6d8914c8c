"""The answer of a diagnosis, as a document: `Diagnosis.model_json_schema()` is its published schema."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from collector.signals import Label
from runbooks.comparison import Comparison


class Document(BaseModel):
    """Base of everything that is printed as JSON."""

    model_config = ConfigDict(frozen=True)


class Verdict(StrEnum):
    """What the diagnosis found."""

    REGRESSION = "regression"
    SYMPTOM = "symptom_without_version_change"
    HEALTHY = "healthy"
    NO_DATA = "no_data"


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


class TraceLink(Document):
    """A trace that shows the trouble."""

    trace_id: str
    url: str | None = None


class Diagnosis(Document):
    """Which agent broke, why, and since which version. All times are unix seconds."""

    verdict: Verdict
    culprit: Culprit | None
    evidence: list[Evidence] = Field(description="Strongest first; without a culprit, one of every KPI before a second")
    impact: list[Evidence] = Field(description="Task KPIs of the whole system before and after the change")
    trace: TraceLink | None
    other_changes: list[Change]
    window_start: float
    window_end: float


def evidence_of(
    comparison: Comparison, subject: Mapping[Label, str] | None = None, since: float | None = None
) -> Evidence:
    """Turn a comparison (both sides non-empty) into its document."""
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
    )
