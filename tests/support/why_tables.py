"""Tables of counts written down by hand, to ask the arithmetic of `why` without any store."""

from collections.abc import Sequence

import numpy as np

from agentobs.contract import Label
from alerts.catalogue import DIMENSIONS, TOOL_SUCCESS, Direction, Kpi
from runbooks.why import findings
from runbooks.why.changes import VersionChange
from runbooks.why.document import Hypothesis
from runbooks.why.examination import Examination, explain
from runbooks.why.newcomers import Newcomer
from runbooks.why.places import Place, kind_of, labels_of
from runbooks.why.spans import Segment, Span
from runbooks.why.tables import Table

COLUMNS, WIDTH, MIDDLE = 40, 60.0, 20
SPAN = Span("prod", (Segment(0.0, WIDTH, COLUMNS),))
DIMENSION = {dimension.key: dimension for dimension in DIMENSIONS}
Row = tuple[dict[str, str], list[tuple[float, float]]]
"""Labels, and for each column bad events and events."""


def change(
    dimension: str, *entity: str, column: float = MIDDLE, until: float | None = None, later: tuple[str, ...] = ()
) -> VersionChange:
    """Version 1 becomes 2 at a column, until another one."""
    return VersionChange(
        dimension=DIMENSION[dimension],
        entity=("prod", *entity),
        version="2",
        previous="1",
        since=column * WIDTH,
        until=until * WIDTH if until is not None else None,
        later=later,
    )


def row(bad: float, start: int = 0, end: int = COLUMNS, events: int = 20, **labels: str) -> Row:
    """Events from column to column of which a share is bad, evenly."""
    return labels, [(round(events * bad), events) if start <= at < end else (0, 0) for at in range(COLUMNS)]


def table(kpi: Kpi, name: str, *rows: Row) -> Table:
    """A KPI of a place."""
    bad = np.array([[float(count) for count, _ in cells] for _, cells in rows])
    events = np.array([[float(count) for _, count in cells] for _, cells in rows])
    higher = kpi.direction is Direction.HIGHER_IS_BETTER
    absent = dict.fromkeys(labels_of(kpi), "none")
    return Table(
        kpi=kpi,
        place=Place("prod", kind_of(kpi), name),
        span=SPAN,
        rows=tuple({**absent, **{Label(key): value for key, value in labels.items()}} for labels, _ in rows),
        bad=bad,
        events=events,
        above=events - bad if higher else bad,
        below=events,
    )


def tool(name: str, *rows: Row, kpi: Kpi = TOOL_SUCCESS) -> Table:
    """A KPI of a tool that the executor calls, where a row does not name another agent."""
    return table(
        kpi, name, *((({"tool_name": name, "agent_name": "executor"} | labels), cells) for labels, cells in rows)
    )


def replaced(bad: float, column: int = MIDDLE, events: int = 20, **labels: str) -> list[Row]:
    """Version 1 of a tool until a column, version 2 from there on with a share of bad events."""
    return [
        row(0.05, 0, column, events=events, tool_version="1", **labels),
        row(bad, column, events=events, tool_version="2", **labels),
    ]


def examined(tables: list[Table], *changes: VersionChange, came: Sequence[Newcomer] = ()) -> Examination:
    """The tables, explained."""
    return explain(SPAN, tables, changes, came)


def told(tables: list[Table], *changes: VersionChange, came: Sequence[Newcomer] = ()) -> list[Hypothesis]:
    """What is said of each incident."""
    found = examined(tables, *changes, came=came)
    return [
        findings.find(found, number, incident, float(SPAN.edges[incident.explanation.first])).document
        for number, incident in enumerate(found.incidents)
    ]
