"""Progress of a run: a bar on a terminal, a line every few seconds elsewhere. Always on stderr."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_EVERY_S: Final = 5.0


@asynccontextmanager
async def shown(title: str, tasks: int) -> AsyncIterator[Callable[[str], None]]:
    """Show progress while the block runs; yields what to call with each task's outcome."""
    ended: Counter[str] = Counter()
    if sys.stderr.isatty():
        columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
            row = bar.add_task("", total=tasks)

            def step(outcome: str) -> None:
                ended[outcome] += 1
                bar.update(row, advance=1, description=_outcomes(ended))

            yield step
        return
    speaker = asyncio.create_task(_speak(title, tasks, ended))
    try:
        yield lambda outcome: ended.update([outcome])
    finally:
        speaker.cancel()


async def _speak(title: str, tasks: int, ended: Counter[str]) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        sys.stderr.write(f"{_line(title, tasks, ended)}\n")
        sys.stderr.flush()


def _line(title: str, tasks: int, ended: Counter[str]) -> str:
    """How far it is; before the first task ended there is no outcome to name."""
    outcomes = _outcomes(ended)
    return f"{title}: {ended.total()} of {tasks} tasks" + (f"; {outcomes}" if outcomes else "")


def _outcomes(ended: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(ended.items()))
