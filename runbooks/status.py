"""`status`: the KPIs per task graph, agent, model and tool, each with its versions, over one window."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from agentobs import contract
from agentobs.contract import ABSENT, Label
from alerts import catalogue, promql
from alerts.catalogue import Kpi, Selector
from alerts.source import MetricsSource
from runbooks.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One table: what a row is (`by`), what shows that it exists (`activity`), and its KPIs under short headings."""

    key: str
    title: str
    by: tuple[Label, ...]
    activity: Selector
    kpis: Mapping[str, Kpi]


VIEWS: Final = (
    View(
        key="tasks",
        title="Tasks",
        by=(Label.WORKFLOW, Label.GRAPH_VERSION),
        activity=catalogue.counter(contract.TASK_CALLS),
        kpis={
            "success": catalogue.TASK_SUCCESS,
            "time": catalogue.TASK_LATENCY,
            "cost/task": catalogue.TASK_COST,
        },
    ),
    View(
        key="agents",
        title="Agents",
        by=(Label.AGENT, Label.PROMPT_VERSION),
        activity=catalogue.counter(contract.AGENT_CALLS),
        kpis={
            "success": catalogue.AGENT_SUCCESS,
            "evals passed": catalogue.EVALUATION_PASS,
            "time": catalogue.AGENT_LATENCY,
            "tokens/call": catalogue.REQUEST_TOKENS,
        },
    ),
    View(
        key="models",
        title="Models",
        by=(Label.AGENT, Label.MODEL),
        activity=catalogue.counter(contract.LLM_CALLS),
        kpis={
            "success": catalogue.MODEL_SUCCESS,
            "time": catalogue.MODEL_LATENCY,
            "cost/call": catalogue.MODEL_COST,
        },
    ),
    View(
        key="tools",
        title="Tools",
        by=(Label.TOOL, Label.TOOL_VERSION),
        activity=catalogue.counter(contract.TOOL_CALLS),
        kpis={
            "success": catalogue.TOOL_SUCCESS,
            "timeouts": catalogue.TOOL_TIMEOUTS,
            "retries": catalogue.TOOL_RETRIES,
            "time": catalogue.TOOL_LATENCY,
        },
    ),
)


class Row(Document):
    """One slice and its KPIs; a KPI without events in the window is null."""

    labels: dict[str, str]
    events: float = Field(description="Calls of this slice in the window")
    kpis: dict[str, float | None] = Field(description="By key of the KPI catalogue")


class Column(Document):
    """One KPI of a table."""

    kpi: str = Field(description="Key in the KPI catalogue")
    heading: str
    unit: str


class Table(Document):
    """One view with its rows."""

    key: str
    title: str
    columns: list[Column]
    rows: list[Row]


class Status(Document):
    """KPIs over a window; times are unix seconds."""

    window_start: float
    window_end: float
    tables: list[Table]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured at all."""
        return not any(table.rows for table in self.tables)


_Slice = tuple[str, ...]


def collect(source: MetricsSource, start: float, end: float, where: Mapping[Label, str]) -> Status:
    """Return the KPIs of every slice that was active between `start` and `end`."""
    tables = [_table(source, view, start, end, where) for view in VIEWS]
    return Status(window_start=start, window_end=end, tables=tables)


def _table(source: MetricsSource, view: View, start: float, end: float, where: Mapping[Label, str]) -> Table:
    def increases(selector: Selector) -> dict[_Slice, float]:
        samples = source.instant(promql.increase(selector, view.by, where, end - start), end)
        return {tuple(sample.labels.get(label, ABSENT) for label in view.by): sample.value for sample in samples}

    events = increases(view.activity)
    columns = {kpi.key: (increases(kpi.numerator), increases(kpi.denominator)) for kpi in view.kpis.values()}
    rows = [
        Row(
            labels=dict(zip(view.by, slice_, strict=True)),
            events=count,
            kpis={key: _quotient(slice_, *sides) for key, sides in columns.items()},
        )
        for slice_, count in sorted(events.items())
        if count > 0
    ]
    headings = [Column(kpi=kpi.key, heading=heading, unit=kpi.unit) for heading, kpi in view.kpis.items()]
    return Table(key=view.key, title=view.title, columns=headings, rows=rows)


def _quotient(slice_: _Slice, numerators: Mapping[_Slice, float], denominators: Mapping[_Slice, float]) -> float | None:
    below = denominators.get(slice_, 0.0)
    return numerators.get(slice_, 0.0) / below if below > 0 else None
