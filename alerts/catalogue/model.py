"""Types of the catalogue: what a KPI is, what it promises, and what a version dimension is. All checked when made."""

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from agentobs import contract
from agentobs.contract import Family, Label, Metric
from alerts.catalogue.wanted import Where

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")


class CatalogueError(ValueError):
    """A KPI that cannot be measured or promised; the message names it, what was expected and the fix."""


class Direction(StrEnum):
    """Which way a KPI gets better."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"


class Unit(StrEnum):
    """Unit of a KPI's value."""

    RATIO = "ratio"
    SECONDS = "seconds"
    TOKENS = "tokens"
    USD = "USD"
    SCORE = "score"
    PER_CALL = "per call"


class Severity(StrEnum):
    """What an alert does: wake somebody now, or wait for working hours. The routing knows no third."""

    PAGE = "page"
    TICKET = "ticket"


class Owner(StrEnum):
    """Who acts: the team of the agents, or the team of the platform."""

    AGENTS = "agents"
    PLATFORM = "platform"


class Group(StrEnum):
    """Families of the catalogue; rule groups, files of tests and boards follow them."""

    TASKS = "tasks"
    AGENTS = "agents"
    TOOLS = "tools"
    MODELS = "models"
    QUALITY = "quality"
    SAFETY = "safety"
    COST = "cost"
    VERSIONS = "versions"
    TELEMETRY = "telemetry"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A counter series and the label values that select from it."""

    series: str
    labels: tuple[Label, ...]
    where: Where = field(default_factory=dict)


def counter(metric: Metric, where: Where | None = None) -> Selector:
    """All series of a counter, or those that `where` selects."""
    return Selector(series=metric.series, labels=metric.labels, where=where or {})


def activity(metric: Metric, where: Where | None = None) -> Selector:
    """The same calls as `metric` counts, from the series that stays when nothing happens and that carries exemplars."""
    of_family = {Label.FAMILY: metric.family, **(where or {})}
    return Selector(series=contract.SPAN_CALLS.series, labels=metric.labels, where=of_family)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What a KPI promises: over `window_s` it is no worse than `target`; broken for `hold_s` seconds, it alerts.

    `quantile` promises that quantile of a histogram instead of the mean. Fewer than `min_events` promise nothing.
    """

    alert: str
    target: float
    window_s: int
    hold_s: int
    severity: Severity
    min_events: int = 10
    quantile: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A share of good events promised over 30 days; alerts follow how fast the rest, the error budget, is used up."""

    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI: `numerator / denominator`, both increases of counters over the same window.

    `by` are the labels of its recorded series: stable identities, never pods or ids. `windows_s` are the windows it is
    recorded at, `quantiles` those recorded of its `histogram`. `tolerance` is the change for the worse that matters:
    absolute for a ratio, a share of the old value otherwise. `denominator` counts the events the KPI rests on.
    `board` is the slug of the dashboard that shows it. A version that makes the KPI worse alerts with `regression`.
    `diagnosed` is false where the statistics of independent calls do not hold (tokens and plan steps come in bundles,
    scores have no spread on record) or where it repeats another KPI at another label. Raises CatalogueError.
    """

    key: str
    title: str
    meaning: str
    unit: Unit
    direction: Direction
    group: Group
    by: tuple[Label, ...]
    numerator: Selector
    denominator: Selector
    tolerance: float
    board: str
    windows_s: tuple[int, ...] = (5 * MINUTE, HOUR)
    histogram: Metric | None = None
    quantiles: tuple[float, ...] = ()
    objectives: tuple[Objective, ...] = ()
    slo: Slo | None = None
    regression: Severity = Severity.TICKET
    diagnosed: bool = True

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise CatalogueError(f"KPI {self.key!r}: expected a key of lower-case letters, digits and _")
        if not self.sliced_by(self.by):
            raise CatalogueError(f"{self.key}: `by` has labels that its counters lack; fix: drop them from `by`")
        if self.quantiles and self.histogram is None:
            raise CatalogueError(f"{self.key}: quantiles need a histogram; fix: name it")
        for objective in self.objectives:
            self._check(objective)

    def _check(self, objective: Objective) -> None:
        if objective.window_s not in self.windows_s:
            raise CatalogueError(
                f"{self.key}: {objective.alert} looks at {objective.window_s} s, which is not recorded;"
                f" fix: one of {self.windows_s}, or add it to `windows_s`"
            )
        if objective.quantile is not None and objective.quantile not in self.quantiles:
            raise CatalogueError(f"{self.key}: {objective.alert} needs quantile {objective.quantile} in `quantiles`")
        if self.unit is Unit.RATIO and not 0 <= objective.target <= 1:
            raise CatalogueError(f"{self.key}: {objective.alert} promises {objective.target}; a ratio is 0 to 1")

    @property
    def is_share(self) -> bool:
        """Whether the numerator counts some of the denominator's events, so that the statistics of shares hold."""
        return self.unit is Unit.RATIO

    @property
    def is_rate(self) -> bool:
        """Whether it counts one kind of event per another."""
        return self.unit is Unit.PER_CALL

    @property
    def buckets(self) -> Selector | None:
        """The buckets of a KPI that is the mean of a histogram."""
        if self.histogram is None or self.numerator.series != self.histogram.sum:
            return None
        return Selector(series=self.histogram.bucket, labels=self.denominator.labels, where=self.denominator.where)

    @property
    def promise(self) -> float | None:
        """The share that its objective promises; None where none is promised."""
        targets = (objective.target for objective in self.objectives if objective.quantile is None)
        return next(targets, None) if self.is_share else None

    def worsening(self, before: float, after: float) -> float:
        """Change for the worse: absolute for a ratio, as a share of the old value otherwise; negative is better."""
        change = after - before if self.direction is Direction.LOWER_IS_BETTER else before - after
        if self.is_share:
            return change
        if before > 0:
            return change / before
        return math.copysign(math.inf, change) if change else 0.0

    def sliced_by(self, labels: tuple[Label, ...]) -> bool:
        """Whether both sides carry all `labels`."""
        return set(labels) <= set(self.numerator.labels) & set(self.denominator.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A version dimension: whose version it is (`entity`), the version label, and the calls that show it in use."""

    key: str
    entity: tuple[Label, ...]
    version: Label
    calls: Metric
    where: Where = field(default_factory=dict, hash=False)

    @property
    def title(self) -> str:
        """What it is called where people read it."""
        return self.key.capitalize()

    @property
    def counted(self) -> Selector:
        """The calls, counted exactly and at once."""
        return counter(self.calls, self.where)

    @property
    def activity(self) -> Selector:
        """The calls, in the series that stays when nothing happens."""
        return activity(self.calls, self.where)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Entity and version labels."""
        return (*self.entity, self.version)


BY: Final[dict[Family, tuple[Label, ...]]] = {
    Family.TASK: (Label.ENVIRONMENT, Label.WORKFLOW),
    Family.AGENT: (Label.ENVIRONMENT, Label.AGENT),
    Family.TOOL: (Label.ENVIRONMENT, Label.TOOL),
    Family.LLM: (Label.ENVIRONMENT, Label.AGENT),
    Family.EVALUATION: (Label.ENVIRONMENT, Label.AGENT, Label.EVALUATION),
    Family.MCP_SERVER: (Label.ENVIRONMENT, Label.SERVICE),
    Family.POLICY: (Label.ENVIRONMENT, Label.AGENT),
    Family.PROCESS: (Label.ENVIRONMENT, Label.SERVICE),
}
"""The identity that the KPIs of a family are recorded by."""
