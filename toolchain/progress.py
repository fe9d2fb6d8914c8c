"""What a person sees while binaries are made: a live display on a terminal, sparse lines everywhere else."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from toolchain.recipes import Recipe

HEARTBEAT_S = 30.0


class Reporter(AbstractContextManager["Reporter"]):
    """Receives what happens; this one stays silent. Times are in seconds."""

    def plan(self, recipes: Sequence[Recipe]) -> None:
        """Say what will be made, in order."""

    def begin(self, recipe: Recipe) -> None:
        """Say that work on the recipe starts."""

    def tick(self) -> None:
        """Say that work goes on; called about once a second."""

    def say(self, text: str) -> None:
        """Show one line."""

    def end(self, recipe: Recipe, how: str, seconds: float) -> None:
        """Say that the recipe's binaries are there."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the display as it is."""


class _LineReporter(Reporter):
    """One line at start and end of a recipe, and a heartbeat: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._left: list[Recipe] = []
        self._started = self._beat = 0.0

    def plan(self, recipes: Sequence[Recipe]) -> None:
        self._left = list(recipes)

    def begin(self, recipe: Recipe) -> None:
        self._started = self._beat = time.monotonic()
        self.say(f"{recipe.name} {recipe.version}: started; {remaining(self._left, 0)} for all that is left")

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._beat < HEARTBEAT_S or not self._left:
            return
        self._beat = now
        spent = now - self._started
        self.say(f"{self._left[0].name}: working for {spent:.0f} s; {remaining(self._left, spent)} left")

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)

    def end(self, recipe: Recipe, how: str, seconds: float) -> None:
        self._left = [left for left in self._left if left is not recipe]
        self.say(f"{recipe.name} {recipe.version}: {how} in {seconds:.1f} s")


class _LiveReporter(Reporter):
    """A bar per recipe against its measured cold build time."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._left: list[Recipe] = []
        self._started = 0.0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def plan(self, recipes: Sequence[Recipe]) -> None:
        self._left = list(recipes)
        for recipe in recipes:
            label = f"{recipe.name} {recipe.version}"
            note = f"about {recipe.minutes:g} min when cold"
            self._tasks[recipe.name] = self._bars.add_task(label, total=recipe.minutes * 60, start=False, note=note)

    def begin(self, recipe: Recipe) -> None:
        self._started = time.monotonic()
        self._bars.start_task(self._tasks[recipe.name])

    def tick(self) -> None:
        if not self._left:
            return
        spent = time.monotonic() - self._started
        # An estimate is no promise: the bar stops short of its end until the work is done.
        shown = min(spent, self._left[0].minutes * 57)
        note = f"{remaining(self._left, spent)} for all that is left"
        self._bars.update(self._tasks[self._left[0].name], completed=shown, note=note)

    def say(self, text: str) -> None:
        self._bars.console.print(text, highlight=False, markup=False)

    def end(self, recipe: Recipe, how: str, seconds: float) -> None:
        self._left = [left for left in self._left if left is not recipe]
        self._bars.update(self._tasks[recipe.name], completed=recipe.minutes * 60, note=f"{how} in {seconds:.1f} s")


def remaining(recipes: Sequence[Recipe], spent: float) -> str:
    """Return how long a cold build of `recipes` still takes after `spent` seconds on the first, e.g. "about 7 min"."""
    if not recipes:
        return "nothing"
    own = recipes[0].minutes * 60
    seconds = sum(recipe.minutes * 60 for recipe in recipes[1:]) + max(own - spent, 0)
    rest = f"up to about {max(round(seconds / 60), 1)} min"
    return f"{rest}, or more (this one is past its measured time)" if spent > own else rest


def reporter_for(console: Console) -> Reporter:
    """Return the display that fits the console."""
    return _LiveReporter(console) if console.is_terminal else _LineReporter(console)
