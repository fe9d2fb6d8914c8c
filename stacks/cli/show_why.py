"""What a person sees of a diagnosis, on a terminal: the verdict, its evidence, its rivals, what to do."""

from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from agentobs.contract import ABSENT, Label
from alerts.catalogue import MIN_EVENTS
from runbooks import wording
from runbooks.why import text, words
from runbooks.why.document import Change, Diagnosis, Evidence, Hypothesis, Origin, Status, TraceLink, Verdict
from stacks.cli import safe

_PERCENT: Final = 100
_SUBJECTS: Final[dict[str, str]] = {Label.ENVIRONMENT: "where", Label.AGENT: "agent", Label.TOOL: "tool"}
_WIDTH: Final = 9


def diagnosis(document: Diagnosis) -> RenderableType:
    """The verdict, its evidence and where to look next."""
    match document.verdict:
        case Verdict.HEALTHY:
            head = Text(text.NAMELESS[document.verdict], style="bold green")
            return Group(head, *map(safe.text, document.notes), _others(document))
        case Verdict.NOT_ENOUGH_DATA:
            head = Text(text.NAMELESS[document.verdict], style="bold yellow")
            return Group(head, *map(safe.text, document.notes), *_undecided(document), _others(document))
        case Verdict.NO_DATA:
            head = Text(text.NAMELESS[document.verdict], style="bold yellow")
            return Group(head, *map(safe.text, document.notes))
        case _:
            return _found(document)


_HEADS: Final = {
    Verdict.REGRESSION: ("red", "regression"),
    Verdict.SYMPTOM: ("yellow", "no version to blame"),
    Verdict.NEWCOMER: ("red", "new, and failing"),
    Verdict.ONE_OF_THESE: ("yellow", "one of these"),
    Verdict.RESOLVED: ("green", "resolved"),
}


def _found(document: Diagnosis) -> RenderableType:
    first, *others = document.hypotheses
    head = _head(document)
    sides = "old version against new" if first.culprit else "before against after"
    parts: list[RenderableType] = [head, *_apart(first), *_warnings(document)]
    parts += [*_further(document, others), _evidence(f"Evidence: {sides}", first.evidence)]
    if document.impact:
        parts.append(_evidence("All tasks, before and after", document.impact))
    parts.append(_list("Why this is believed", first.reasons))
    rivals = [one for one in others if one.incident == first.incident]
    parts += [_carriers(document), *_history(document), _rivals(rivals), _list("What usually mends it", first.fixes)]
    return Group(*parts, *map(safe.text, document.notes), *_undecided(document), _others(document))


def answer(document: Diagnosis) -> RenderableType:
    """The answer alone: what broke, since when, and the first thing to do."""
    if not document.hypotheses:
        return diagnosis(document)
    return Group(_head(document), safe.text(f"What mends it: {document.hypotheses[0].fixes[0]}"))


def _head(document: Diagnosis) -> RenderableType:
    first = document.hypotheses[0]
    style, title = _HEADS[document.verdict]
    lines = [*_lines(first), *_when(document, first)]
    return Panel(Text("\n").join(lines), title=Text(title, f"bold {style}"), expand=False, border_style=style)


def _apart(first: Hypothesis) -> list[RenderableType]:
    """Where the data cannot decide: which two, and what would."""
    if not first.inseparable_from:
        return []
    return [
        safe.text(f"One of these two: {first.title}; or {'; or '.join(first.inseparable_from)}.", "bold yellow"),
        *(safe.text(f"  {line}") for line in first.tells_apart),
    ]


def _further(document: Diagnosis, others: list[Hypothesis]) -> list[RenderableType]:
    """Other incidents, each in a line with its own first fix."""
    firsts = {one.incident: one for one in reversed(document.hypotheses)}
    mine = [one for one in others if firsts[one.incident] is one and one.incident != document.hypotheses[0].incident]
    if not mine:
        return []
    lines: list[Text] = []
    for one in mine:
        lines += [safe.text(f"  {text.titled(document, one)}, {text.state(one)}; {words.sure(one.confidence)} sure")]
        lines += [safe.text(f"     {one.fixes[0]}", "dim")]
    return [Text("Also true, with causes of their own", style="bold"), *lines]


def _line(key: str, *parts: str | Text) -> Text:
    """A name and what it is; names from telemetry are text."""
    line = Text(f"{safe.plain(key):<{_WIDTH}}", style="bold")
    return Text.assemble(line, " ", *(part if isinstance(part, Text) else safe.text(part) for part in parts))


def _lines(first: Hypothesis) -> list[Text]:
    culprit = first.culprit
    if culprit is None:
        shown = {**first.evidence[0].subject, **first.subject}
        where = [_line(_SUBJECTS.get(key, key), value) for key, value in shown.items()]
        if first.origin is Origin.NEW:
            return [*where, _line("what", first.title)]
        worse = f"{first.evidence[0].title.lower()} got worse"
        named = first.origin is Origin.UNVERSIONED and len(first.subject) > 1
        what = (f"{worse if named else first.title}; ", Text("no version change explains it", "bold yellow"))
        return [*where, _line("what", *what)]
    names = {
        "where": culprit.environment,
        "agent": ", ".join(culprit.agents),
        "tool": culprit.tool,
        "workflow": culprit.workflow,
        "prompt": culprit.prompt,
    }
    change = (
        "the ",
        safe.text(culprit.dimension, "bold red"),
        " is new, its first: " if culprit.previous == ABSENT else f" changed from {culprit.previous} to ",
        safe.text(culprit.version, "bold red"),
    )
    return [*(_line(key, value) for key, value in names.items() if value), _line("why", *change)]


