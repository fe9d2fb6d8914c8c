"""Things that are counted for themselves, without a denominator: starts, spend, calls that should be going on."""

from dataclasses import dataclass
from typing import Final

from alerts.catalogue.model import DAY, HOUR, MINUTE, Group, Selector, counter
from collector import signals
from collector.signals import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """An increase over each of `windows_s`, recorded by the labels `by`."""

    key: str
    title: str
    group: Group
    of: Selector
    by: tuple[Label, ...]
    windows_s: tuple[int, ...]


_ENVIRONMENT: Final = (Label.ENVIRONMENT,)
_SERVICE: Final = (Label.ENVIRONMENT, Label.SERVICE)
_AGENT: Final = (Label.ENVIRONMENT, Label.AGENT)

PROCESS_STARTS: Final = Count(
    key="process_starts",
    title="Starts of a process",
    group=Group.AGENTS,
    of=counter(signals.PROCESS_STARTS),
    by=_SERVICE,
    windows_s=(10 * MINUTE,),
)
TASKS: Final = Count(
    key="tasks",
    title="Tasks ended",
    group=Group.TASKS,
    of=counter(signals.TASK_CALLS),
    by=_ENVIRONMENT,
    windows_s=(15 * MINUTE, HOUR),
)
MODEL_CALLS: Final = Count(
    key="model_calls",
    title="Model calls",
    group=Group.MODELS,
    of=counter(signals.LLM_CALLS),
    by=_ENVIRONMENT,
    windows_s=(15 * MINUTE,),
)
TOOL_CALLS: Final = Count(
    key="tool_calls",
    title="Tool calls",
    group=Group.TOOLS,
    of=counter(signals.TOOL_CALLS),
    by=(Label.ENVIRONMENT, Label.TOOL),
    windows_s=(HOUR,),
)
SPEND: Final = Count(
    key="spend",
    title="Money spent",
    group=Group.COST,
    of=counter(signals.COST),
    by=_ENVIRONMENT,
    windows_s=(HOUR, DAY),
)
AGENT_SPEND: Final = Count(
    key="agent_spend",
    title="Money spent per agent",
    group=Group.COST,
    of=counter(signals.COST),
    by=_AGENT,
    windows_s=(HOUR,),
)
EVALUATIONS: Final = Count(
    key="evaluations",
    title="Evaluations",
    group=Group.QUALITY,
    of=counter(signals.EVAL_RESULTS),
    by=_ENVIRONMENT,
    windows_s=(6 * HOUR,),
)
SERVICE_CALLS: Final = Count(
    key="service_calls",
    title="Spans of a service that count",
    group=Group.TELEMETRY,
    of=Selector(series=signals.SPAN_CALLS.series, labels=signals.TASK_CALLS.labels),
    by=_SERVICE,
    windows_s=(15 * MINUTE,),
)
SERVED_CALLS: Final = Count(
    key="served_calls",
    title="Tool calls that MCP servers served",
    group=Group.TELEMETRY,
    of=counter(signals.MCP_SERVER_CALLS, {Label.MCP_METHOD: "tools/call"}),
    by=(Label.ENVIRONMENT, Label.TOOL),
    windows_s=(HOUR,),
)

COUNTS: Final = (
    PROCESS_STARTS, TASKS, MODEL_CALLS, TOOL_CALLS, SPEND, AGENT_SPEND, EVALUATIONS, SERVICE_CALLS,
    SERVED_CALLS,
)  # fmt: skip
