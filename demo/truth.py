"""What the demo did, counted where it did it: to compare with what the telemetry says.

Rows carry the label values the collector should derive, so that a test can compare series by series.
Never read back from spans or metrics. Not here: the summary of a whole run (`report`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentobs import contract
from agentobs.contract import ABSENT, Attr, ErrorClass, EvaluationSource, Label, Metric, Outcome, PolicyAction, Track

# The classes of the error types that occur here; anything else is `other`. Stated again on purpose: it checks the
# collector's patterns instead of repeating them.
_CLASS_OF: Final = {
    "": ErrorClass.NONE,
    "tool_error": ErrorClass.TOOL_ERROR,
    "TimeoutError": ErrorClass.TIMEOUT,
    "timeout": ErrorClass.TIMEOUT,
    "429": ErrorClass.RATE_LIMITED,
    "cancelled": ErrorClass.CANCELLED,
    "asyncio.exceptions.CancelledError": ErrorClass.CANCELLED,
    "-32602": ErrorClass.INVALID_INPUT,
}
_Labels = Mapping[Label, str]
_Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The slice attributes in force at some point of a task."""

    agent: str | None
    prompt: str
    prompt_version: str
    graph_version: str
    track: Track = Track.STABLE

    def labels(self) -> dict[Label, str]:
        """Return them as labels."""
        return {
            Label.AGENT: self.agent or ABSENT,
            Label.PROMPT: self.prompt,
            Label.PROMPT_VERSION: self.prompt_version,
            Label.GRAPH_VERSION: self.graph_version,
            Label.TRACK: self.track,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAttempt:
    """One attempt at a tool call. `error` is its error type, '' for a success."""

    tool: str
    version: str
    error: str
    is_retry: bool
    is_fallback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """One model call. `error` is its error type, '' for a success; a failed call has no tokens."""

    model: str
    provider: str
    error: str
    is_retry: bool
    is_fallback: bool
    tokens: Mapping[str, int]
    cost_usd: float | None


@dataclass(slots=True)
class Truth:
    """Counts per series. Add up the truths of several workers with `merge`."""

    environment: str
    service: str
    rows: defaultdict[str, defaultdict[_Key, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )

    def task(self, slices: Slices, *, workflow: str, type_: str, outcome: Outcome, error: str, **sums: float) -> None:
        """Count one ended task. `sums`: cost_usd, tokens, planned, completed."""
        extra = {Label.WORKFLOW: workflow, Label.OUTCOME: outcome, Label.TASK_TYPE: type_}
        labels = self._labels(slices, extra, error)
        self._add(contract.TASK_CALLS, labels)
        if "tokens" in sums:
            self._observe(contract.TASK_COST, labels, sums["cost_usd"])
            self._observe(contract.TASK_TOKENS, labels, sums["tokens"])
        for state in ("planned", "completed"):
            if "planned" in sums:
                self._add(contract.PLAN_STEPS, {**labels, Label.STATE: state}, sums[state])

    def agent(self, slices: Slices, *, error: str, is_retry: bool) -> None:
        """Count one agent run."""
        self._add(contract.AGENT_CALLS, self._labels(slices, {Label.IS_RETRY: _flag(is_retry)}, error))

    def llm(self, slices: Slices, use: ModelUse) -> None:
        """Count one model call with its tokens and cost."""
        extra = {
            Label.MODEL: use.model,
            Label.PROVIDER: use.provider,
            Label.IS_RETRY: _flag(use.is_retry),
            Label.IS_FALLBACK: _flag(use.is_fallback),
        }
        labels = self._labels(slices, extra, use.error)
        self._add(contract.LLM_CALLS, labels)
        for kind, count in use.tokens.items():
            if count:
                self._add(contract.LLM_TOKENS, {**labels, Label.TOKEN_TYPE: kind}, count)
        if use.tokens:
            self._observe(contract.REQUEST_TOKENS, labels, use.tokens["input"] + use.tokens["output"])
        if use.cost_usd is not None:
            self._add(contract.COST, labels, use.cost_usd)

    def tool(self, slices: Slices, attempt: ToolAttempt) -> None:
        """Count one attempt at a tool call."""
        extra = {
            Label.TOOL: attempt.tool,
            Label.TOOL_VERSION: attempt.version,
            Label.IS_RETRY: _flag(attempt.is_retry),
            Label.IS_FALLBACK: _flag(attempt.is_fallback),
        }
        self._add(contract.TOOL_CALLS, self._labels(slices, extra, attempt.error))

    def evaluation(  # noqa: PLR0913 one verdict and its slices
        self, slices: Slices, *, name: str, source: EvaluationSource, passed: bool, score: float, model: str
    ) -> None:
        """Count one evaluation."""
        extra = {Label.MODEL: model, Label.EVALUATION: name, Label.EVALUATION_SOURCE: source}
        labels = self._labels(slices, {**extra, Label.EVALUATION_LABEL: "pass" if passed else "fail"})
        self._observe(contract.EVAL_SCORE, labels, score)
        self._add(contract.EVAL_RESULTS, labels)

    def violation(self, slices: Slices, *, policy: str, action: PolicyAction) -> None:
        """Count one policy violation."""
        extra = {Label.POLICY: policy, Label.POLICY_ACTION: action}
        self._add(contract.POLICY_VIOLATIONS, self._labels(slices, extra))

    def process_start(self, service: str, tool_version: str = ABSENT) -> None:
        """Count one start of an agent or tool process."""
        labels = {Label.ENVIRONMENT: self.environment, Label.SERVICE: service, Label.TOOL_VERSION: tool_version}
        self._add(contract.PROCESS_STARTS, labels)

    def served(self, service: str, version: str, calls: Iterable[Mapping[str, Any]]) -> None:
        """Count what one tool server process says it served (see `tools.tally`)."""
        for call in calls:
            given: Mapping[str, str] = call["slices"]
            labels = {
                Label.ENVIRONMENT: self.environment,
                Label.SERVICE: service,
                Label.AGENT: given.get(Attr.AGENT_NAME, ABSENT),
                Label.PROMPT: given.get(Attr.PROMPT_NAME, ABSENT),
                Label.PROMPT_VERSION: given.get(Attr.PROMPT_VERSION, ABSENT),
                Label.GRAPH_VERSION: given.get(Attr.GRAPH_VERSION, ABSENT),
                Label.TRACK: given.get(Attr.TRACK, ABSENT),
                Label.TOOL: call["tool"] or ABSENT,
                Label.TOOL_VERSION: version,
                Label.ERROR_CLASS: error_class(call["error"]),
                Label.MCP_METHOD: call["method"],
            }
            self._add(contract.MCP_SERVER_CALLS, labels, call["count"])

    def merge(self, counts: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Add another worker's `document`."""
        for series, rows in counts.items():
            for row in rows:
                self.rows[series][tuple(row["labels"].items())] += row["value"]

    def total(self, series: str, **labels: str) -> float:
        """Return the sum over the rows of a series that carry these label values."""
        wanted = labels.items()
        return sum(value for key, value in self.rows.get(series, {}).items() if wanted <= dict(key).items())

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """Return series name -> rows of labels and value, in a stable order."""
        return {
            series: [{"labels": dict(key), "value": value} for key, value in sorted(rows.items())]
            for series, rows in sorted(self.rows.items())
        }

    def _labels(self, slices: Slices, extra: _Labels, error: str = "") -> dict[Label, str]:
        base = {Label.ENVIRONMENT: self.environment, Label.SERVICE: self.service}
        return {**base, **slices.labels(), Label.ERROR_CLASS: error_class(error), **extra}

    def _add(self, metric: Metric, labels: _Labels, value: float = 1.0) -> None:
        self._bump(metric.series, metric, labels, value)

    def _observe(self, metric: Metric, labels: _Labels, value: float) -> None:
        self._bump(metric.count, metric, labels, 1.0)
        self._bump(metric.sum, metric, labels, value)

    def _bump(self, series: str, metric: Metric, labels: _Labels, value: float) -> None:
        key = tuple((label.value, str(labels.get(label, ABSENT))) for label in metric.labels)
        self.rows[series][key] += value


def error_class(error_type: str) -> ErrorClass:
    """Return the class the collector should give to one of this demo's error types."""
    return _CLASS_OF.get(error_type, ErrorClass.OTHER)


def _flag(value: bool) -> str:  # noqa: FBT001 a value, not a switch
    return "true" if value else "false"
