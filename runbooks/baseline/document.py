"""The file of a baseline: `Baseline.model_json_schema()` is its published schema."""

from collections.abc import Iterable
from typing import Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from agentobs.errors import AgentobsError
from alerts.catalogue import CATALOGUE
from alerts.recording import BaselinePoint
from alerts.recording.comparison import COMPARED
from runbooks.document import Document

_COMPARED: Final = frozenset(kpi.key for kpi in COMPARED)
_KNOWN: Final = {kpi.key: kpi for kpi in CATALOGUE}


class BaselineError(AgentobsError, ValueError):
    """A baseline that cannot be recorded or read; the message names it, what was expected and the fix."""


class _Kept(Document):
    model_config = ConfigDict(extra="forbid")


class InUse(_Kept):
    """A version that was at work in the window."""

    dimension: str = Field(description="prompt, tool, model or graph")
    entity: dict[str, str] = Field(description="Labels of whose version it is")
    version: str
    calls: float


class Bucket(_Kept):
    """Events up to a bound, those of all lower buckets among them."""

    upper: float | None = Field(description="Upper bound in the unit of the KPI; null is infinite")
    count: float


class Point(_Kept):
    """One KPI at one set of its labels."""

    kpi: str = Field(description="Key in the KPI catalogue")
    labels: dict[str, str]
    value: float
    low: float | None = Field(description="Lower end of the 95 % interval; null where the spread is not known")
    high: float | None = Field(description="Upper end of it")
    numerator: float = Field(description="What was counted above the line")
    events: float = Field(gt=0, description="Events it rests on")
    error: float | None = Field(default=None, description="Standard error of the value")
    freedom: float | None = Field(default=None, description="Degrees of freedom of the error")
    method: str = Field(description="Where the interval comes from")
    buckets: list[Bucket] = Field(
        default_factory=list, description="Of the mean of a histogram, for its test; none in files of format 1"
    )


class Baseline(_Kept):
    """KPIs of one environment over one window, with the versions that ran. Times are unix seconds."""

    format: Literal[1, 2] = Field(default=2, description="1 has no buckets: means of histograms are compared as means")
    name: str = Field(min_length=1)
    release: str = Field(description="The release that ran, if somebody named it")
    environment: str = Field(min_length=1)
    recorded_at: float
    recorded_by: str
    window_start: float
    window_end: float
    versions: list[InUse]
    points: list[Point] = Field(min_length=1)
    too_few: list[str] = Field(description="KPIs with too few events for a value, with their labels and counts")

    def kpis(self) -> frozenset[str]:
        """Keys of the KPIs that have a value."""
        return frozenset(point.kpi for point in self.points)


def parse(text: str, where: str) -> Baseline:
    """Read a file's text. Raises BaselineError that names every bad key and the file."""
    try:
        return Baseline.model_validate_json(text)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'the whole'}: {each['msg']}"
            for each in error.errors(include_url=False)[:5]
        )
        raise BaselineError(
            f"{where} is not a baseline: {problems}. Fix: record it again with `agentobs baseline record`;"
            " `agentobs baseline show --schema` prints what is expected"
        ) from None


def points(baseline: Baseline) -> Iterable[BaselinePoint]:
    """The part that recording rules compare with, hour by hour."""
    return tuple(
        BaselinePoint(kpi=point.kpi, labels=_labels(point), value=point.value)
        for point in baseline.points
        if point.kpi in _COMPARED
    )


def _labels(point: Point) -> dict[str, str]:
    """Exactly the KPI's labels: with one missing, rules would find two baselines for one series."""
    return {str(label): point.labels.get(label, "") for label in _KNOWN[point.kpi].by}
