"""What a person sees of traces and lines on a terminal. Every name in them is text, whatever it holds."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from agentobs.contract import Attr
from collector.search import LogLine, Span, Trace
from stacks.cli import safe

_SEVERE: Final = {"WARN": "yellow", "ERROR": "bold red", "FATAL": "bold red"}
# What tells a step apart, in the order in which a person asks.
_SAYING: Final[Mapping[Attr, str]] = {
    Attr.AGENT_NAME: "agent", Attr.TOOL_NAME: "tool", Attr.TOOL_VERSION: "tool version", Attr.PROMPT_VERSION: "prompt",
    Attr.REQUEST_MODEL: "model", Attr.GRAPH_VERSION: "graph", Attr.TASK_OUTCOME: "outcome", Attr.RETRY_ATTEMPT: "retry",
    Attr.ERROR_TYPE: "error",
}  # fmt: skip
_SAID: Final = 200
_BELOW: Final = " " * 8
"""Before further lines of a text: a line of ours begins with its time."""


def traces(found: Sequence[Trace], link: str) -> RenderableType:
    """A table, newest first; the id of a trace completes `link`, which may be empty."""
    table = _table("began, UTC", "trace", "took", "what")
    for row in found:
        style = f"link {link}{row.trace_id}" if link and row.trace_id.isalnum() else ""
        what = safe.text(row.name or "(no root yet)").append_text(safe.text(f" {row.service}", style="dim"))
        table.add_row(moment(row.start)[:-1], safe.text(row.trace_id, style=style), took(row.duration_s), what)
    return Group(table, Text("agentobs traces TRACE shows one as a tree", style="dim"))


def tree(spans: Sequence[Span]) -> RenderableType:
    """Steps below their callers, in the order in which they began; a step whose caller is missing is at the top."""
    known = {span.span_id for span in spans}
    called: defaultdict[str, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda each: each.start):
        below = span.parent_id if span.parent_id in known and span.parent_id != span.span_id else ""
        called[below].append(span)
    first = min(spans, key=lambda each: each.start)
    failed = sum(span.failed for span in spans)
    head = f"trace {first.trace_id}, {moment(first.start)}, {len(spans)} steps, {failed} failed"
    top = Tree(safe.text(head, style="bold"), guide_style="dim")

    # A chain of steps may be longer than Python's stack.
    waiting = [(top, "")]
    while waiting:
        branch, parent = waiting.pop()
        waiting += [(branch.add(_step(span)), span.span_id) for span in called.pop(parent, [])]
    return top


def _step(span: Span) -> Text:
    line = safe.text(span.name, style="bold red" if span.failed else "")
    line.append(f"  {took(span.duration_s)}", style="dim").append("  failed" if span.failed else "", style="bold red")
    for label, value in _saying(span):
        line.append(f"  {label} ", style="dim").append_text(safe.text(value))
    if span.message:
        line.append("  said ", style="dim").append_text(safe.text(_short(span.message)))
    return line


def _short(text: str) -> str:
    """One line of it: what a program said may be a whole stack trace."""
    line = " ".join(text.split())
    return line if len(line) <= _SAID else f"{line[: _SAID - 1]}…"


def _saying(span: Span) -> Iterator[tuple[str, str]]:
    for key, label in _SAYING.items():
        value = str(span.attributes.get(key, ""))
        if value not in {"", "0", "None"}:
            yield label, value


def lines(found: Sequence[LogLine]) -> RenderableType:
    """One after the other, newest first; an event that has no text is shown by its name."""
    return Group(*(_line(line) for line in found))


def _line(line: LogLine) -> Text:
    level = line.severity.upper()
    style = next((colour for name, colour in _SEVERE.items() if level.startswith(name)), "")
    shown = Text(moment(line.at), style="dim").append_text(safe.text(f" {level:<5} ", style=style))
    shown.append_text(safe.text(line.attributes.get(Attr.AGENT_NAME) or line.service, style="bold"))
    shown.append("  ").append_text(safe.lines(line.text or _event(line), indent=_BELOW))
    return shown.append_text(safe.text(f"  {line.trace_id}", style="dim")) if line.trace_id else shown


def _event(line: LogLine) -> str:
    own = (
        f"{key}={value}"
        for key, value in sorted(line.attributes.items())
        if key.startswith(("gen_ai.eval", "agentic."))
    )
    return " ".join([line.event, *own])


def counted(found: Sequence[LogLine], by: str) -> RenderableType:
    """How many of the lines have which value of an attribute."""
    counts = Counter(line.attributes.get(by, "") for line in found)
    table = _table(by, "lines")
    for value, count in counts.most_common():
        table.add_row(safe.text(value or "(none)"), f"{count:,}")
    return Group(
        table, Text(f"of the newest {len(found):,} lines, since {moment(min(f.at for f in found))}", style="dim")
    )


def _table(*headings: str) -> Table:
    table = Table(header_style="cyan", box=None)
    for heading in headings:
        table.add_column(safe.text(heading), overflow="fold", no_wrap=heading != "what")
    return table


def moment(at: float) -> str:
    """A moment with its date and zone; of a clock that is far off, the seconds that it says."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{at:.0f} s "


def took(duration_s: float) -> str:
    """A duration as short as it can be said."""
    if duration_s < 1:
        return f"{duration_s * 1000:.0f} ms"
    return f"{duration_s:.2f} s" if duration_s < 60 else f"{duration_s / 60:.1f} min"  # noqa: PLR2004 seconds a minute
