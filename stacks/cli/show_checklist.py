"""What a person sees of a run of the checklist: a line for every item, then the verdict."""

import time
from typing import Final

from rich.text import Text

from runbooks.checklist import Item, Result, Status
from stacks.checklist.session import Recorded
from stacks.cli import safe

_STYLES: Final = {
    Status.PASS: ("✔", "green"),
    Status.FAIL: ("✖", "bold red"),
    Status.NOT_APPLICABLE: ("-", "dim"),
    Status.UNJUDGED: ("?", "bold yellow"),
}
_MINUTE_S: Final = 60


def item(console: safe.Console, item: Item, result: Result, *, kept: bool) -> None:
    """One item as it is judged; `kept`: what an earlier run found."""
    mark, style = _STYLES[result.status]
    line = Text.assemble((f"{mark} ", style), (f"{item.key:<19}", "bold"), " ", result.message)
    if kept:
        line.append(f" (looked at {(time.time() - result.at) / _MINUTE_S:.0f} min ago)", style="dim")
    if result.fix:
        line.append(f"\n{'':<22}fix: {result.fix}", style="yellow")
    console.print(line, soft_wrap=True)


def summary(console: safe.Console, made: Recorded, seconds: float) -> None:
    """The verdict, how much was asked of the platform, the files of the record."""
    record = made.record
    _, style = _STYLES[record.verdict]
    counts = ", ".join(f"{record.count(status)} {status}" for status in Status if record.count(status))
    signed = f"signed with {record.signature.fingerprint}" if record.signature else "not signed (--key), digest only"
    console.print(Text(f"{record.verdict}: {counts}", style=style))
    console.print(
        f"{record.automated} of {len(record.results)} items asked of the platform, {seconds:.1f} s; {signed}\n"
        f"sha256 {record.digest}\nwrote {', '.join(map(str, made.files))}",
        highlight=False,
        soft_wrap=True,
    )
