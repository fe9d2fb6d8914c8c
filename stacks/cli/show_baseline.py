"""What a person sees of a baseline and of a comparison with it."""

import time
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agentobs.contract import Label
from alerts.catalogue import CATALOGUE
from runbooks.baseline import Baseline, Basis, Change, Comparison, Finding, Point
from runbooks.wording import amount

_TITLES: Final = {kpi.key: (kpi.title, kpi.unit) for kpi in CATALOGUE}
_COLOURS: Final = {
    Finding.WORSE: "bold red",
    Finding.NOT_WORSE: "green",
    Finding.TOO_FEW: "dim",
    Finding.GONE: "yellow",
}


def _place(labels: dict[str, str]) -> str:
    return " ".join(value for label, value in labels.items() if label != Label.ENVIRONMENT) or "all"


def baseline(found: Baseline) -> Group:
    """KPIs with their intervals, and the versions that ran."""
    kpis = Table(title_justify="left", title_style="bold", header_style="cyan", title=_head(found))
    for heading in ("KPI", "of", "value", "95 % interval", "events"):
        kpis.add_column(heading, justify="left" if heading in {"KPI", "of"} else "right")
    for point in found.points:
        title, unit = _TITLES.get(point.kpi, (point.kpi, ""))
        kpis.add_row(
            title, Text(_place(point.labels)), amount(point.value, unit), _interval(point, unit), f"{point.events:,.0f}"
        )
    ran = Table(title="Versions", title_justify="left", title_style="bold", header_style="cyan")
    for heading in ("dimension", "of", "version", "calls"):
        ran.add_column(heading)
    for each in found.versions:
        entity = " ".join(dict.fromkeys(v for k, v in each.entity.items() if k != Label.ENVIRONMENT))
        ran.add_row(each.dimension, Text(entity), Text(each.version), f"{each.calls:,.0f}")
    few = Text(f"Too few events: {'; '.join(found.too_few)}" if found.too_few else "", style="dim")
    return Group(kpis, ran, few)


def _head(found: Baseline) -> str:
    start, end = (time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) for at in (found.window_start, found.window_end))
    release = f", release {found.release}" if found.release else ""
    return f"Baseline {found.name} of {found.environment}{release}: {start} to {end}, by {found.recorded_by}"


def _interval(point: Point, unit: str) -> str:
    if point.low is None or point.high is None:
        return "not known"
    return f"{amount(point.low, unit)} to {amount(point.high, unit)}"


def comparison(made: Comparison) -> Table:
    """Every KPI before and now."""
    table = Table(
        title=f"Against {made.before}", title_justify="left", title_style="bold", header_style="cyan", show_edge=False
    )
    for heading in ("", "KPI", "of", "before", "now", "events", "would be seen from"):
        table.add_column(heading, justify="left" if heading in {"", "KPI", "of"} else "right")
    for change in made.changes:
        table.add_row(*_cells(change))
    means = sum(change.test == Basis.MEANS_ONLY for change in made.changes)
    if means:
        table.caption = (
            f"{means} compared as means, where one event that hangs looks like a change: one side has no buckets;"
            " fix: record the baseline again"
        )
    return table


def _cells(change: Change) -> tuple[str | Text, ...]:
    return (
        Text(change.finding, style=_COLOURS[change.finding]),
        change.title,
        Text(_place(change.labels)),
        amount(change.before, change.unit),
        amount(change.after, change.unit),
        f"{change.before_events:,.0f} / {change.after_events:,.0f}",
        f"{change.detectable * 100:.0f} %" if change.detectable is not None else "-",
    )
