"""The KPI metrics: name, unit, family, buckets and what each is made of. How the pipeline makes them: `connectors`."""

from dataclasses import dataclass
from typing import Final

from agentobs.contract.enums import StrEnum
from agentobs.contract.labels import Family, Label


class MetricKind(StrEnum):
    """Prometheus metric type."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One KPI metric: its OpenTelemetry name, UCUM unit, family and (for a histogram) bucket bounds in that unit.

    `source` says in words what is counted or summed; `extra` are labels beyond the family's.
    """

    name: str
    kind: MetricKind
    unit: str
    family: Family
    meaning: str
    source: str
    extra: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every label of its series."""
        return (*self.family.labels, *self.extra)

    @property
    def series(self) -> str:
        """Prometheus name (UnderscoreEscapingWithSuffixes): `_total` on counters, `_seconds` for unit `s`."""
        base = self.name.replace(".", "_")
        if self.unit == "s":
            base += "_seconds"
        return f"{base}_total" if self.kind is MetricKind.COUNTER else base

    @property
    def bucket(self) -> str:
        """Series name of the histogram buckets."""
        return f"{self.series}_bucket"

    @property
    def sum(self) -> str:
        """Series name of the histogram sum."""
        return f"{self.series}_sum"

    @property
    def count(self) -> str:
        """Series name of the histogram count."""
        return f"{self.series}_count"


def _counter(name: str, unit: str, family: Family, meaning: str, source: str, *extra: Label) -> Metric:
    return Metric(
        name=name, kind=MetricKind.COUNTER, unit=unit, family=family, meaning=meaning, source=source, extra=extra
    )


def _histogram(  # noqa: PLR0913, PLR0917 one row of a table
    name: str, unit: str, family: Family, meaning: str, source: str, buckets: tuple[float, ...]
) -> Metric:
    return Metric(
        name=name, kind=MetricKind.HISTOGRAM, unit=unit, family=family, meaning=meaning, source=source, buckets=buckets
    )


# From the shortest to the longest that people run, in steps of 2 to 3: a quantile is off by less than a step. What is
# longer than the last bound reads as that bound, and `telemetry check` tells it.
_TASK_S: Final = (1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800)
_AGENT_S: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 900, 1800, 3600, 7200, 14400)
_LLM_S: Final = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900)
_TOOL_S: Final = (0.001, 0.004, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800)
_REQUEST_TOKENS: Final = (64, 256, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144)
_TASK_TOKENS: Final = (256, 1024, 4096, 16384, 65536, 262144, 1048576)
_TASK_USD: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SCORE: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_F: Final = Family

TASK_CALLS: Final = _counter("agentic.task.calls", "{call}", _F.TASK, "tasks ended", "task spans")
TASK_DURATION: Final = _histogram("agentic.task.duration", "s", _F.TASK, "time per task", "task spans", _TASK_S)
TASK_COST: Final = _histogram(
    "agentic.task.cost.usd", "{USD}", _F.TASK, "money spent per task", "agentic.task.cost_usd of task spans", _TASK_USD
)
TASK_TOKENS: Final = _histogram(
    "agentic.task.tokens", "{token}", _F.TASK, "tokens per task", "agentic.task.tokens of task spans", _TASK_TOKENS
)
PLAN_STEPS: Final = _counter(
    "agentic.plan.steps", "{step}", _F.TASK, "plan steps, planned and completed",
    "agentic.plan.steps_planned and .steps_completed of task spans", Label.STATE,
)  # fmt: skip
AGENT_CALLS: Final = _counter("agentic.agent.calls", "{call}", _F.AGENT, "agent runs", "agent spans")
AGENT_DURATION: Final = _histogram(
    "agentic.agent.duration", "s", _F.AGENT, "time per agent run", "agent spans", _AGENT_S
)
LLM_CALLS: Final = _counter("agentic.llm.calls", "{call}", _F.LLM, "model calls", "model call spans")
LLM_DURATION: Final = _histogram("agentic.llm.duration", "s", _F.LLM, "time per model call", "model call spans", _LLM_S)
LLM_TOKENS: Final = _counter(
    "agentic.llm.tokens", "{token}", _F.LLM,
    "tokens; cache_read and reasoning are parts of input and output, so never add up all types",
    "gen_ai.usage.* of model call spans", Label.TOKEN_TYPE,
)  # fmt: skip
REQUEST_TOKENS: Final = _histogram(
    "agentic.request.tokens", "{token}", _F.LLM, "tokens per model call",
    "input plus output tokens of model call spans", _REQUEST_TOKENS,
)  # fmt: skip
COST: Final = _counter(
    "agentic.cost.usd", "{USD}", _F.LLM, "money spent on model calls",
    "agentic.cost.usd of model call spans, set by the application or by the price table",
)  # fmt: skip
LLM_UNPRICED: Final = _counter(
    "agentic.llm.unpriced", "{call}", _F.LLM, "model calls with tokens and no price: their cost is missing",
    "agentic.cost.unpriced of model call spans",
)  # fmt: skip
LLM_COST_DIFFERS: Final = _counter(
    "agentic.llm.cost_differs", "{call}", _F.LLM, "model calls whose stated cost is more than 2 % off the table's",
    "agentic.cost.differs of model call spans",
)  # fmt: skip
LLM_DOUBTFUL: Final = _counter(
    "agentic.llm.doubtful", "{call}", _F.LLM, "model calls whose token counts cannot be, as more cached than sent",
    "agentic.usage.doubtful of model call spans",
)  # fmt: skip
TOOL_CALLS: Final = _counter("agentic.tool.calls", "{call}", _F.TOOL, "tool call attempts", "tool call spans")
TOOL_DURATION: Final = _histogram(
    "agentic.tool.duration", "s", _F.TOOL, "time per tool call attempt", "tool call spans", _TOOL_S
)
MCP_SERVER_CALLS: Final = _counter(
    "agentic.mcp_server.calls", "{call}", _F.MCP_SERVER, "requests an MCP server served", "SERVER spans of MCP servers"
)
MCP_SERVER_DURATION: Final = _histogram(
    "agentic.mcp_server.duration", "s", _F.MCP_SERVER, "time per request inside the MCP server",
    "SERVER spans of MCP servers", _TOOL_S,
)  # fmt: skip
EVAL_SCORE: Final = _histogram(
    "agentic.eval.score", "1", _F.EVALUATION, "evaluation scores, 0 to 1",
    "gen_ai.evaluation.score.value of events gen_ai.evaluation.result", _SCORE,
)  # fmt: skip
EVAL_RESULTS: Final = _counter(
    "agentic.eval.results", "{result}", _F.EVALUATION, "evaluation verdicts", "events gen_ai.evaluation.result"
)
POLICY_VIOLATIONS: Final = _counter(
    "agentic.policy.violations", "{violation}", _F.POLICY, "policy violations", "events agentic.policy.violation"
)
PROCESS_STARTS: Final = _counter(
    "agentic.process.starts",
    "{start}",
    _F.PROCESS,
    "starts of an agent or tool process",
    "events agentic.process.start",
)
UNREAD_SPANS: Final = _counter(
    "agentic.unread.spans", "{span}", _F.UNREAD,
    "spans that promise a model call, a tool call or an agent, and that no KPI reads",
    "spans with a model, a tool, tokens or such a kind, and no operation that counts",
)  # fmt: skip

METRICS: Final = (
    TASK_CALLS,
    TASK_DURATION,
    TASK_COST,
    TASK_TOKENS,
    PLAN_STEPS,
    AGENT_CALLS,
    AGENT_DURATION,
    LLM_CALLS,
    LLM_DURATION,
    LLM_TOKENS,
    REQUEST_TOKENS,
    COST,
    LLM_UNPRICED,
    LLM_COST_DIFFERS,
    LLM_DOUBTFUL,
    TOOL_CALLS,
    TOOL_DURATION,
    MCP_SERVER_CALLS,
    MCP_SERVER_DURATION,
    EVAL_SCORE,
    EVAL_RESULTS,
    POLICY_VIOLATIONS,
    PROCESS_STARTS,
    UNREAD_SPANS,
)

# One name for all families of spans, with the family as a label beside that family's own: it stays when nothing
# happens, and its exemplars (value: seconds) lead from a panel to a trace. A restart of the collector loses what it has
# not flushed, so no KPI reads it.
SPAN_CALLS: Final = _counter(
    "agentic.span.calls",
    "{call}",
    _F.TASK,
    "calls of every family, with exemplars",
    "spans of all families",
    Label.FAMILY,
)
