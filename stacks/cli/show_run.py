"""What a person sees of a run of quick checks: each with its verdict, the diagnosis, the next command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from runbooks import wording
from runbooks.run import Run, Step, Verdict
from stacks.cli import patience, safe

_STYLES: Final = {
    Verdict.HOLDS: "bold red", Verdict.DOES_NOT_HOLD: "green", Verdict.FOUND: "bold", Verdict.NOTHING: "dim",
    Verdict.NOT_ASKED: "bold yellow",
}  # fmt: skip
Tell = Callable[[str, int, int], None]


def run(document: Run) -> RenderableType:
    """The checks, the diagnosis and what to type next."""
    parts: list[RenderableType] = [_head(document), _steps(document.steps), Text(), *_diagnosis(document), Text()]
    return Group(*parts, *_next(document))


def _head(document: Run) -> Text:
    labels = ", ".join(f"{label} {value}" for label, value in document.labels.items()) or "no labels"
    fires = Text("its condition holds", "bold red") if document.fires else Text("its condition does not hold", "green")
    if not document.fires and any(step.failed for step in document.steps):
        fires = Text("nobody knows whether its condition holds", "bold yellow")
    return Text.assemble(
        (document.alert, "bold"), " (", safe.text(labels), f") at {wording.clock(document.at)}: ", fires
    )


def _steps(steps: list[Step]) -> Table:
    table = Table(box=None, header_style="cyan", padding=(0, 1))
    for heading in ("", "quick check", "verdict", "what it says"):
        table.add_column(heading, justify="right" if not heading else "left")
    first: dict[str, int] = {}
    for number, step in enumerate(steps, 1):
        verdict = Text(step.verdict, style=_STYLES[step.verdict])
        known = first.setdefault(step.message, number)
        said = f"as in {known}" if step.verdict is Verdict.NOT_ASKED and known != number else step.message
        table.add_row(str(number), safe.text(step.title), verdict, safe.text(said))
    return table


def _diagnosis(document: Run) -> list[RenderableType]:
    head = Text("Diagnosis", "bold")
    if document.diagnosis is None:
        return [head, safe.text(f"cannot be asked: {document.undiagnosed}", "bold yellow")]
    # Not at the top: what draws a diagnosis imports its statistics.
    from stacks.cli import show_why  # noqa: PLC0415

    return [head, show_why.diagnosis(document.diagnosis)]


def _next(document: Run) -> list[RenderableType]:
    return [
        Text.assemble(("Next: ", "bold"), safe.text(document.next_command, "bold cyan")),
        safe.text(f"      {document.next_reason}"),
    ]


@contextmanager
def progress() -> Iterator[Tell]:
    """A line on standard error for what is waited for, once that takes longer than a moment."""
    with patience.waiting() as say:
        yield lambda what, done, total: say(f"{done} of {total} quick checks done, asking: {what} ...")
