"""Versions: since which version, and is the new one worse than the one before it?"""

from typing import Any, Final

from agentobs.contract import Label
from alerts.alerting.comparisons import alerts as comparisons
from alerts.catalogue import DIMENSIONS, Dimension
from alerts.recording import rule, tracks, versions
from dashboards.boards import shared
from dashboards.lib import thresholds, variables
from dashboards.lib.model import (
    Board,
    BoardLink,
    Colour,
    Column,
    Format,
    Prom,
    Section,
    StateTimeline,
    Table,
    TimeSeries,
)
from dashboards.lib.panels import Reader, legend

_SCOPE: Final = (Label.ENVIRONMENT, Label.AGENT, Label.TOOL, Label.WORKFLOW)
_READ: Final = Reader(_SCOPE)
# An owner has an agent, a tool or a workflow; what it lacks is an empty label, which `All` lets pass.
_OWNERS: Final = tuple(label for label in versions.ENTITIES if label is not Label.ENVIRONMENT)
_USED: Final = {1: ("in use", Colour.INFO)}
_UNKNOWN: Final = "No call carried a version in this time range, or too few carried it to be judged."
_FALLBACK: Final = BoardLink(title="The agent", board="agent", variables={"agent": Label.AGENT})


def _timeline(dimension: Dimension, scope: tuple[Label, ...], **rest: Any) -> StateTimeline:  # noqa: ANN401
    owner = tuple(label for label in dimension.entity if label is not Label.ENVIRONMENT)
    series = Reader(scope).narrowed(versions.LAST_SEEN, dimension.entity, dimension=dimension.key)
    shown = f"max by ({', '.join((*owner, 'version'))}) ({series} > bool (time() - 600)) == 1"
    return StateTimeline(
        **{
            "title": f"{dimension.title} versions",
            "description": f"Each bar is a {dimension.key} version while calls with it are seen.",
            "no_data": f"No call carried a {dimension.key} version in this time range.",
            "queries": (Prom(expr=shown, legend=legend((*owner, "version"))),),
            "states": _USED,
            **rest,
        }
    )


def _compared() -> Table:
    labels = ("kpi", "dimension", *_OWNERS, "version", "previous")
    by = ", ".join(labels)
    series = (versions.WORSENING, versions.Z)
    narrowed = [_READ.narrowed(name, versions.ENTITIES) for name in series]
    return Table(
        title="New against previous",
        description=(
            "Every KPI of every version in use against the last day of the version before it. Worse by: a difference"
            " for shares, a part of the old value for the rest; below 0 is better. Standard errors tell chance from"
            " change; means without a histogram have none. The alert asks for as many as keep the level of `agentobs"
            " why` over all comparisons of the environment, about five."
        ),
        no_data="No version was replaced in the last month, or the new one has too few events yet.",
        queries=tuple(
            Prom(expr=f"max by ({by}) (last_over_time({each}[$__range]))", instant=True) for each in narrowed
        ),
        columns=(
            *(
                Column(title=shared.title(label), label=label, link=_FALLBACK if label == Label.AGENT else None)
                for label in labels
            ),
            Column(title="Worse by", query=0, format=Format.SHARE, steps=thresholds.WORSE),
            Column(title="Standard errors", query=1, format=Format.SCORE),
        ),
        sort_by="Standard errors",
        descending=True,
        width=24,
        height=10,
        alerts=tuple(dict.fromkeys(alert.name for alert in comparisons())),
    )


def _by_version(dimension: Dimension) -> TimeSeries:
    owner = tuple(label for label in dimension.entity if label is not Label.ENVIRONMENT)
    series = _READ.narrowed(versions.VALUE, dimension.entity, dimension=dimension.key, kpi="$kpi")
    return TimeSeries(
        title=f"The KPI by {dimension.key} version",
        description=f"The chosen KPI, over the hour before, for each {dimension.key} version side by side.",
        no_data=f"{_UNKNOWN} Or the chosen KPI has no {dimension.key} version.",
        queries=(Prom(expr=series, legend=legend((*owner, "version"))),),
        format=Format.SCORE,
        width=12,
        minimum=None,
    )


_UNPINNED: Final = TimeSeries(
    title="Versions that nobody pinned",
    description="Versions in telemetry that no release pins, of environments that have releases.",
    no_data="Every version is pinned, or no release was promoted in this environment.",
    queries=(Prom(expr=_READ.firing(("dimension",), alertname="VersionUnpinned"), legend="{{dimension}}"),),
    alerts=("VersionUnpinned",),
    width=24,
)
_TRACKS: Final = Section(
    title="Canary against stable",
    panels=(
        TimeSeries(
            title="The KPI by track",
            description="The chosen KPI, over the hour before, for canary, stable and shadow side by side.",
            no_data="No track has enough events; only KPIs that decide about a canary are recorded by track.",
            queries=(
                Prom(
                    expr=_READ.narrowed(tracks.VALUE, tracks.LABELS, kpi="$kpi"),
                    legend=legend((Label.TRACK, *tracks.LABELS)),
                ),
            ),
            format=Format.SCORE,
            width=12,
            minimum=None,
        ),
        TimeSeries(
            title="Canary, standard errors worse",
            description=(
                "How far the canary is from what is stable; above the line is hardly chance, all comparisons of the"
                " environment together. Below 0 it is better."
            ),
            no_data="There is no canary, or it has too few events yet.",
            queries=(
                Prom(expr=_READ.narrowed(tracks.Z, tracks.LABELS), legend=f"{{{{kpi}}}} {legend(tracks.LABELS)}"),
                Prom(expr=_READ.narrowed(tracks.NEEDED, (Label.ENVIRONMENT,)), legend="hardly chance from here on"),
            ),
            format=Format.SCORE,
            width=12,
            minimum=None,
            alerts=("CanaryWorse",),
        ),
    ),
)
_BEFORE: Final = Section(
    title="Against last week and the baseline",
    collapsed=True,
    panels=tuple(
        TimeSeries(
            title=title,
            description="Every KPI of the last hour; above 0 is worse, by more than its tolerance is an alert.",
            no_data=no_data,
            queries=(Prom(expr=_READ.narrowed(series, _SCOPE), legend=f"{{{{kpi}}}} {legend(_OWNERS)}"),),
            format=Format.SHARE,
            width=12,
            minimum=None,
            alerts=(name,),
        )
        for title, series, name, no_data in (
            (
                "Worse than last week",
                rule.WEEK_WORSENING,
                "WorseThanLastWeek",
                "There are not 500 events an hour of both.",
            ),
            ("Worse than the baseline", rule.BASELINE_WORSENING, "WorseThanBaseline", "No baseline was recorded."),
        )
    ),
)

BOARD: Final = Board(
    slug="versions",
    title="Versions",
    question="Since which version: of prompt, tool, model or graph?",
    variables=(variables.ENVIRONMENT, variables.AGENT, variables.TOOL, variables.WORKFLOW, variables.KPI),
    sections=(
        Section(title="The answer", panels=(shared.regressions(_READ, width=24, height=7), _compared())),
        Section(title="Since when", panels=tuple(_timeline(dimension, _SCOPE, width=12) for dimension in DIMENSIONS)),
        Section(title="Side by side", panels=tuple(_by_version(dimension) for dimension in DIMENSIONS)),
        _TRACKS,
        Section(title="Past the releases", collapsed=True, panels=(_UNPINNED,)),
        _BEFORE,
    ),
    next=("fleet", "agent", "tool", "delivery", "explore"),
)
