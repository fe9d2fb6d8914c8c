"""A board as data: panels, what they ask, and where they lead. Grafana's JSON and the report are both made from it.

Queries name variables as Grafana does (`$environment`), because a board is read most often there. Not here: JSON
(`dashboards.lib.grafana`), HTML (`dashboards.report`), the boards themselves (`dashboards.boards`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from collector.search import LineSearch, SpanSearch
from collector.stores import LogKind, TraceKind

GRID_COLUMNS: Final = 24
_SLUG: Final = re.compile(r"[a-z][a-z0-9-]*")
_LONGEST_UID: Final = 40  # Grafana takes no longer one


class BoardError(ValueError):
    """A board that must not be shipped; the message names board, panel, what was expected and the fix."""


class Format(StrEnum):
    """How a value is written. The values are Grafana's unit ids."""

    SHARE = "percentunit"  # 0.97 is 97 %
    SECONDS = "s"
    USD = "currencyUSD"
    COUNT = "short"
    SCORE = "none"
    TIMES = "x"
    BYTES = "bytes"
    PER_SECOND = "cps"
    BYTES_PER_SECOND = "Bps"
    MOMENT = "dateTimeAsIso"  # milliseconds since 1970
    AGO = "dateTimeFromNow"  # milliseconds since 1970
    TEXT = "string"


class Colour(StrEnum):
    """Colours that say something; the rest is left to the palette."""

    GOOD = "green"
    WARNING = "orange"
    BAD = "red"
    NEUTRAL = "text"
    INFO = "blue"


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on it is `colour`; None is the start of the scale."""

    value: float | None
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Prom:
    """A PromQL query. `legend` is Grafana's, `{{label}}` for a label; `instant` asks for the end of the range only."""

    expr: str
    legend: str = ""
    instant: bool = False
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class LineQuery:
    """A search whose result are lines."""

    search: LineSearch


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """A search whose result are at most `limit` traces.

    `tags` is what a store is asked that finds only attributes of some value, as Jaeger; without it, of `search` what it
    can be asked.
    """

    search: SpanSearch
    tags: SpanSearch | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class TraceById:
    """One trace; `trace_id` is a variable."""

    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceGraph:
    """Who calls whom, from the series `traces_service_graph_*`. `where` are PromQL matchers with their braces.

    A store that writes no such series is asked for the calls in traces of `search`.
    """

    where: str = "{}"
    search: SpanSearch = field(default_factory=SpanSearch)


Query = Prom | LineQuery | TraceQuery | TraceById | ServiceGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardLink:
    """Leads to another board. `variables`: its variable -> label of the clicked series or row that gives the value.

    Environment, data sources and time range always go along.
    """

    title: str
    board: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlLink:
    """Leads out; `{label}` in `url` stands for a label of the clicked series or row."""

    title: str
    url: str


Link = BoardLink | UrlLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture that answers one question.

    `description` says what is shown and when to worry; `no_data` what it means that nothing is. `alerts` are names of
    alerts that watch it, whose runbooks it links. `width` is in columns of 24, `height` in rows of 30 pixels.
    `store` is the store that it is about: where another one is in use, it is left out.
    """

    title: str
    description: str
    no_data: str
    queries: tuple[Query, ...]
    format: Format = Format.COUNT
    width: int = 8
    height: int = 8
    steps: tuple[Step, ...] = ()
    links: tuple[Link, ...] = ()
    alerts: tuple[str, ...] = ()
    store: TraceKind | LogKind | None = None

    def __post_init__(self) -> None:
        if not (self.title and self.description and self.no_data):
            raise BoardError(f"panel {self.title!r}: expected a title, a description and the meaning of no data")
        if not 1 <= self.width <= GRID_COLUMNS:
            raise BoardError(f"panel {self.title!r}: {self.width} columns wide; fix: 1 to {GRID_COLUMNS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries(Panel):
    """Lines over time. With `steps`, the threshold of each is drawn as a dashed line."""

    stacked: bool = False
    minimum: float | None = 0
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat(Panel):
    """One number per series, coloured by `steps`, with its course behind it unless all queries are instant.

    A `label` shows that label's text instead of the value.
    """

    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: a label (`label`), or the value of the query at that place (`query`, from 0)."""

    title: str
    label: str | None = None
    query: int | None = None
    format: Format = Format.TEXT
    steps: tuple[Step, ...] = ()
    link: Link | None = None

    def __post_init__(self) -> None:
        if (self.label is None) == (self.query is None):
            raise BoardError(f"column {self.title!r}: expected a label or a query, one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Panel):
    """Instant queries side by side: one row per set of labels, joined on all labels of `columns`.

    `sort_by` is the title of a column. Rows that the first query lacks are kept, with gaps.
    """

    columns: tuple[Column, ...]
    sort_by: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap(Panel):
    """Cumulative `le` buckets over time, as counts per cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTimeline(Panel):
    """One bar per series; `states` maps a value to its word and colour. No sample leaves a gap."""

    states: Mapping[int, tuple[str, Colour]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogList(Panel):
    """Lines of logs, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceList(Panel):
    """Traces that a search found; each leads to its waterfall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView(Panel):
    """The waterfall of the trace whose id is in the query's variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGraph(Panel):
    """Who calls whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Panel):
    """Markdown; no query."""

    markdown: str
    queries: tuple[Query, ...] = ()


class VariableKind(StrEnum):
    """Where the values of a variable come from."""

    LABEL = "label"  # the values of `label` in `series`
    LIST = "list"  # `values`
    TEXT = "text"  # the reader types it


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top of a board. `where` narrows its values by variables before it.

    `all` offers All too, and several at once unless it is `single`.
    """

    name: str
    title: str
    kind: VariableKind = VariableKind.LABEL
    series: str = ""
    label: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    all: bool = True
    single: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board answers one question. `next` are the slugs of boards a reader goes to from here, `tags` find it."""

    slug: str
    title: str
    question: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    next: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _SLUG.fullmatch(self.slug):
            raise BoardError(f"board {self.slug!r}: expected a slug of lower-case letters, digits and -")
        if len(self.uid) > _LONGEST_UID:
            raise BoardError(
                f"board {self.slug!r}: its uid {self.uid} is longer than {_LONGEST_UID}; fix: a shorter slug"
            )
        titles = [panel.title for panel in self.panels()]
        twice = {title for title in titles if titles.count(title) > 1}
        if twice:
            raise BoardError(f"{self.slug}: panels of the same title: {', '.join(sorted(twice))}; fix: rename one")

    @property
    def uid(self) -> str:
        """The same in every Grafana, so that links and alerts find it."""
        return f"agentobs-{self.slug}"

    def panels(self) -> Iterator[Panel]:
        """All panels, from top to bottom."""
        for section in self.sections:
            yield from section.panels
