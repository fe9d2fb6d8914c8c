"""What a person sees: the status tables and the verdict of `why`, on a terminal."""

import datetime as dt
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from alerts.catalogue import Unit
from collector.signals import Label
from runbooks.report import Change, Diagnosis, Evidence, Verdict
from runbooks.status import Row, Status, Table

_PERCENT: Final = 100
_SUBJECTS: Final[dict[str, str]] = {Label.ENVIRONMENT: "where", Label.AGENT: "agent", Label.TOOL: "tool"}


def amount(value: float | None, unit: str) -> str:
    """A KPI value with its unit, as short as it can be read: `97.3 %`, `1.24 s`, `$0.0031`."""
    if value is None:
        return "-"
    match unit:
        case Unit.RATIO:
            return f"{value * _PERCENT:.1f} %"
        case Unit.SECONDS:
            return f"{value:.2f} s"
        case Unit.USD:
            return f"${value:.2f}" if value >= 1 else f"${value:.4f}"
        case Unit.TOKENS:
            return f"{value:,.0f}"
        case _:
            return f"{value:.2f}"


def clock(at: float) -> str:
    """Local wall-clock time of a unix time."""
    return dt.datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def status(document: Status) -> RenderableType:
    """All status tables."""
    span = f"{clock(document.window_start)} to {clock(document.window_end)}"
    return Group(*(_kpi_table(table, span) for table in document.tables if table.rows))


def _kpi_table(table: Table, span: str) -> RichTable:
    drawn = RichTable(title=f"{table.title}, {span}", title_justify="left", title_style="bold", header_style="cyan")
    for label in table.rows[0].labels:
        drawn.add_column(label.removesuffix("_name").replace("_", " "), no_wrap=True)
    drawn.add_column("calls", justify="right")
    for column in table.columns:
        drawn.add_column(column.heading, justify="right")
    for row in table.rows:
        drawn.add_row(*_cells(row, table))
    return drawn


def _cells(row: Row, table: Table) -> list[str]:
    values = [amount(row.kpis[column.kpi], column.unit) for column in table.columns]
    return [*row.labels.values(), f"{row.events:,.0f}", *values]


def diagnosis(document: Diagnosis) -> RenderableType:
    """The verdict, its evidence and where to look next."""
    match document.verdict:
        case Verdict.REGRESSION:
            return _regression(document)
        case Verdict.SYMPTOM:
            return _symptom(document)
        case Verdict.HEALTHY:
            return Group(Text("Nothing got worse in this window.", style="bold green"), _others(document))
        case _:
            return Text("No tasks in this window. Is telemetry arriving? Try a longer --since.", style="bold yellow")


def _symptom(document: Diagnosis) -> RenderableType:
    first = document.evidence[0]
    names = {_SUBJECTS.get(key, key): value for key, value in first.subject.items()}
    lines = [f"[bold]{key:<9}[/] {value}" for key, value in names.items()]
    lines.append(f"[bold]{'what':<9}[/] {first.title.lower()} got worse; [bold yellow]no version change explains it[/]")
    if first.since:
        lines.append(f"[bold]{'since':<9}[/] {clock(first.since)} ({_ago(document.window_end - first.since)} ago)")
    if document.trace:
        lines.append(f"[bold]{'trace':<9}[/] {document.trace.url or document.trace.trace_id}")
    head = Panel("\n".join(lines), title="[bold yellow]no version to blame", expand=False, border_style="yellow")
    return Group(head, _evidence("Evidence: before against after", document.evidence), _others(document))


def _regression(document: Diagnosis) -> RenderableType:
    culprit = document.culprit
    if culprit is None:  # pragma: no cover - the model has one whenever the verdict is a regression
        raise ValueError("a regression without a culprit")
    names = {
        "where": culprit.environment,
        "agent": ", ".join(culprit.agents),
        "tool": culprit.tool,
        "workflow": culprit.workflow,
        "prompt": culprit.prompt,
    }
    lines = [f"[bold]{key:<9}[/] {value}" for key, value in names.items() if value]
    change = f"the [bold red]{culprit.dimension}[/] changed from {culprit.previous} to [bold red]{culprit.version}[/]"
    ago = _ago(document.window_end - culprit.since)
    lines += [f"[bold]{'why':<9}[/] {change}", f"[bold]{'since':<9}[/] {clock(culprit.since)} ({ago} ago)"]
    if document.trace:
        lines.append(f"[bold]{'trace':<9}[/] {document.trace.url or document.trace.trace_id}")
    head = Panel("\n".join(lines), title="[bold red]regression", expand=False, border_style="red")
    parts = [head, _evidence("Evidence: old version against new", document.evidence)]
    if document.impact:
        parts.append(_evidence("All tasks, before and after", document.impact))
    return Group(*parts, _others(document))


def _ago(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _evidence(title: str, rows: list[Evidence]) -> RenderableType:
    table = RichTable(title=title, title_justify="left", title_style="bold", header_style="cyan")
    for heading in ("KPI", "before", "after", "events", "standard errors"):
        table.add_column(heading, justify="left" if heading == "KPI" else "right")
    for row in rows:
        events = f"{row.before.events:,.0f} / {row.after.events:,.0f}"
        before, after = amount(row.before.value, row.unit), amount(row.after.value, row.unit)
        title = " · ".join([row.title, *(value for key, value in row.subject.items() if key != Label.ENVIRONMENT)])
        table.add_row(title, before, after, events, f"{row.z:+.1f}")
    return table


def _others(document: Diagnosis) -> RenderableType:
    if not document.other_changes:
        return Text("No other version changed in this window.", style="dim")
    return Group(Text("Other versions that changed:", style="bold"), *(_other(c) for c in document.other_changes))


def _other(change: Change) -> Text:
    worst = change.worst[0] if change.worst else None
    effect = (
        f"{worst.title} {amount(worst.before.value, worst.unit)} -> {amount(worst.after.value, worst.unit)}"
        if worst
        else "nothing got worse with it"
    )
    return Text(
        f"  {change.environment}: {change.dimension} of {change.entity} {change.previous} -> {change.version}"
        f" at {clock(change.since)}; {effect}"
    )


def error_console() -> Console:
    """Console for errors and progress, so that standard output stays parseable."""
    return Console(stderr=True)
