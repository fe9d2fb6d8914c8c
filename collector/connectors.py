"""From packed spans and events to the KPI metrics of `agentobs.contract`.

Everything that is counted or summed comes from `signal_to_metrics`: it gives its numbers on at once, so what a crash
can lose is what has not left the queue in front of it. `span_metrics` gives one metric only, for its exemplars, which
lead from a panel to a trace: it keeps its counts in memory and loses what it has not flushed when the collector stops.
"""

from typing import Any, Final

from agentobs import contract
from agentobs.contract import Attr, Label, Metric, MetricKind
from collector import ottl
from collector.normalise.usage import LARGEST
from collector.series_key import attribute, span_keys

_NS_PER_S: Final = "1000000000.0"
_SECONDS: Final = f"Double(span.end_time_unix_nano - span.start_time_unix_nano) / {_NS_PER_S}"
_TOKENS: Final[dict[str, Attr]] = {
    "input": Attr.INPUT_TOKENS,
    "output": Attr.OUTPUT_TOKENS,
    "cache_read": Attr.CACHE_READ_TOKENS,
    "reasoning": Attr.REASONING_TOKENS,
}
_PLAN_STATES: Final[dict[str, Attr]] = {"planned": Attr.PLAN_PLANNED, "completed": Attr.PLAN_COMPLETED}

# What a packed span or event keeps beside its key.
SPAN_NUMBERS: Final = (
    *_TOKENS.values(),
    Attr.COST,
    Attr.COST_UNPRICED,
    Attr.COST_DIFFERS,
    Attr.USAGE_DOUBTFUL,
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
    return f"{kind}({source})", f"{source} != nil and {source} >= 0 and {source} <= {LARGEST}"


def _span_values() -> list[dict[str, Any]]:
    calls = (
        contract.TASK_CALLS, contract.AGENT_CALLS, contract.LLM_CALLS, contract.TOOL_CALLS, contract.MCP_SERVER_CALLS,
    )  # fmt: skip
    durations = (
        contract.TASK_DURATION, contract.AGENT_DURATION, contract.LLM_DURATION, contract.TOOL_DURATION,
        contract.MCP_SERVER_DURATION,
    )  # fmt: skip
    tokens_in, has_in = _number("span", Attr.INPUT_TOKENS, "Double")
    tokens_out, has_out = _number("span", Attr.OUTPUT_TOKENS, "Double")
    return [
        *(_entry(metric, "1") for metric in calls),
        *(_entry(metric, _SECONDS) for metric in durations),
        *(
            _entry(contract.LLM_TOKENS, *_number("span", key, "Int"), fixed=(Label.TOKEN_TYPE, name))
            for name, key in _TOKENS.items()
        ),
        _entry(contract.REQUEST_TOKENS, f"{tokens_in} + {tokens_out}", ottl.all_of(has_in, has_out)),
        _entry(contract.COST, *_number("span", Attr.COST, "Double")),
        _entry(contract.LLM_UNPRICED, "1", f"{ottl.attribute('span', Attr.COST_UNPRICED)} == true"),
        _entry(contract.UNREAD_SPANS, "1"),
        _entry(contract.LLM_COST_DIFFERS, "1", f"{ottl.attribute('span', Attr.COST_DIFFERS)} == true"),
        _entry(contract.LLM_DOUBTFUL, "1", f"{ottl.attribute('span', Attr.USAGE_DOUBTFUL)} != nil"),
        _entry(contract.TASK_COST, *_number("span", Attr.TASK_COST, "Double")),
        _entry(contract.TASK_TOKENS, *_number("span", Attr.TASK_TOKENS, "Double")),
        *(
            _entry(contract.PLAN_STEPS, *_number("span", key, "Int"), fixed=(Label.STATE, name))
            for name, key in _PLAN_STATES.items()
        ),
    ]


def _event_values() -> list[dict[str, Any]]:
    return [
        _entry(contract.EVAL_SCORE, *_number("log", Attr.EVALUATION_SCORE, "Double")),
        _entry(contract.EVAL_RESULTS, "1"),
        _entry(contract.POLICY_VIOLATIONS, "1"),
        _entry(contract.PROCESS_STARTS, "1"),
    ]


def values() -> dict[str, Any]:
    """Configuration of `signal_to_metrics/kpi`."""
    return {"error_mode": "ignore", "spans": _span_values(), "logs": _event_values()}


def exemplars(flush_s: float) -> dict[str, Any]:
    """Configuration of `span_metrics/exemplars`: one counter per series key, flushed every `flush_s` seconds."""
    return {
        "namespace": contract.SPAN_CALLS.name.removesuffix(".calls"),
        "histogram": {"disable": True},
        "exclude_dimensions": ["service.name", "span.name", "span.kind", "status.code", "collector.instance.id"],
        "dimensions": [{"name": key} for key in span_keys()],
        "resource_metrics_key_attributes": [Attr.SERVICE_NAME],
        "aggregation_cardinality_limit": 20_000,
        "metrics_flush_interval": f"{flush_s:g}s",
        "series_expiration": "6h",
        "exemplars": {"enabled": True, "max_per_data_point": 5},
    }
