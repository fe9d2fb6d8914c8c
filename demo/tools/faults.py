"""Faults of a tool server, read from a file so that behaviour can change while version and process stay.

Not here: which faults a scenario has (`demo.scenarios`).
"""

import json
import random
from pathlib import Path

from demo.scenarios import Faults


class FaultFile:
    """The current faults: the file is read again whenever it was replaced."""

    def __init__(self, path: Path, seed: int) -> None:
        self._path = path
        self._stamp = -1
        self._faults = Faults()
        self._calls = 0
        self._random = random.Random(seed)  # noqa: S311 a repeatable sequence, not a secret

    def next_call(self) -> tuple[bool, bool, bool]:
        """Decide what the next call does: (process dies, call hangs, call fails). At most one is True."""
        self._refresh()
        self._calls += 1
        dies = 0 < self._faults.crash_after <= self._calls
        draw = self._random.random()
        hangs = not dies and draw < self._faults.hang_ratio
        fails = not dies and not hangs and draw < self._faults.hang_ratio + self._faults.fail_ratio
        return dies, hangs, fails

    def _refresh(self) -> None:
        stamp = self._path.stat().st_mtime_ns
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._faults = Faults(**json.loads(self._path.read_text(encoding="utf-8")))
        self._calls = 0


def write_faults(path: Path, faults: Faults) -> None:
    """Replace the file at once, so that a reader never sees half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(faults.document()), encoding="utf-8")
    fresh.replace(path)
