"""The KPI catalogue: every KPI once, with its meaning, direction and the counters it is the quotient of.

Not here: PromQL (`promql.py`) and names of series (`collector.signals`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from collector import signals
from collector.signals import ErrorClass, Label, Metric, Outcome


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
    PER_CALL = "per call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A counter series and the label values that select from it; a value starting with `!` means `is not`."""

    series: str
    labels: tuple[Label, ...]
    where: Mapping[Label, str] = field(default_factory=dict)


def counter(metric: Metric, where: Mapping[Label, str] | None = None) -> Selector:
    """All series of a counter, or those that `where` selects."""
    return Selector(series=metric.series, labels=metric.labels, where=where or {})


def activity(metric: Metric, where: Mapping[Label, str] | None = None) -> Selector:
    """The same calls as `metric` counts, from the series that stays when nothing happens and that carries exemplars."""
    of_family = {Label.FAMILY: metric.family, **(where or {})}
    return Selector(series=signals.SPAN_CALLS.series, labels=metric.labels, where=of_family)


def _sum_and_count(metric: Metric) -> tuple[Selector, Selector]:
    return (
        Selector(series=metric.sum, labels=metric.labels),
        Selector(series=metric.count, labels=metric.labels),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI: `numerator / denominator`, both increases of counters over the same window.

    `tolerance` is the change for the worse that matters: absolute for a ratio, a share of the old value otherwise.
    `denominator` counts the events the KPI rests on.
    """

    key: str
    title: str
    unit: Unit
    direction: Direction
    numerator: Selector
    denominator: Selector
    tolerance: float

    def sliced_by(self, labels: tuple[Label, ...]) -> bool:
        """Whether both sides carry all `labels`."""
        return set(labels) <= set(self.numerator.labels) & set(self.denominator.labels)


def _ratio(key: str, title: str, of: Selector, direction: Direction, tolerance: float) -> Kpi:
    """Share of a counter's events that `of` selects."""
    return Kpi(
        key=key,
        title=title,
        unit=Unit.RATIO,
        direction=direction,
        numerator=of,
        denominator=Selector(series=of.series, labels=of.labels),
        tolerance=tolerance,
    )


def _mean(key: str, title: str, unit: Unit, histogram: Metric, tolerance: float) -> Kpi:
    numerator, denominator = _sum_and_count(histogram)
    return Kpi(
        key=key,
        title=title,
        unit=unit,
        direction=Direction.LOWER_IS_BETTER,
        numerator=numerator,
        denominator=denominator,
        tolerance=tolerance,
    )


_UP, _DOWN = Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER
_OK: Final[Mapping[Label, str]] = {Label.ERROR_CLASS: ErrorClass.NONE}

TASK_SUCCESS: Final = _ratio(
    "task_success", "Task success", counter(signals.TASK_CALLS, {Label.OUTCOME: Outcome.SUCCESS}), _UP, 0.05
)
AGENT_SUCCESS: Final = _ratio("agent_success", "Agent run success", counter(signals.AGENT_CALLS, _OK), _UP, 0.05)
TOOL_SUCCESS: Final = _ratio("tool_success", "Tool call success", counter(signals.TOOL_CALLS, _OK), _UP, 0.05)
TOOL_TIMEOUTS: Final = _ratio(
    "tool_timeouts",
    "Tool timeouts",
    counter(signals.TOOL_CALLS, {Label.ERROR_CLASS: ErrorClass.TIMEOUT}),
    _DOWN,
    0.05,
)
TOOL_RETRIES: Final = _ratio(
    "tool_retries", "Tool calls that are retries", counter(signals.TOOL_CALLS, {Label.IS_RETRY: "true"}), _DOWN, 0.05
)
MODEL_SUCCESS: Final = _ratio("model_success", "Model call success", counter(signals.LLM_CALLS, _OK), _UP, 0.03)
EVALUATION_PASS: Final = _ratio(
    "evaluation_pass",
    "Evaluations passed",
    counter(signals.EVAL_RESULTS, {Label.EVALUATION_LABEL: "pass"}),
    _UP,
    0.05,
)
TASK_LATENCY: Final = _mean("task_latency", "Time per task", Unit.SECONDS, signals.TASK_DURATION, 0.3)
AGENT_LATENCY: Final = _mean("agent_latency", "Time per agent run", Unit.SECONDS, signals.AGENT_DURATION, 0.3)
TOOL_LATENCY: Final = _mean("tool_latency", "Time per tool call", Unit.SECONDS, signals.TOOL_DURATION, 0.5)
MODEL_LATENCY: Final = _mean("model_latency", "Time per model call", Unit.SECONDS, signals.LLM_DURATION, 0.3)
REQUEST_TOKENS: Final = _mean("request_tokens", "Tokens per model call", Unit.TOKENS, signals.REQUEST_TOKENS, 0.3)
TASK_COST: Final = _mean("task_cost", "Cost per task", Unit.USD, signals.TASK_COST, 0.3)
MODEL_COST: Final = Kpi(
    key="model_cost",
    title="Cost per model call",
    unit=Unit.USD,
    direction=_DOWN,
    # One pipeline on both sides: a collector restart then loses neither or both.
    numerator=counter(signals.COST),
    denominator=Selector(series=signals.REQUEST_TOKENS.count, labels=signals.REQUEST_TOKENS.labels),
    tolerance=0.3,
)
AGENT_RUNS_PER_TASK: Final = Kpi(
    key="agent_runs_per_task",
    title="Agent runs per task",
    unit=Unit.PER_CALL,
    direction=_DOWN,
    numerator=counter(signals.AGENT_CALLS),
    denominator=counter(signals.TASK_CALLS),
    tolerance=0.3,
)
HALLUCINATION: Final = Kpi(
    key="hallucination",
    title="Hallucination rate",
    unit=Unit.RATIO,
    direction=_DOWN,
    numerator=counter(signals.EVAL_RESULTS, {Label.EVALUATION: "hallucination", Label.EVALUATION_LABEL: "fail"}),
    denominator=counter(signals.EVAL_RESULTS, {Label.EVALUATION: "hallucination"}),
    tolerance=0.05,
)
POLICY_VIOLATIONS: Final = Kpi(
    key="policy_violations",
    title="Policy violations per task",
    unit=Unit.PER_CALL,
    direction=_DOWN,
    numerator=counter(signals.POLICY_VIOLATIONS),
    denominator=counter(signals.TASK_CALLS),
    tolerance=0.5,
)

CATALOGUE: Final[tuple[Kpi, ...]] = (
    TASK_SUCCESS,
    AGENT_SUCCESS,
    TOOL_SUCCESS,
    TOOL_TIMEOUTS,
    TOOL_RETRIES,
    MODEL_SUCCESS,
    EVALUATION_PASS,
    HALLUCINATION,
    POLICY_VIOLATIONS,
    AGENT_RUNS_PER_TASK,
    TASK_LATENCY,
    AGENT_LATENCY,
    TOOL_LATENCY,
    MODEL_LATENCY,
    REQUEST_TOKENS,
    TASK_COST,
    MODEL_COST,
)

AGENT_FAMILY: Final = (
    AGENT_SUCCESS,
    MODEL_SUCCESS,
    EVALUATION_PASS,
    HALLUCINATION,
    AGENT_LATENCY,
    MODEL_LATENCY,
    REQUEST_TOKENS,
    MODEL_COST,
)
TOOL_FAMILY: Final = (TOOL_SUCCESS, TOOL_TIMEOUTS, TOOL_RETRIES, TOOL_LATENCY)

MIN_EVENTS: Final = 10
"""Fewer events than this say nothing about a ratio or a mean."""

SIGNIFICANT_Z: Final = 3.0
"""How many standard errors a change must span before a version is blamed (about 1 in 740 by chance alone)."""


SCAN_Z: Final = 4.5
"""The same where many moments are tried: 24 borders times some forty slices (by chance at most about 1 in 300)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A version dimension: whose version it is (`entity`), the version label, and the counter that shows it in use."""

    key: str
    entity: tuple[Label, ...]
    version: Label
    activity: Selector

    @property
    def labels(self) -> tuple[Label, ...]:
        """Entity and version labels."""
        return (*self.entity, self.version)


# Four dimensions, never one combined hash: the answer must say which of them to roll back.
# Each per environment: what staging runs says nothing about what broke in prod.
DIMENSIONS: Final = (
    Dimension(
        key="prompt",
        entity=(Label.ENVIRONMENT, Label.AGENT, Label.PROMPT),
        version=Label.PROMPT_VERSION,
        activity=activity(signals.AGENT_CALLS),
    ),
    Dimension(
        key="tool",
        entity=(Label.ENVIRONMENT, Label.TOOL),
        version=Label.TOOL_VERSION,
        activity=activity(signals.TOOL_CALLS),
    ),
    Dimension(
        key="model",
        entity=(Label.ENVIRONMENT, Label.AGENT),
        version=Label.MODEL,
        # A fallback is the old configuration at work, not a new one.
        activity=activity(signals.LLM_CALLS, {Label.IS_FALLBACK: "false"}),
    ),
    Dimension(
        key="graph",
        entity=(Label.ENVIRONMENT, Label.WORKFLOW),
        version=Label.GRAPH_VERSION,
        activity=activity(signals.TASK_CALLS),
    ),
)
