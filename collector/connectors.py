"""From packed spans and events to the KPI metrics of `signals`.

Everything that is counted or summed comes from `signal_to_metrics`: it gives its numbers on at once, so what a crash
can lose is what has not left the queue in front of it. `span_metrics` gives one metric only, for its exemplars, which
lead from a panel to a trace: it keeps its counts in memory and loses what it has not flushed when the collector stops.
"""

from typing import Any, Final

from collector import ottl, signals
from collector.series_key import attribute, span_keys
from collector.signals import Attr, Label, Metric, MetricKind

_NS_PER_S: Final = "1000000000.0"
_SECONDS: Final = f"Double(span.end_time_unix_nano - span.start_time_unix_nano) / {_NS_PER_S}"
_TOKENS: Final[dict[str, Attr]] = {
    "input": Attr.INPUT_TOKENS,
    "output": Attr.OUTPUT_TOKENS,
    "cache_read": Attr.CACHE_READ_TOKENS,
    "reasoning": Attr.REASONING_TOKENS,
}
_PLAN_STATES: Final[dict[str, Attr]] = {"planned": Attr.PLAN_PLANNED, "completed": Attr.PLAN_COMPLETED}

# No honest span or event reports more tokens, dollars, steps or score than this. One infinite value would stay in a
# sum for ever, and two near the end of int64 make it negative.
_LARGEST: Final = 1_000_000_000

# What a packed span or event keeps beside its key.
SPAN_NUMBERS: Final = (
    *_TOKENS.values(),
    Attr.COST,
    Attr.COST_UNPRICED,
    Attr.TASK_COST,
    Attr.TASK_TOKENS,
    *_PLAN_STATES.values(),
)
EVENT_NUMBERS: Final = (Attr.EVALUATION_SCORE,)


def _entry(metric: Metric, value: str, condition: str = "", fixed: tuple[Label, str] | None = None) -> dict[str, Any]:
    """One `signal_to_metrics` entry. `fixed` gives one label a constant, so that several entries share a name.

    The key has no default, so the connector passes over spans of other families at the price of one lookup.
    """
    attributes: list[dict[str, str]] = [{"key": attribute(metric.family)}]
    if fixed:
        attributes.append({"key": fixed[0], "default_value": fixed[1]})
    if metric.kind is MetricKind.COUNTER:
        kind: dict[str, Any] = {"sum": {"value": value, "monotonic": True}}
    else:
        kind = {"histogram": {"buckets": list(metric.buckets), "value": value}}
    return {
        "name": metric.name,
        "description": metric.meaning,
        "unit": metric.unit,
        **kind,
        **({"conditions": [condition]} if condition else {}),
        "attributes": attributes,
        # Without this list every resource attribute makes a stream of its own, and points of equal streams get lost.
        "include_resource_attributes": [{"key": Attr.SERVICE_NAME}],
    }


def _number(scope: str, key: Attr, kind: str) -> tuple[str, str]:
    """Value expression and condition; a number that would make a counter fall or spoil its sum does not count."""
    source = ottl.attribute(scope, key)
    return f"{kind}({source})", f"{source} != nil and {source} >= 0 and {source} <= {_LARGEST}"


def _span_values() -> list[dict[str, Any]]:
    calls = (
        signals.TASK_CALLS, signals.AGENT_CALLS, signals.LLM_CALLS, signals.TOOL_CALLS, signals.MCP_SERVER_CALLS,
    )  # fmt: skip
    durations = (
        signals.TASK_DURATION, signals.AGENT_DURATION, signals.LLM_DURATION, signals.TOOL_DURATION,
        signals.MCP_SERVER_DURATION,
    )  # fmt: skip
    tokens_in, has_in = _number("span", Attr.INPUT_TOKENS, "Double")
    tokens_out, has_out = _number("span", Attr.OUTPUT_TOKENS, "Double")
    return [
        *(_entry(metric, "1") for metric in calls),
        *(_entry(metric, _SECONDS) for metric in durations),
        *(
            _entry(signals.LLM_TOKENS, *_number("span", key, "Int"), fixed=(Label.TOKEN_TYPE, name))
            for name, key in _TOKENS.items()
        ),
        _entry(signals.REQUEST_TOKENS, f"{tokens_in} + {tokens_out}", ottl.all_of(has_in, has_out)),
        _entry(signals.COST, *_number("span", Attr.COST, "Double")),
        _entry(signals.LLM_UNPRICED, "1", f"{ottl.attribute('span', Attr.COST_UNPRICED)} == true"),
        _entry(signals.TASK_COST, *_number("span", Attr.TASK_COST, "Double")),
        _entry(signals.TASK_TOKENS, *_number("span", Attr.TASK_TOKENS, "Double")),
        *(
            _entry(signals.PLAN_STEPS, *_number("span", key, "Int"), fixed=(Label.STATE, name))
            for name, key in _PLAN_STATES.items()
        ),
    ]


def _event_values() -> list[dict[str, Any]]:
    return [
        _entry(signals.EVAL_SCORE, *_number("log", Attr.EVALUATION_SCORE, "Double")),
        _entry(signals.EVAL_RESULTS, "1"),
        _entry(signals.POLICY_VIOLATIONS, "1"),
        _entry(signals.PROCESS_STARTS, "1"),
    ]


def values() -> dict[str, Any]:
    """Configuration of `signal_to_metrics/kpi`."""
    return {"error_mode": "ignore", "spans": _span_values(), "logs": _event_values()}


def exemplars(flush_s: float) -> dict[str, Any]:
    """Configuration of `span_metrics/exemplars`: one counter per series key, flushed every `flush_s` seconds."""
    return {
        "namespace": signals.SPAN_CALLS.name.removesuffix(".calls"),
        "histogram": {"disable": True},
        "exclude_dimensions": ["service.name", "span.name", "span.kind", "status.code", "collector.instance.id"],
        "dimensions": [{"name": key} for key in span_keys()],
        "resource_metrics_key_attributes": [Attr.SERVICE_NAME],
        "aggregation_cardinality_limit": 20_000,
        "metrics_flush_interval": f"{flush_s:g}s",
        "series_expiration": "6h",
        "exemplars": {"enabled": True, "max_per_data_point": 5},
    }
