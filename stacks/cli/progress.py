"""One bar on standard error for what is counted, shown once it takes longer than a moment."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from stacks.cli.show import error_console

Tell = Callable[[str, int, int], None]
"""Takes what is being worked on, how many are done, and of how many."""
_PATIENCE_S: Final = 3.0


@contextmanager
def progress(what: str) -> Iterator[Tell]:
    """Gives what moves the bar. `what` stands before it until something is told."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=error_console(),
        transient=True,
    )
    task, began = bar.add_task(what, total=None), time.monotonic()

    def tell(now: str, done: int, total: int) -> None:
        if not bar.live.is_started and time.monotonic() - began > _PATIENCE_S:
            bar.start()
        bar.update(task, description=now, completed=done, total=total)

    try:
        yield tell
    finally:
        bar.stop()
