"""Quiet on this computer, for what is judged by its latency, while several workers run tests.

Whoever wants quiet waits until the tests of other workers have ended, and they wait until quiet is over. The operating
system holds the locks, so that a worker that dies leaves none.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

FOLDER: Final = "AGENTOBS_QUIET"
"""Variable with the folder of the locks; runs at the same time that are given one share it."""


@contextmanager
def shared_folder() -> Iterator[None]:
    """A folder for this run and its workers, who inherit the variable; gone afterwards."""
    if FOLDER in os.environ:
        yield
        return
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="agentobs-quiet-")
    try:
        yield
    finally:
        shutil.rmtree(os.environ.pop(FOLDER))


@contextmanager
def quiet() -> Iterator[None]:
    """Nobody else is at work. Whoever is, is waited for."""
    # Two locks, as there is no queue at one: who comes at the gate while somebody waits behind it has to wait too.
    with _held("gate", fcntl.LOCK_EX), _held("work", fcntl.LOCK_EX):
        yield


@contextmanager
def at_work() -> Iterator[None]:
    """Nobody has quiet. Whoever has, is waited for."""
    with ExitStack() as until_the_end:
        with _held("gate", fcntl.LOCK_SH):
            until_the_end.enter_context(_held("work", fcntl.LOCK_SH))
        yield


@contextmanager
def _held(name: str, how: int) -> Iterator[None]:
    with (Path(os.environ[FOLDER]) / name).open("a") as file:
        fcntl.flock(file, how)
        yield
