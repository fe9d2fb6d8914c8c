"""Panels that several boards show: regressions, alerts that fire, versions in use, calls by error class."""

from typing import Any, Final

from agentobs.contract import Label, Metric
from alerts.catalogue import Dimension, Selector
from alerts.promql import matchers, sum_by
from alerts.recording import versions
from dashboards.lib import thresholds, variables
from dashboards.lib.model import (
    BoardLink,
    Colour,
    Column,
    Format,
    Heatmap,
    Prom,
    StateTimeline,
    Table,
    TimeSeries,
)
from dashboards.lib.panels import Reader, legend

_VERSIONS: Final = BoardLink(
    title="Since which version",
    board="versions",
    variables={"agent": Label.AGENT, "tool": Label.TOOL, "workflow": Label.WORKFLOW, "kpi": "kpi"},
)
_FIRING: Final = {1: ("fires", Colour.BAD)}
REGRESSION: Final = "VersionRegression"


def regressions(read: Reader, **rest: Any) -> Table:  # noqa: ANN401 fields of Panel
    """The answer where there is one: what got worse, of whom, with which version, and what was there before."""
    labels = ("kpi", "dimension", Label.AGENT, Label.TOOL, Label.WORKFLOW, "version", "previous")
    alert = read.narrowed("ALERTS", versions.ENTITIES, alertname=REGRESSION, alertstate="firing")
    worse = read.narrowed(versions.WORSENING, versions.ENTITIES)
    z = read.narrowed(versions.Z, versions.ENTITIES)
    by = ", ".join(labels)
    queries = (
        f"max by ({by}) (last_over_time({alert}[$__range]))",
        f"max by ({by}) (last_over_time({worse}[$__range]))",
        f"max by ({by}) (last_over_time({z}[$__range]))",
    )
    # Only what the alert says is a regression: all other comparisons are on the board of versions.
    guilty = f"{queries[1]} and on ({by}) {queries[0]}", f"{queries[2]} and on ({by}) {queries[0]}"
    titles = ("KPI", "Dimension", "Agent", "Tool", "Workflow", "Version", "Before it")
    columns = (
        *(Column(title=t, label=name, link=_VERSIONS) for t, name in zip(titles, labels, strict=True)),
        Column(title="Worse by", query=0, format=Format.SHARE, steps=thresholds.WORSE),
        Column(title="Standard errors", query=1, format=Format.SCORE),
    )
    made = {
        "title": "Broke with a new version",
        "description": (
            "KPIs that got worse with the version in use, by more than is tolerated and than chance explains, at any"
            " time of the range. This row is the answer to page 1 of every runbook: roll this version back."
        ),
        "no_data": "No alert of a version fired in this time range; it waits five minutes. `agentobs why` answers now.",
        "queries": tuple(Prom(expr=expr, instant=True) for expr in guilty),
        "columns": columns,
        "sort_by": "Standard errors",
        "descending": True,
        "alerts": (REGRESSION,),
    }
    return Table(**{**made, **rest})


def firing(read: Reader, **rest: Any) -> StateTimeline:  # noqa: ANN401 fields of Panel
    """Alerts over time."""
    by = ("alertname", "severity", Label.AGENT, Label.TOOL, Label.WORKFLOW)
    shown = f"max by ({', '.join(by)}) ({read.narrowed('ALERTS', read.labels, alertstate='firing')})"
    made = {
        "title": "Alerts",
        "description": "Each bar is an alert while it fires.",
        "no_data": "No alert fired in this time range.",
        "queries": (Prom(expr=shown, legend=legend(by)),),
        "states": _FIRING,
    }
    return StateTimeline(**{**made, **rest})


def in_use(read: Reader, dimensions: tuple[Dimension, ...], **rest: Any) -> Table:  # noqa: ANN401 fields of Panel
    """Versions in use now, newest first."""
    wanted = "|".join(dimension.key for dimension in dimensions)
    owners = tuple(dict.fromkeys(label for dimension in dimensions for label in dimension.entity))
    owners = tuple(label for label in owners if label is not Label.ENVIRONMENT)
    series = read.narrowed(versions.CURRENT, versions.ENTITIES)
    series = series.replace("{", f'{{dimension=~"{wanted}",', 1)
    labels = ("dimension", *owners, "version")
    made = {
        "title": "Versions in use",
        "description": "The newest version in use of each owner, and when its first call was seen.",
        "no_data": "No call carried a version in this time range.",
        "queries": (
            Prom(expr=f"max by ({', '.join(labels)}) (last_over_time({series}[$__range])) * 1000", instant=True),
        ),
        "columns": (
            *(Column(title=title(label), label=label) for label in labels),
            Column(title="First seen", query=0, format=Format.AGO),
        ),
        "sort_by": "First seen",
        "descending": True,
    }
    return Table(**{**made, **rest})


def title(label: str) -> str:
    """A label as the heading of a column."""
    return "KPI" if label == "kpi" else label.replace("_name", "").replace("_", " ").capitalize()


def durations(title: str, metric: Metric, scope: tuple[Label, ...], no_data: str, **rest: Any) -> Heatmap:  # noqa: ANN401
    """How long calls took, as counts per bucket: two peaks are two behaviours, which no quantile shows."""
    raw = f"increase({metric.bucket}{matchers(variables.scope(scope))}[$__rate_interval])"
    made = {
        "title": title,
        "description": "Calls per duration over time; darker is more. Two bands are two behaviours.",
        "no_data": no_data,
        "queries": (Prom(expr=f"sum by (le) ({raw})", legend="{{le}}"),),
        "format": Format.SECONDS,
    }
    return Heatmap(**{**made, **rest})


def by_class(
    title: str,
    metric: Metric,
    by: Label,
    scope: tuple[Label, ...],
    no_data: str,
    **rest: Any,  # noqa: ANN401
) -> TimeSeries:
    """Calls a second by a label, from the series that carries exemplars: a click leads to a trace."""
    where = {Label.FAMILY: str(metric.family), **variables.scope(scope)}
    counted = Selector(series="agentic_span_calls_total", labels=metric.labels)
    expr = sum_by([by], f"rate({counted.series}{matchers(where)}[$__rate_interval])")
    made = {
        "title": title,
        "description": "Calls a second, raw. Dots are traces: open one to see what failed.",
        "no_data": no_data,
        "queries": (Prom(expr=expr, legend=legend((by,)), exemplars=True),),
        "format": Format.PER_SECOND,
        "stacked": True,
    }
    return TimeSeries(**{**made, **rest})
