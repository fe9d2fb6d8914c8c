"""The choices at the top of boards. Names are those that alerts put into their links."""

from typing import Final

from agentobs.contract import Label, Track
from alerts.alerting.model import VARIABLES
from alerts.catalogue import AGENT_SUCCESS, DIAGNOSED, MODEL_LATENCY, TASK_SUCCESS, TOOL_SUCCESS
from alerts.catalogue.counts import SERVICE_CALLS
from alerts.catalogue.model import HOUR, MINUTE
from alerts.catalogue.wanted import Like, Wanted
from alerts.promql import matchers
from alerts.recording import rule, versions
from dashboards.lib.model import Variable, VariableKind

_IN_ENVIRONMENT: Final = {"environment": "environment"}


def _labels(label: Label, title: str, series: str, *, all_: bool = True) -> Variable:
    return Variable(
        name=VARIABLES[label],
        title=title,
        series=series,
        label=label,
        where=_IN_ENVIRONMENT if label is not Label.ENVIRONMENT else {},
        all=all_,
    )


# One at a time: what staging does says nothing about what broke in prod.
ENVIRONMENT: Final = _labels(Label.ENVIRONMENT, "Environment", rule.events(TASK_SUCCESS, HOUR), all_=False)
WORKFLOW: Final = _labels(Label.WORKFLOW, "Workflow", rule.events(TASK_SUCCESS, HOUR))
AGENT: Final = _labels(Label.AGENT, "Agent", rule.events(AGENT_SUCCESS, HOUR))
TOOL: Final = _labels(Label.TOOL, "Tool", rule.events(TOOL_SUCCESS, HOUR))
MODEL: Final = _labels(Label.MODEL, "Model", rule.events(MODEL_LATENCY, HOUR))
SERVICE: Final = _labels(Label.SERVICE, "Service", rule.increase(SERVICE_CALLS, 15 * MINUTE))


def _versions(dimension: str, title: str) -> Variable:
    return Variable(
        name=f"{dimension}_version",
        title=title,
        series=f'{versions.FIRST_SEEN}{{dimension="{dimension}"}}',
        label="version",
        where=_IN_ENVIRONMENT,
    )


PROMPT_VERSION: Final = _versions("prompt", "Prompt version")
TOOL_VERSION: Final = _versions("tool", "Tool version")
MODEL_VERSION: Final = _versions("model", "Model")
GRAPH_VERSION: Final = _versions("graph", "Graph version")
TRACK: Final = Variable(name="track", title="Track", kind=VariableKind.LIST, values=tuple(Track))
KPI: Final = Variable(
    name="kpi", title="KPI", kind=VariableKind.LIST, values=tuple(kpi.key for kpi in DIAGNOSED), all=False
)
# What is slow depends on the work; the first is what a person notices.
SLOWER: Final = Variable(
    name="slower", title="Slower than", kind=VariableKind.LIST, values=("1s", "5s", "30s", "2m"), all=False
)
TRACE: Final = Variable(name="trace", title="Trace id", kind=VariableKind.TEXT, all=False)

_BY_NAME: Final = {**VARIABLES, Label.TRACK: TRACK.name}


def scope(labels: tuple[str, ...]) -> dict[Label, Wanted]:
    """Matchers, for `alerts.promql`, that keep what is chosen in the variables of those labels."""
    return {Label(label): Like(f"${_BY_NAME[label]}") for label in labels if label in _BY_NAME}


def chosen(labels: tuple[str, ...], **constant: str) -> str:
    """The same as text with braces, after constant label values."""
    fixed = [f'{name}="{value}"' for name, value in constant.items()]
    rest = matchers(scope(labels))[1:-1]
    inner = ",".join([*fixed, *([rest] if rest else [])])
    return f"{{{inner}}}" if inner else ""
