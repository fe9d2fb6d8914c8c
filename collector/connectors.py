"""From labelled spans and events to the KPI metrics of `signals`.

Counts and latencies come from `span_metrics` (cumulative, with exemplars, keeps exporting when idle); numbers that
spans carry come from `signal_to_metrics`, because `span_metrics` cannot sum an attribute (telemetry contract 4).
"""

from dataclasses import dataclass
from typing import Any, Final

from collector import ottl, signals
from collector.signals import ABSENT, INFERENCE, ROLE_TASK, Attr, Event, Label, Metric, MetricKind, Operation

_OPERATION: Final = ottl.attribute("span", Attr.OPERATION)
_ROLE: Final = ottl.attribute("span", Attr.SPAN_ROLE)
_IS_INFERENCE: Final = ottl.equals_any(_OPERATION, INFERENCE)
_IS_TASK: Final = f'{_ROLE} == "{ROLE_TASK}"'


@dataclass(frozen=True, slots=True)
class SpanSource:
    """One `span_metrics` connector: which spans it counts, as the condition that drops all others."""

    key: str
    drop: str
    calls: Metric
    duration: Metric


# A tool call over MCP is up to three spans, and only the agent side's INTERNAL span counts (telemetry contract P11).
SPAN_SOURCES: Final = (
    SpanSource("task", f'{_ROLE} != "{ROLE_TASK}"', signals.TASK_CALLS, signals.TASK_DURATION),
    SpanSource("agent", f'{_OPERATION} != "{Operation.INVOKE_AGENT}"', signals.AGENT_CALLS, signals.AGENT_DURATION),
    SpanSource("llm", f"not {_IS_INFERENCE}", signals.LLM_CALLS, signals.LLM_DURATION),
    SpanSource(
        "tool",
        f'{_OPERATION} != "{Operation.EXECUTE_TOOL}" or span.kind != SPAN_KIND_INTERNAL',
        signals.TOOL_CALLS,
        signals.TOOL_DURATION,
    ),
    SpanSource(
        "mcp_server",
        f"{ottl.attribute('span', Label.MCP_METHOD)} == nil or span.kind != SPAN_KIND_SERVER",
        signals.MCP_SERVER_CALLS,
        signals.MCP_SERVER_DURATION,
    ),
)

_FALSE_BY_DEFAULT: Final = (Label.IS_RETRY, Label.IS_FALLBACK)


def _default(label: Label) -> str:
    return "false" if label in _FALSE_BY_DEFAULT else ABSENT


def _seconds(bound: float) -> str:
    return f"{round(bound * 1000)}ms"


def span_metrics(source: SpanSource, flush_s: float) -> dict[str, Any]:
    """Configuration of `span_metrics/<key>`; `flush_s` bounds what a restart loses."""
    only_calls = [label for label in source.calls.labels if label not in source.duration.labels]
    config: dict[str, Any] = {
        "namespace": source.calls.name.removesuffix(".calls"),
        "histogram": {"unit": "s", "explicit": {"buckets": [_seconds(b) for b in source.duration.buckets]}},
        # Labels are ours only; identity comes from resource/kpi.
        "exclude_dimensions": ["service.name", "span.name", "span.kind", "status.code", "collector.instance.id"],
        "dimensions": [{"name": str(label), "default": _default(label)} for label in source.duration.labels],
        "resource_metrics_key_attributes": [str(Attr.SERVICE_NAME), str(Attr.ENVIRONMENT)],
        "aggregation_cardinality_limit": 5000,
        "metrics_flush_interval": f"{flush_s:g}s",
        "series_expiration": "6h",
        "exemplars": {"enabled": True, "max_per_data_point": 5},
    }
    if only_calls:
        config["calls_dimensions"] = [{"name": str(label), "default": _default(label)} for label in only_calls]
    return config


def _value(metric: Metric, value: str, condition: str, fixed: tuple[Label, str] | None = None) -> dict[str, Any]:
    """One `signal_to_metrics` entry. `fixed` gives one label a constant, so that several entries share a name."""
    labels = [
        {"key": str(label), "default_value": fixed[1] if fixed and label is fixed[0] else _default(label)}
        for label in metric.labels
    ]
    if metric.kind is MetricKind.COUNTER:
        kind: dict[str, Any] = {"sum": {"value": value, "monotonic": True}}
    else:
        kind = {"histogram": {"buckets": list(metric.buckets), "value": value}}
    return {
        "name": metric.name,
        "description": metric.meaning,
        "unit": metric.unit,
        **kind,
        "conditions": [condition],
        "attributes": labels,
        # Without this list every resource attribute makes a stream of its own and points get lost (P25).
        "include_resource_attributes": [{"key": str(Attr.SERVICE_NAME)}],
    }


def _number(key: Attr, kind: str) -> tuple[str, str]:
    source = ottl.attribute("span", key)
    return f"{kind}({source})", f"{source} != nil"


def _span_values() -> list[dict[str, Any]]:
    entries = []
    token_types = {
        "input": Attr.INPUT_TOKENS,
        "output": Attr.OUTPUT_TOKENS,
        "cache_read": Attr.CACHE_READ_TOKENS,
        "reasoning": Attr.REASONING_TOKENS,
    }
    for token_type, key in token_types.items():
        value, present = _number(key, "Int")
        fixed = (Label.TOKEN_TYPE, token_type)
        entries.append(_value(signals.LLM_TOKENS, value, ottl.all_of(present, _IS_INFERENCE), fixed))
    tokens_in, has_in = _number(Attr.INPUT_TOKENS, "Double")
    tokens_out, has_out = _number(Attr.OUTPUT_TOKENS, "Double")
    both = ottl.all_of(has_in, has_out, _IS_INFERENCE)
    entries.append(_value(signals.REQUEST_TOKENS, f"{tokens_in} + {tokens_out}", both))
    entries.append(_value(signals.COST, *_number(Attr.COST, "Double")))
    for metric, key in ((signals.TASK_COST, Attr.TASK_COST), (signals.TASK_TOKENS, Attr.TASK_TOKENS)):
        value, present = _number(key, "Double")
        entries.append(_value(metric, value, ottl.all_of(present, _IS_TASK)))
    for state, key in (("planned", Attr.PLAN_PLANNED), ("completed", Attr.PLAN_COMPLETED)):
        value, present = _number(key, "Int")
        entries.append(_value(signals.PLAN_STEPS, value, ottl.all_of(present, _IS_TASK), (Label.STATE, state)))
    return entries


def _event_values() -> list[dict[str, Any]]:
    def is_event(event: Event) -> str:
        return f'log.event_name == "{event}"'

    score = ottl.attribute("log", Attr.EVALUATION_SCORE)
    return [
        _value(signals.EVAL_SCORE, f"Double({score})", f"{is_event(Event.EVALUATION)} and {score} != nil"),
        _value(signals.EVAL_RESULTS, "1", is_event(Event.EVALUATION)),
        _value(signals.POLICY_VIOLATIONS, "1", is_event(Event.POLICY_VIOLATION)),
        _value(signals.PROCESS_STARTS, "1", is_event(Event.PROCESS_START)),
    ]


def span_values() -> dict[str, Any]:
    """Configuration of `signal_to_metrics/spans`."""
    return {"error_mode": "ignore", "spans": _span_values()}


def event_values() -> dict[str, Any]:
    """Configuration of `signal_to_metrics/events`."""
    return {"error_mode": "ignore", "logs": _event_values()}
