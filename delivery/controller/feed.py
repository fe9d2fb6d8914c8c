"""The newest snapshot of each environment, and everybody who waits for the next one.

The store may be written by others (`agentobs release` works without a controller), so it is looked at four times a
second: one read of the revision that would come next.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agentobs.canonical import canonical
from delivery.environments.snapshot import snapshot
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.store import Store

_LOOK_S: Final = 0.25
_MOST: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A revision and its snapshot; no bytes where nothing was promoted yet."""

    revision: Revision | None = None
    data: bytes = b""

    @property
    def number(self) -> int:
        """0 for none."""
        return self.revision.revision if self.revision else 0


class Feed:
    """What is current. Reading a store blocks, so it happens in threads; waiting happens in the event loop.

    `tell` hears the name of an environment that has a new revision; it may raise DeliveryError.
    """

    def __init__(self, store: Store, tell: Callable[[str], object] = lambda environment: None) -> None:  # noqa: ARG005
        self._store = store
        self._told = tell
        self._held: dict[str, Held] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False
        self.error = ""
        """Why the store could not be read at the last look; empty for none."""

    def look(self, environment: str) -> Held:
        """Read what is new. Raises DeliveryError where the store cannot be read, with what was held still held."""
        with self._lock:
            if environment not in self._held and len(self._held) >= _MOST:
                raise DeliveryError(f"more than {_MOST} environments are asked for; fix: ask for one that there is")
            held = self._held.get(environment, Held())
            revision = self._store.newer(environment, held.number)
            if revision is None:
                self._held.setdefault(environment, held)
                return held
            runs = revision.stable is not None
            found = Held(revision, canonical(snapshot(revision, self._store)) if runs else b"")
            self._held[environment] = found
        self._wake(environment)
        self._told(environment)
        return found

    async def next(self, environment: str, after: int, wait_s: float) -> Held | None:
        """The snapshot once it is newer than `after`; None where it is not within `wait_s`. Raises DeliveryError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        if environment not in self._held:
            await asyncio.to_thread(self.look, environment)
        while True:
            changed = self._changed.setdefault(environment, asyncio.Event())
            held = self._held[environment]
            if held.number > after and held.data:
                return held
            left = until - loop.time()
            if left <= 0 or self._ended:
                return None
            try:
                await asyncio.wait_for(changed.wait(), left)
            except TimeoutError:
                return None

    def end(self) -> None:
        """Let everybody go who waits."""
        self._ended = True
        for environment in list(self._changed):
            self._wake(environment)

    async def run(self) -> None:
        """Look at the store again and again."""
        self._loop = asyncio.get_running_loop()
        while True:
            await asyncio.to_thread(self._look_at_all)
            await asyncio.sleep(_LOOK_S)

    def _look_at_all(self) -> None:
        said = ""
        for environment in list(self._held):
            try:
                self.look(environment)
            except DeliveryError as error:
                said = str(error)
        if said and said != self.error:
            _log.error("%s", json.dumps(said))
        self.error = said

    def _wake(self, environment: str) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, environment)

    def _tell(self, environment: str) -> None:
        """Those who wait hold the old event; who comes now gets a new one."""
        changed = self._changed.pop(environment, None)
        if changed is not None:
            changed.set()
