"""What a person sees of a telemetry check: one page, the few things that matter first; and the progress while it reads.

The page: what arrived, what to mend first, which KPIs are fed per agent, and the line that mends each gap.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from collector.check import NEEDS, OPTIONAL, VERDICTS, Fed, Gap, Group, Kind, Report, Service, Severity, framework
from runbooks.wording import clock
from stacks.cli import safe

_PERCENT: Final = 100
_PATIENCE_S: Final = 3
_FIRST: Final = 5
_ROWS: Final = 15
_NAMES: Final = 4
_NAME_WIDTH: Final = 18  # headings of numbers give way to names
_STYLES: Final = {Severity.REQUIRED: "bold red", Severity.PROBLEM: "bold yellow", Severity.RECOMMENDED: "dim"}
_WRONG: Final = tuple(Kind)[: list(Kind).index(Kind.UNTASKED)]  # numbers that are wrong although they are there
_GOOD, _FAIR = 90, 60
_BAD: Final = "bold red"
_LEGEND: Final = Text(
    "  yes: every call carries what it needs; 40 %: so many do; no: none does; -: nothing to carry it", "dim"
)
_COUNTS: Final = {
    "agent_runs": "agent\nruns",
    "tasks": "tasks",
    "model_calls": "model\ncalls",
    "tool_calls": "tool\ncalls",
    "served": "served",
    "verdicts": "verdicts",
    "unread": "unread",
}


def report(document: Report, link: str, *, everything: bool = False) -> RenderableType:
    """The page; the id of a trace completes `link`, which may be empty. `everything` leaves nothing out."""
    worth = [group for group in document.groups if not _is_minor(group)]
    first = worth if everything else worth[:_FIRST]
    parts: list[RenderableType] = [_head(document, worth, link)]
    if document.services:
        parts += [_title("What arrived"), _arrived(document.services)]
    if worth:
        parts += [_title("Mend first"), *_first(first, worth[len(first) :], link)]
    if document.fed:
        parts += [_title("Which KPIs are fed"), _LEGEND, *_fed(document.fed, everything=everything)]
    if document.gaps:
        parts += [_title("How to feed the rest"), _gaps(document.gaps, first)]
    if document.fed:
        parts += _optional(document)
    parts += _good(document, worth)
    return Lines(*parts)


def _is_minor(group: Group) -> bool:
    return group.severity is Severity.RECOMMENDED and group.kind is Kind.MISSING


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold cyan")


def _head(document: Report, worth: Sequence[Group], link: str) -> Text:
    where = document.environment or "all environments"
    text = safe.text(f"Telemetry of {where}, {clock(document.window_start)} to {clock(document.window_end)}", "bold")
    if not link and not document.traces:
        return text.append("\nOnly series, no traces; name their store with --tempo or --jaeger URL.", "not bold dim")
    looked = f"{_many(document.spans, 'span')} in {_many(document.traces, 'trace')} looked at"
    text.append(f"\n{looked}", "not bold dim")
    if link:
        text.append_text(safe.text(f"; the page of a trace: {link}ID", "not bold dim"))
    if document.score is not None:
        style = "green" if document.score >= _GOOD else "yellow" if document.score >= _FAIR else "red"
        text.append("\nScore ", "bold").append(f"{document.score} of 100", f"bold {style}")
        text.append(": how much of what the KPIs need is there", "not bold")
        wrong = sum(group.kind in _WRONG for group in worth)
        if wrong:
            text.append(f"; and numbers are wrong, for {wrong} reason{'s' * (wrong > 1)} below", "not bold")
    return text


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _arrived(services: Sequence[Service]) -> Table:
    table = _columns("service", [service.name for service in services])
    shown = {key: heading for key, heading in _COUNTS.items() if any(getattr(each, key) for each in services)}
    for heading in ("agents", *shown.values()):
        table.add_column(heading, justify="right", vertical="bottom")
    for service in services:
        counts = {key: getattr(service, key) for key in shown}
        cells = (Text(f"{count:,}" if count else "-", _BAD if key == "unread" and count else "dim" * (not count))
                 for key, count in counts.items())  # fmt: skip
        table.add_row(safe.text(f"  {service.name}"), str(len(service.agents) or "-"), *cells)
    return table


def _columns(heading: str, names: Iterable[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="", pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    narrow = min(_NAME_WIDTH, max(map(len, names), default=0) + 2)
    table.add_column(f"  {heading}", overflow="fold", vertical="bottom", min_width=narrow)
    return table


def _first(first: Sequence[Group], rest: Sequence[Group], link: str) -> Iterator[RenderableType]:
    for number, group in enumerate(first, start=1):
        yield _finding(number, group, link)
    if rest:
        yield Text(f"  and {len(rest)} more (--all shows how to mend them):", style="dim")
        for group in rest:
            yield Padding(safe.text(f"{_amount(group)}{group.what}", "dim"), (0, 0, 0, 5))


def _finding(number: int, group: Group, link: str) -> RenderableType:
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(style="bold", no_wrap=True)
    head.add_column(no_wrap=True)
    head.add_column(style="bold", overflow="fold")
    word = Text(group.severity, _STYLES[group.severity])
    head.add_row(f"  {number}", word, safe.text(f"{_amount(group)}{group.what}"))
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    lines.add_row("who", safe.text(_who(group)))
    lines.add_row("breaks", safe.text(group.breaks))
    lines.add_row("mend", safe.text(group.fix, "green"))
    if group.trace_id:
        lines.add_row("see", _example(group, link))
    return Lines(head, Padding(lines, (0, 0, 1, 5)))


def _amount(group: Group) -> str:
    if group.kind is Kind.EXPLODING:
        return f"{group.count:,} values: "
    return f"{group.count:,} of {group.of:,}: " if group.of else f"{group.count:,}: "


def _who(group: Group) -> str:
    agents = f"; agent{'s' * (len(group.agents) > 1)} {_listed(group.agents)}" if group.agents else ""
    named = [f"{framework(scope)} (scope {scope})" if framework(scope) else f"scope {scope}" for scope in group.scopes]
    return f"{_listed(group.services)}{agents}" + (f"; by {_listed(named)}" if named else "")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _example(group: Group, link: str) -> Text:
    style = f"link {link}{group.trace_id}" if link and group.trace_id.isalnum() else ""
    text = safe.text(f"span {group.example} of " if group.example else "")
    return text.append_text(safe.text(f"trace {group.trace_id}", style))


def _fed(rows: Sequence[Fed], *, everything: bool) -> Iterator[RenderableType]:
    """Two tables: what belongs to a program, and what belongs to an agent."""
    keys = {need.key for need in NEEDS if need.of_service}
    whole = [(row.service, {key: share for key, share in row.fed.items() if key in keys}) for row in rows]
    yield _matrix("service", [(name, fed) for name, fed in whole if fed])
    several = len({row.service for row in rows}) > 1
    single = [(_named(row, several=several), {k: v for k, v in row.fed.items() if k not in keys}) for row in rows]
    shown = [(name, fed) for name, fed in single if fed]
    most = len(shown) if everything else _ROWS
    if shown:
        yield Text()
        yield _matrix("agent", shown[:most])
    if len(shown) > most:
        yield Text(f"  and {len(shown) - most} more agents (--all)", style="dim")


def _named(row: Fed, *, several: bool) -> str:
    name = (row.agent or "(no agent)") + (f" ({row.names} names)" if row.names > 1 else "")
    return f"{name} of {row.service}" if several else name


def _matrix(heading: str, rows: Sequence[tuple[str, dict[str, float]]]) -> Table:
    table = _columns(heading, [name for name, _ in rows])
    needs = [need for need in NEEDS if any(need.key in fed for _, fed in rows)]
    for need in needs:
        table.add_column(need.heading, justify="right", vertical="bottom")
    for name, fed in rows:
        table.add_row(safe.text(f"  {name}"), *(_share(fed.get(need.key)) for need in needs))
    return table


def _share(share: float | None) -> Text:
    match share:
        case None:
            return Text("-", "dim")
        case 1.0:
            return Text("yes", "green")
        case 0.0:
            return Text("no", _BAD)
        case _:
            return Text(f"{min(99, max(1, round(share * _PERCENT)))} %", "yellow")


def _gaps(gaps: Iterable[Gap], first: Sequence[Group]) -> Table:
    """A line per column that is not full; what stands above is not said again."""
    numbers = {group.subject: number for number, group in enumerate(first, start=1)}
    lines = _pairs()
    for gap in gaps:
        above = next((numbers[attribute] for attribute in gap.attributes if attribute in numbers), None)
        if above:
            lines.add_row(f"  {gap.heading}", f"see {above} above")
            continue
        who = _listed(gap.agents) if gap.agents else _listed(gap.services)
        text = safe.text(f"{who}: ").append_text(safe.text(gap.fix, "green"))
        lines.add_row(f"  {gap.heading}", text.append_text(Text("\n").append_text(safe.text(gap.kpis, "dim"))))
    return lines


def _pairs() -> Table:
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(style="bold", no_wrap=True)
    lines.add_column(overflow="fold")
    return lines


def _optional(document: Report) -> Iterator[RenderableType]:
    """What only the application can say, on top: KPIs by the line that feeds them."""
    minor = {group.subject: group.fix for group in document.groups if _is_minor(group)}
    kpis: dict[str, list[str]] = {}
    for attribute, title in OPTIONAL.items():
        if attribute in minor:
            kpis.setdefault(minor[attribute].partition(";")[0], []).append(title)
    if not any(service.verdicts for service in document.services):
        kpis["emit.evaluation(name, passed=..., source=...)"] = [VERDICTS]
    if not kpis:
        return
    yield _title("Optional, and not sent on every span")
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(style="green", no_wrap=True)  # to be copied
    lines.add_column(overflow="fold")
    for line, titles in kpis.items():
        lines.add_row(safe.text(f"  {line}"), ", ".join(dict.fromkeys(titles)))
    yield lines
    rest = [attribute for attribute in minor if attribute not in OPTIONAL]
    if rest:
        yield Padding(safe.text(f"for searches: {', '.join(rest)}", "dim"), (0, 0, 0, 2))


def _good(document: Report, worth: Sequence[Group]) -> list[RenderableType]:
    bad = {service for group in worth for service in group.services}
    fine = [service for service in document.services if service.name not in bad]
    made: list[RenderableType] = []
    if good := sorted(service.name for service in fine if service.spans):
        made.append(Text("\n").append_text(safe.text(f"all good: {', '.join(good)}", "bold green")))
    if unseen := sorted(service.name for service in fine if not service.spans):
        told = f"counted, but none of its spans was found; look further back with --since: {', '.join(unseen)}"
        made.append(Text("\n").append_text(safe.text(told, "yellow")))
    if made:
        return made
    return [] if worth or document.services else [Text("\nall good", style="bold green")]
