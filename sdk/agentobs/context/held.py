"""Ended spans that wait for the end of another one, because only that will say which agent they belong to.

Few frameworks need it. So many wait at most, and so long; then they go on without a name.
"""

import threading
from collections.abc import Callable
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan

from agentobs.context.forks import in_child
from agentobs.context.lineage import Node

_MOST: Final = 2048
_LONGEST_S: Final = 30.0


class Held:
    """Spans by the node that they wait for. `let_go` is called when the first of them has waited too long."""

    def __init__(self, let_go: Callable[[], None]) -> None:
        self._waiting: dict[Node, list[tuple[ReadableSpan, Node]]] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._let_go = let_go
        self._timer: threading.Timer | None = None
        in_child(self._begin_anew)

    def hold(self, span: ReadableSpan, node: Node, until: Node) -> bool:
        """Keep a span until a node ends. False where it cannot wait."""
        with self._lock:
            if until.ended or self._count >= _MOST:
                return False
            self._waiting.setdefault(until, []).append((span, node))
            self._count += 1
            if self._timer is None:
                self._timer = threading.Timer(_LONGEST_S, self._let_go)
                self._timer.daemon = True
                self._timer.start()
            return True

    def released_by(self, node: Node) -> list[tuple[ReadableSpan, Node]]:
        """Take what waited for a node that has ended."""
        if not self._waiting:
            return []
        with self._lock:
            released = self._waiting.pop(node, [])
            self._forget(len(released))
            return released

    def all(self) -> list[tuple[ReadableSpan, Node]]:
        """Take everything."""
        with self._lock:
            released = [each for waiting in self._waiting.values() for each in waiting]
            self._waiting.clear()
            self._forget(len(released))
            return released

    def _begin_anew(self) -> None:
        """What waits is the parent's, and so is the timer."""
        self._lock = threading.Lock()
        self._waiting, self._count, self._timer = {}, 0, None

    def _forget(self, count: int) -> None:
        self._count -= count
        if not self._count and self._timer is not None:
            self._timer.cancel()
            self._timer = None
