"""Effects of revisions that are still to be done. Nothing is queued: what has no mark in the store is left to do."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from delivery.controller.canaries import stamp
from delivery.controller.effects import Effect, EffectError, RefusedEffectError
from delivery.controller.journal import Journal
from delivery.environments.state import Revision
from delivery.store import Store

_BACK: Final = 200
"""Revisions that are looked at: where an effect is configured late, older ones are not told any more."""
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 300.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pause:
    """After a failure of a kind: until when nothing of it is tried, and how long the next pause is."""

    until: float = 0.0
    next_s: float = _FIRST_PAUSE_S


@dataclass(slots=True)
class Outbox:
    """Does what is left. `left` and `errors` are of the last time it worked, by environment and kind."""

    store: Store
    journal: Journal
    effects: Sequence[Effect]
    clock: Callable[[], float] = time.monotonic
    left: dict[tuple[str, str], int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    _pauses: dict[str, _Pause] = field(default_factory=dict)
    _clean: dict[str, int] = field(default_factory=dict)

    def work(self, environment: str) -> None:
        """Do what has no mark. Raises StoreError."""
        numbers = self.store.numbers(environment)
        if not numbers or not self.effects or self._clean.get(environment) == numbers[-1]:
            return
        done = {*self.journal.names(f"effects/{environment}")}
        for effect in self.effects:
            todo = [number for number in numbers[-_BACK:] if _name(number, effect) not in done]
            if effect.newest_only:
                todo = [number for number in todo if number == numbers[-1]]
            self.left[environment, effect.kind] = len(todo)
            self._do(environment, effect, todo)
        if not any(self.left[environment, effect.kind] for effect in self.effects):
            self._clean[environment] = numbers[-1]

    def _do(self, environment: str, effect: Effect, todo: Sequence[int]) -> None:
        pause = self._pauses.setdefault(effect.kind, _Pause())
        if self.clock() < pause.until:
            return
        refused = ""
        for number in todo:
            revision = self.store.revision(environment, number)
            try:
                effect.apply(revision)
            except RefusedEffectError as error:
                refused = str(error)
            except EffectError as error:
                self._failed(effect.kind, pause, str(error))
                return
            else:
                self._mark(environment, revision, effect)
        if refused:
            self._failed(effect.kind, pause, refused)
        elif todo:
            self._pauses.pop(effect.kind, None)
            self.errors.pop(effect.kind, None)

    def _mark(self, environment: str, revision: Revision, effect: Effect) -> None:
        self.journal.add(
            f"effects/{environment}/{_name(revision.revision, effect)}", {"at": stamp(time.time()), "kind": effect.kind}
        )
        self.left[environment, effect.kind] -= 1

    def _failed(self, kind: str, pause: _Pause, said: str) -> None:
        if self.errors.get(kind) != said:
            _log.warning("effect %s: %s", kind, json.dumps(said))
        self.errors[kind] = said
        pause.until = self.clock() + pause.next_s
        pause.next_s = min(2 * pause.next_s, _LONGEST_PAUSE_S)


def _name(number: int, effect: Effect) -> str:
    return f"{number:08d}-{effect.kind}"
