"""What a person sees of a diagnosis, on a terminal: the verdict, its evidence, its rivals, what to do."""

from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from alerts.catalogue import MIN_EVENTS
from collector.signals import Label
from runbooks import wording
from runbooks.report import Change, Diagnosis, Evidence, Hypothesis, TraceLink, Verdict
from stacks.cli import safe

_PERCENT: Final = 100
_SUBJECTS: Final[dict[str, str]] = {Label.ENVIRONMENT: "where", Label.AGENT: "agent", Label.TOOL: "tool"}
_WIDTH: Final = 9


def diagnosis(document: Diagnosis) -> RenderableType:
    """The verdict, its evidence and where to look next."""
    match document.verdict:
        case Verdict.REGRESSION | Verdict.SYMPTOM:
            return _found(document)
        case Verdict.HEALTHY:
            return Group(Text("Nothing got worse in this window.", style="bold green"), _others(document))
        case Verdict.NOT_ENOUGH_DATA:
            head = Text("Not enough data to tell.", style="bold yellow")
            return Group(head, *_undecided(document), _others(document))
        case _:
            return Text("No tasks in this window. Is telemetry arriving? Try a longer --since.", style="bold yellow")


def _found(document: Diagnosis) -> RenderableType:
    first, *rivals = document.hypotheses
    blamed = document.culprit is not None
    style, title = ("red", "regression") if blamed else ("yellow", "no version to blame")
    lines = [*(_culprit(document) if blamed else _symptom(document, first)), *_when(document, first)]
    head = Panel(Text("\n").join(lines), title=f"[bold {style}]{title}", expand=False, border_style=style)
    sides = "old version against new" if blamed else "before against after"
    parts: list[RenderableType] = [head, *_warnings(document), _evidence(f"Evidence: {sides}", document.evidence)]
    if document.impact:
        parts.append(_evidence("All tasks, before and after", document.impact))
    parts.append(_list("Why this is believed", first.reasons))
    parts += [_carriers(document), *_history(document), _rivals(rivals), _list("What usually mends it", first.fixes)]
    return Group(*parts, *_undecided(document), _others(document))


def _line(key: str, *parts: str | Text) -> Text:
    """A name and what it is; names from telemetry are text."""
    line = Text(f"{safe.plain(key):<{_WIDTH}}", style="bold")
    return Text.assemble(line, " ", *(part if isinstance(part, Text) else safe.text(part) for part in parts))


def _culprit(document: Diagnosis) -> list[Text]:
    culprit = document.culprit
    if culprit is None:  # pragma: no cover - asked only where there is one
        raise ValueError("a regression without a culprit")
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
        f" changed from {culprit.previous} to ",
        safe.text(culprit.version, "bold red"),
    )
    return [*(_line(key, value) for key, value in names.items() if value), _line("why", *change)]


def _symptom(document: Diagnosis, first: Hypothesis) -> list[Text]:
    shown = {**first.subject, **document.evidence[0].subject}
    what = (f"{document.evidence[0].title.lower()} got worse; ", Text("no version change explains it", "bold yellow"))
    return [*(_line(_SUBJECTS.get(key, key), value) for key, value in shown.items()), _line("what", *what)]


def _when(document: Diagnosis, first: Hypothesis) -> list[Text]:
    lines = [
        _line("since", f"{wording.clock(first.since)} ({wording.ago(document.window_end - first.since)} ago)"),
        _line("sure", wording.sure(first.confidence)),
    ]
    if first.inseparable_from:
        lines.append(_line("or", "; ".join(first.inseparable_from), " (these data cannot tell)"))
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
        name = " · ".join([row.title, *(value for key, value in row.subject.items() if key != Label.ENVIRONMENT)])
        table.add_row(safe.text(name), before, after, wording.effect(row), events, wording.chance(row.p))
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
        safe.text(f"  {wording.sure(rival.confidence)}  {rival.title}, since {wording.clock(rival.since)}")
        for rival in rivals
    ]
    return Group(Text("Also true, or true instead", style="bold"), *lines)


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
        return Text("No other version changed in this window.", style="dim")
    return Group(Text("Other versions that changed:", style="bold"), *(_other(c) for c in document.other_changes))


def _other(change: Change) -> Text:
    worst = change.worst[0] if change.worst else None
    before, after = (
        (wording.amount(worst.before.value, worst.unit), wording.amount(worst.after.value, worst.unit))
        if worst
        else ("", "")
    )
    few = change.events is not None and change.events < MIN_EVENTS
    nothing = f"{change.events:.0f} calls are too few to tell" if few else "nothing got worse with it"
    effect = f"{worst.title} {before} -> {after}" if worst else nothing
    return safe.text(
        f"  {change.environment}: {change.dimension} of {change.entity} {change.previous} -> {change.version}"
        f" at {wording.clock(change.since)}; {effect}"
    )
