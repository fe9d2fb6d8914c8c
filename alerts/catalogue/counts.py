"""Things that are counted for themselves, without a denominator: starts, spend, calls that should be going on."""

from dataclasses import dataclass
from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue.model import DAY, HOUR, MINUTE, Group, Selector, counter


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
    of=counter(contract.PROCESS_STARTS),
    by=_SERVICE,
    windows_s=(10 * MINUTE,),
)
TASKS: Final = Count(
    key="tasks",
    title="Tasks ended",
    group=Group.TASKS,
    of=counter(contract.TASK_CALLS),
    by=_ENVIRONMENT,
    windows_s=(15 * MINUTE, HOUR),
)
MODEL_CALLS: Final = Count(
    key="model_calls",
    title="Model calls",
    group=Group.MODELS,
    of=counter(contract.LLM_CALLS),
    by=_ENVIRONMENT,
    windows_s=(15 * MINUTE,),
)
TOOL_CALLS: Final = Count(
    key="tool_calls",
    title="Tool calls",
    group=Group.TOOLS,
    of=counter(contract.TOOL_CALLS),
    by=(Label.ENVIRONMENT, Label.TOOL),
    windows_s=(HOUR,),
)
SPEND: Final = Count(
    key="spend",
    title="Money spent",
    group=Group.COST,
    of=counter(contract.COST),
    by=_ENVIRONMENT,
    windows_s=(HOUR, DAY),
)
AGENT_SPEND: Final = Count(
    key="agent_spend",
    title="Money spent per agent",
    group=Group.COST,
    of=counter(contract.COST),
    by=_AGENT,
    windows_s=(HOUR,),
)
EVALUATIONS: Final = Count(
    key="evaluations",
    title="Evaluations",
    group=Group.QUALITY,
    of=counter(contract.EVAL_RESULTS),
    by=_ENVIRONMENT,
    windows_s=(6 * HOUR,),
)
SERVICE_CALLS: Final = Count(
    key="service_calls",
    title="Spans of a service that count",
    group=Group.TELEMETRY,
    of=Selector(series=contract.SPAN_CALLS.series, labels=contract.TASK_CALLS.labels),
    by=_SERVICE,
    windows_s=(15 * MINUTE,),
)
SERVED_CALLS: Final = Count(
    key="served_calls",
    title="Tool calls that MCP servers served",
    group=Group.TELEMETRY,
    of=counter(contract.MCP_SERVER_CALLS, {Label.MCP_METHOD: "tools/call"}),
    by=(Label.ENVIRONMENT, Label.TOOL),
    windows_s=(HOUR,),
)
UNREAD_SPANS: Final = Count(
    key="unread_spans",
    title="Spans that no KPI reads",
    group=Group.TELEMETRY,
    of=counter(contract.UNREAD_SPANS),
    by=_SERVICE,
    windows_s=(15 * MINUTE,),
)
DOUBTFUL_CALLS: Final = Count(
    key="doubtful_calls",
    title="Model calls whose token counts cannot be",
    group=Group.TELEMETRY,
    of=counter(contract.LLM_DOUBTFUL),
    by=_SERVICE,
    windows_s=(HOUR,),
)
COSTS_DIFFER: Final = Count(
    key="costs_differ",
    title="Model calls whose stated cost is not the table's",
    group=Group.TELEMETRY,
    of=counter(contract.LLM_COST_DIFFERS),
    by=_SERVICE,
    windows_s=(HOUR,),
)

COUNTS: Final = (
    PROCESS_STARTS, TASKS, MODEL_CALLS, TOOL_CALLS, SPEND, AGENT_SPEND, EVALUATIONS, SERVICE_CALLS,
    SERVED_CALLS, UNREAD_SPANS, DOUBTFUL_CALLS, COSTS_DIFFER,
)  # fmt: skip
