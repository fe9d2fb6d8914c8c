"""What a forked child does first: locks may be held by threads that it does not have, and what waits is its parent's.

Programs fork by `os.fork` (servers with workers) or `multiprocessing`, whose children end without Python's `atexit`.
"""

import os
import weakref
from collections.abc import Callable


def in_child(method: Callable[[], None]) -> None:
    """Call a method in each child that is forked while its object lives."""
    if not hasattr(os, "register_at_fork"):
        return  # no forks there
    weakly = weakref.WeakMethod(method)

    def begin() -> None:
        if (found := weakly()) is not None:
            found()

    os.register_at_fork(after_in_child=begin)


def at_end_of_worker(method: Callable[[], None], if_killed: Callable[[], None]) -> None:
    """Call a method at the end of this process, if it is a worker of `multiprocessing`, and of those that it forks.

    A worker of a pool has no such end: it is killed when the pool's block ends. It calls `if_killed` when it begins.
    """
    from multiprocessing import process, util  # noqa: PLC0415 most modules only annotate, and it takes a while to import

    def register(owner: object) -> None:
        util.Finalize(owner, method, exitpriority=0)
        if process.current_process().daemon:
            if_killed()

    owner = method.__self__  # type: ignore[attr-defined]  # a bound method
    if process.parent_process() is not None:
        register(owner)
    # `multiprocessing` forgets what is registered when a worker begins, but for this.
    util.register_after_fork(owner, register)
