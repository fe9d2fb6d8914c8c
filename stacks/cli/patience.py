"""A line on standard error for what is waited for, once that takes longer than a moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from stacks.cli import safe
from stacks.cli.show import error_console

_PATIENCE_S: Final = 3.0
_EVERY_S: Final = 1.0


@contextmanager
def waiting() -> Iterator[Callable[[str], None]]:
    """Gives what takes the newest sentence; it is printed after 3 s, and again when it has changed."""
    said: list[str] = []
    ended = threading.Event()

    def speak() -> None:
        spoken, wait = "", _PATIENCE_S
        while not ended.wait(wait):
            wait = _EVERY_S
            if said and said[-1] != spoken:
                spoken = said[-1]
                error_console().print(safe.text(spoken, "dim"))

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield said.append
    finally:
        ended.set()
        speaker.join()
