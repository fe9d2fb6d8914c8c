"""Which agent process holds which revision, since when: told by its own requests, kept in memory."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

DEAF_S: Final = 120.0
"""An agent that has not asked for so long is deaf: it does not hear a kill."""
_FORGOTTEN_S: Final = 3600.0
_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Follower:
    """One agent process. Times are seconds ago when it is read from `Followers.of`."""

    environment: str
    instance: str
    revision: int
    held_s: float
    silent_s: float

    @property
    def deaf(self) -> bool:
        """Whether it has not asked for too long."""
        return self.silent_s >= DEAF_S


class Followers:
    """Everybody who asked within the last hour. `clock` is monotonic: a jump of the time of day changes nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Follower] = {}
        self._left: dict[tuple[str, str], float] = {}

    def heard(self, environment: str, instance: str, revision: int) -> None:
        """An agent asks, or its waiting ends: it holds `revision`."""
        now, key = self._clock(), (environment, instance)
        with self._lock:
            if key in self._left:
                return  # what it waited for ends after it has left
            known = self._known.get(key)
            if known is None and len(self._known) >= _MOST and not self._forget(now):
                return
            since = known.held_s if known and known.revision == revision else now
            self._known[key] = Follower(environment, instance, revision, since, now)

    def left(self, environment: str, instance: str) -> None:
        """An agent ends: it is not deaf but gone."""
        now, key = self._clock(), (environment, instance)
        with self._lock:
            self._known.pop(key, None)
            self._left = {each: at for each, at in self._left.items() if now - at < DEAF_S}
            if len(self._left) < _MOST:
                self._left[key] = now

    def of(self, environment: str) -> list[Follower]:
        """The agents of an environment, the longest silent first."""
        now = self._clock()
        with self._lock:
            self._forget(now)
            found = [one for one in self._known.values() if one.environment == environment]
        aged = [replace(one, held_s=now - one.held_s, silent_s=now - one.silent_s) for one in found]
        return sorted(aged, key=lambda one: (-one.silent_s, one.instance))

    def environments(self) -> Iterator[str]:
        """Those that somebody asked for."""
        with self._lock:
            names = sorted({environment for environment, _ in self._known})
        yield from names

    def _forget(self, now: float) -> bool:
        """Drop who is gone for good; whether there is room again."""
        gone = [key for key, one in self._known.items() if now - one.silent_s > _FORGOTTEN_S]
        for key in gone:
            del self._known[key]
        return len(self._known) < _MOST
