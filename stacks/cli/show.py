"""What a person sees: the status tables, on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from runbooks import wording
from runbooks.status import Row, Status, Table
from stacks.cli import safe


def status(document: Status) -> RenderableType:
    """All status tables."""
    span = f"{wording.clock(document.window_start)} to {wording.clock(document.window_end)}"
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


def _cells(row: Row, table: Table) -> list[str | Text]:
    values = [wording.amount(row.kpis[column.kpi], column.unit) for column in table.columns]
    return [*map(safe.text, row.labels.values()), f"{row.events:,.0f}", *values]


def failure(error: Exception) -> Text:
    """An error as it is said: text, not markup, for what others named may stand in it."""
    return Text.assemble(("error:", "bold red"), " ", safe.lines(error, indent="  "))


def error_console() -> safe.Console:
    """Console for errors and progress, so that standard output stays parseable."""
    return safe.Console(stderr=True)
