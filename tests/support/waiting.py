"""Wait for something that will come, on a busy machine too."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], seconds: float = 45) -> T:
    """What `check` returns once it is true. Raises AssertionError with its last answer when the time is up."""
    until = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s; the last answer was {found!r}")
        time.sleep(0.02)
    return found
