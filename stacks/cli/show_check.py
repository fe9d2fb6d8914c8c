"""What a person sees of a telemetry check: one table of findings per service, and the progress while it reads."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from collector.check import COLLECTOR, Finding, Kind, Report, Severity
from runbooks.wording import clock
from stacks.cli import safe
from stacks.cli.show import error_console
from stacks.cli.telemetry import Progress as Tell

_PERCENT: Final = 100
_PATIENCE_S: Final = 3
_STYLES: Final = {Severity.REQUIRED: "bold red", Severity.PROBLEM: "bold yellow", Severity.RECOMMENDED: "dim"}


@contextmanager
def progress() -> Iterator[Tell]:
    """A bar on standard error, once reading takes longer than a moment."""
    bar = Progress(
        TextColumn("reading traces"), BarColumn(), MofNCompleteColumn(), console=error_console(), transient=True
    )
    task, began = bar.add_task("traces", total=None), time.monotonic()

    def tell(done: int, total: int) -> None:
        if not bar.live.is_started and time.monotonic() - began > _PATIENCE_S:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield tell
    finally:
        bar.stop()


def report(document: Report, link: str) -> RenderableType:
    """All findings by service, worst first; the id of a trace completes `link`, which may be empty."""
    looked = f"{clock(document.window_start)} to {clock(document.window_end)}"
    if not link and not document.traces:
        looked += ": only series, no traces; name their store with --tempo or --jaeger URL"
    else:
        looked += f": {document.spans:,} spans in {document.traces:,} traces"
        looked += f"; one of them: {link}ID" if link else ""
    heads = {service.name: f"{service.name} ({service.spans:,} spans)" for service in document.services}
    by_service: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in document.findings:
        by_service[finding.service].append(finding)
    tables = [_table(heads.get(name, name), found, link) for name, found in by_service.items()]
    good = sorted(heads.keys() - by_service.keys())
    parts: list[RenderableType] = [Text(looked, style="dim"), *tables]
    if not tables and not good:
        parts.append(Text("all good", style="bold green"))
    if good:
        parts.append(safe.text(f"all good: {', '.join(good)}", "bold green"))
    return Group(*parts)


def _table(title: str, found: list[Finding], link: str) -> Table:
    table = Table(
        title=safe.text(title), title_justify="left", title_style="bold", header_style="cyan", show_lines=True
    )
    for heading in ("", "agent", "what", "how much", "how to mend it"):
        table.add_column(heading, no_wrap=heading == "agent", overflow="fold")
    worth = [finding for finding in found if not _is_minor(finding)]
    for finding in worth:
        word = Text(finding.severity, style=_STYLES[finding.severity])
        # Text, not markup: names come from outside.
        table.add_row(
            word, safe.text(finding.agent or "-"), _what(finding, link), _amount(finding), safe.text(finding.fix)
        )
    minor = dict.fromkeys(finding.subject for finding in found if _is_minor(finding))
    if minor:
        word = Text(Severity.RECOMMENDED, style=_STYLES[Severity.RECOMMENDED])
        table.add_row(word, "", f"absent on some spans: {', '.join(minor)}", "", "see collector/README.md, or --json")
    return table


def _is_minor(finding: Finding) -> bool:
    return finding.severity is Severity.RECOMMENDED and finding.kind is Kind.MISSING


def _amount(finding: Finding) -> str:
    if finding.share is None:
        unit = " values" if finding.kind is Kind.EXPLODING and finding.service != COLLECTOR else ""
        return f"{finding.count:,}{unit}"
    return f"{finding.share * _PERCENT:.0f} % of {finding.of:,}"


def _what(finding: Finding, link: str) -> Text:
    text = safe.text(finding.what)
    if finding.trace_id:
        style = f"dim link {link}{finding.trace_id}" if link and finding.trace_id.isalnum() else "dim"
        text.append("\n").append_text(safe.text(finding.trace_id, style))
    return text
