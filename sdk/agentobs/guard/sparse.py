"""Tell at most once a second, and of how many: who loops would otherwise fill the log store."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

_EVERY_S: Final = 1.0


@dataclass
class Sparse:
    """Counts what happens per key; `due` says of how many to tell now, 0 when it is too early."""

    clock: Callable[[], float] = time.monotonic
    _told: dict[Hashable, float] = field(default_factory=dict)
    _untold: dict[Hashable, int] = field(default_factory=dict)

    def due(self, key: Hashable) -> int:
        """Count one more."""
        self._untold[key] = self._untold.get(key, 0) + 1
        now = self.clock()
        if now - self._told.get(key, float("-inf")) < _EVERY_S:
            return 0
        self._told[key] = now
        return self._untold.pop(key)