def _when(document: Diagnosis, first: Hypothesis) -> list[Text]:
    lines = [_line("since", f"{wording.clock(first.since)} ({wording.ago(document.window_end - first.since)} ago)")]
    if first.until is not None:
        key = "back" if first.status is Status.TAKEN_BACK else "over"
        lines.append(_line(key, f"{wording.clock(first.until)} ({wording.ago(document.window_end - first.until)} ago)"))
    if spent := text.cost(first):
        lines.append(_line("cost", f"{spent} more than usual"))
    lines.append(_line("sure", words.sure(first.confidence)))
    if first.rollback and not first.inseparable_from:
        lines.append(_line("take back", first.rollback))
        lines += [_line("preview", first.preview)] if first.preview else []
    for key, traces in (("good", document.baseline_traces), ("trace", document.failing_traces)):
        lines += [_line(key, _link(trace)) for trace in traces[:1]]
    return lines


def _link(trace: TraceLink) -> str:
    return trace.url or trace.trace_id


def _warnings(document: Diagnosis) -> list[Text]:
    return [safe.text(f"Mind: {warning}", "bold yellow") for warning in document.warnings]


def _evidence(title: str, rows: list[Evidence]) -> RenderableType:
    table = _table(title, "KPI", "before", "after", "worse by (95 %)", "events", "p")
    for row in rows:
        events = f"{row.before.events:,.0f} / {row.after.events:,.0f}"
        before, after = wording.amount(row.before.value, row.unit), wording.amount(row.after.value, row.unit)
        before = before if row.before.events else f"promised {before}"
        name = " · ".join([row.title, *(value for key, value in row.subject.items() if key != Label.ENVIRONMENT)])
        table.add_row(safe.text(name), before, after, words.effect(row), events, words.chance(row.p))
    return table


def _table(title: str, *headings: str) -> RichTable:
    table = RichTable(title=title, title_justify="left", title_style="bold", header_style="cyan")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    return table


def _list(title: str, sentences: list[str]) -> RenderableType:
    return Group(
        Text(title, style="bold"), *(safe.text(f"  {number}. {line}") for number, line in enumerate(sentences, 1))
    )


def _carriers(document: Diagnosis) -> RenderableType:
    if len(document.contributions) < 2:  # noqa: PLR2004 one carries it all
        return Text("")
    shares = ", ".join(f"{one.name} {one.share * _PERCENT:.0f} %" for one in document.contributions)
    return safe.text(f"Who carries the excess: {shares}") if shares else Text("")


def _history(document: Diagnosis) -> list[RenderableType]:
    if not document.history:
        return []
    unit = document.evidence[0].unit
    table = _table("Its last versions", "version", "first seen", document.evidence[0].title, "events")
    for use in document.history:
        value = wording.amount(use.measured.value, unit) if use.measured else "-"
        events = f"{use.measured.events:,.0f}" if use.measured else "-"
        table.add_row(safe.text(use.version), wording.clock(use.first_seen), value, events)
    return [table]


def _rivals(rivals: list[Hypothesis]) -> RenderableType:
    if not rivals:
        return Text("No other explanation is worth naming.", style="dim")
    lines = [
        safe.text(f"  {words.sure(rival.confidence)}  {rival.title}, since {wording.clock(rival.since)}")
        for rival in rivals
    ]
    return Group(Text("Also possible", style="bold"), *lines)


def _undecided(document: Diagnosis) -> list[RenderableType]:
    if not document.undecided:
        return []
    table = _table("Looks worse, may be chance", "KPI", "before", "after", "events", "needed on each side")
    for one in document.undecided:
        row = one.evidence
        name = " · ".join([row.title, *(value for key, value in row.subject.items() if key != Label.ENVIRONMENT)])
        table.add_row(
            safe.text(name),
            wording.amount(row.before.value, row.unit),
            wording.amount(row.after.value, row.unit),
            f"{row.before.events:,.0f} / {row.after.events:,.0f}",
            f"{one.events_needed:,}",
        )
    return [table]


def _others(document: Diagnosis) -> RenderableType:
    if not document.other_changes:
        besides = " besides those that are named" if document.hypotheses else ""
        return Text(f"No other version changed in this window{besides}.", style="dim")
    left = document.other_changes_left
    more = [Text(f"  and {left} more")] if left else []
    return Group(Text("Other versions that changed:", style="bold"), *map(_other, document.other_changes), *more)


def _other(change: Change) -> Text:
    few = change.events is not None and change.events < MIN_EVENTS
    effect = f"{change.events:.0f} calls are too few to tell" if few else "nothing got worse with it"
    if change.worst:
        worst = change.worst[0]
        values = (wording.amount(side.value, worst.unit) for side in (worst.before, worst.after))
        effect = f"{worst.title} {' -> '.join(values)}, which may be chance"
    ended = f" until {wording.clock(change.until)}" if change.until is not None else ""
    return safe.text(
        f"  {change.environment}: {change.dimension} of {change.entity} {change.previous} -> {change.version}"
        f" at {wording.clock(change.since)}{ended}; {effect}"
    )
