"""Everything that one controller has, put together, and the thread that works beside the requests."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agentobs.errors import AgentobsError
from alerts.prometheus import Prometheus
from alerts.source import MetricsSource
from delivery.controller import effects, regressions
from delivery.controller.canaries import Canaries
from delivery.controller.effects import Effect
from delivery.controller.feed import Feed
from delivery.controller.followers import Followers
from delivery.controller.journal import Journal
from delivery.controller.outbox import Outbox
from delivery.controller.regressions import Regressions
from delivery.controller.settings import Settings
from delivery.controller.webhook import Gate
from delivery.environments.published import publish
from delivery.store import Blobs, Store

LOOK_S: Final = 15.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Service:
    """The parts of a controller, and its work: look at canaries, deal with alerts, do effects."""

    settings: Settings
    store: Store
    journal: Journal
    feed: Feed
    followers: Followers
    canaries: Canaries
    regressions: Regressions
    outbox: Outbox
    gate: Gate = field(default_factory=Gate)
    error: str = ""
    """What the last round of work ended in; empty for nothing."""
    _wake: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work; the first round is at once, for what was left by the last run."""
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is being done."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def wake(self) -> None:
        """Work now: something came."""
        self._wake.set()

    def work(self) -> None:
        """One round, each part by itself: a part that fails keeps no other one from its work."""
        said: list[str] = []
        environments = self._environments(said)
        for environment in environments:
            said += self._tried(self.canaries.look, environment)
        said += self._tried(self.regressions.work)
        for environment in environments:
            said += self._tried(self.feed.look, environment)
            said += self._tried(self.outbox.work, environment)
        self.error = "; ".join(dict.fromkeys(said))

    def _environments(self, said: list[str]) -> list[str]:
        try:
            return self.store.environments()
        except AgentobsError as error:
            said.append(str(error))
            return []

    def _tried(self, part: Callable[..., object], *environment: str) -> list[str]:
        try:
            part(*environment)
        except AgentobsError as error:
            _log.error("%s", json.dumps(str(error)))
            return [str(error)]
        except Exception as error:  # noqa: BLE001 the next round must come
            _log.exception("a part of the controller's work failed")
            return [f"{type(error).__name__} in the controller; its log has more"]
        return []

    def _run(self) -> None:
        due = 0.0
        while not self._stop.is_set():
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()
            if self._stop.is_set():
                return
            due = time.monotonic() + LOOK_S
            self.work()


def build(
    settings: Settings, blobs: Blobs, source: MetricsSource | None = None, snapshots: Path | None = None
) -> Service:
    """A controller over a store; `source` is the Prometheus of the settings where none is given.

    `snapshots` is a folder where agents of this computer read the newest snapshot of each environment.
    """
    store, journal = Store(blobs), Journal(blobs)
    if source is None and settings.prometheus:
        token = settings.prometheus_token
        source = Prometheus(settings.prometheus, {"Authorization": f"Bearer {token}"} if token else None)
    canaries = Canaries(
        store,
        journal,
        source,
        promotes=settings.promotes,
        tasks_per_session=settings.tasks_per_session,
        acts=settings.acts,
    )
    ask = regressions.asking(source) if source else None
    return Service(
        settings=settings,
        store=store,
        journal=journal,
        feed=Feed(store, _publisher(store, snapshots)),
        followers=Followers(),
        canaries=canaries,
        regressions=Regressions(store, journal, canaries, ask, acts=settings.acts),
        outbox=Outbox(store, journal, _effects(settings, store)),
    )


def _publisher(store: Store, folder: Path | None) -> Callable[[str], object]:
    if folder is None:
        return lambda environment: None  # noqa: ARG005 nobody reads files
    return lambda environment: publish(store, environment, folder / f"{environment}.json")


def _effects(settings: Settings, store: Store) -> list[Effect]:
    found: list[Effect] = []
    if settings.otlp:
        found.append(effects.LogRecord(settings.otlp, settings.otlp_token))
    if settings.grafana:
        found.append(effects.Annotation(settings.grafana))
    if settings.langfuse:
        found.append(effects.PromptLabels(settings.langfuse, store))
    return found
