"""Who is served first by the processors, while several workers run tests on few of them.

Scenarios are judged by their latency: on a crowded machine slowness is a true finding, and not the one wanted. So all
that can wait gives way to whoever plays them, by its niceness: processes inherit it, and it needs no rights.
"""

import os
from typing import Final

LATER: Final = 5
"""Niceness of what can wait. Beside one that does not wait it gets a quarter of a processor: its time limits hold."""


def give_way() -> None:
    """From now on this thread and what it starts take what others leave. There is no way back without rights."""
    if niceness() < LATER:
        os.setpriority(os.PRIO_PROCESS, 0, LATER)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)
