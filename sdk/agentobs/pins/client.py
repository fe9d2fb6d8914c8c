"""Hold the newest good snapshot of an environment, in a thread of its own, and across restarts in a file.

Nothing here asks anybody while an agent works: a step reads what is held. What cannot be used is refused and said once.
"""

import atexit
import hashlib
import logging
import os
import random
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from agentobs.context.forks import in_child
from agentobs.errors import AgentobsError
from agentobs.pins.pins import Pins
from agentobs.pins.snapshot import Killed, Snapshot, SnapshotError, parse
from agentobs.pins.source import Source, SourceError

_log = logging.getLogger(__name__)
_WAIT_S: Final = 25.0
_LEAST_PAUSE_S: Final = 0.25
_MOST_PAUSE_S: Final = 10.0
_FILE: Final = 0o600


class NoSnapshotError(AgentobsError):
    """No snapshot was ever seen: an agent that does not know what to run does not run."""


class Client:
    """The pins of one environment in this process. `cache` is a folder that survives a restart."""

    def __init__(self, source: Source, environment: str, cache: Path | None = None) -> None:
        self._source = source
        self.environment = environment
        self._cache = cache
        self._held: Snapshot | None = None
        self._texts: dict[str, str] = {}
        self._first = threading.Event()
        self._stop = threading.Event()
        self._said = ""
        self.contact = 0.0
        """When the source answered last, by `time.time()`; 0 for never."""
        self._remember()
        self._start()
        in_child(self._start)
        atexit.register(self.close)

    def wait(self, timeout_s: float = 10.0) -> Snapshot:
        """The snapshot that is held, after waiting for the first. Raises NoSnapshotError."""
        self._first.wait(timeout_s)
        return self.snapshot

    @property
    def snapshot(self) -> Snapshot:
        """What is held now. Raises NoSnapshotError."""
        held = self._held
        if held is None:
            raise NoSnapshotError(
                f"no release is known of {self.environment}: {self._said or 'the source has not answered yet'}; fix:"
                f" start the release controller, or agentobs release promote RELEASE -e {self.environment}"
            )
        return held

    @property
    def killed(self) -> Killed:
        """What may not run, as of now."""
        return self.snapshot.killed

    @property
    def age_s(self) -> float:
        """Seconds since the source answered; large where it never did."""
        return time.time() - self.contact

    def pins(self, session: str | None = None) -> Pins:
        """What this session runs, for the whole of one task. Raises NoSnapshotError.

        Without a session there is nothing that would stay the same: such a task is always stable.
        """
        return Pins.of(self.snapshot, session, self)

    def text(self, sha256: str) -> str:
        """A pinned text. Raises SnapshotError where it cannot be had, or is another than was pinned."""
        if sha256 not in self._texts:
            self._texts[sha256] = self._checked(self._kept_text(sha256) or self._source.text(sha256), sha256)
        return self._texts[sha256]

    def close(self) -> None:
        """Stop asking, and say so; an end of the process does that too."""
        if self._stop.is_set():
            return
        self._stop.set()
        with suppress(SourceError):
            self._source.leave()

    def _start(self) -> None:
        threading.Thread(target=self._run, name="agentobs-pins", daemon=True).start()

    def _run(self) -> None:
        pause = _LEAST_PAUSE_S
        while not self._stop.is_set():
            held = self._held
            try:
                data = self._source.next(held.revision if held else 0, _WAIT_S)
                self.contact = time.time()
                if data is not None:
                    self._take(data)
                pause = _LEAST_PAUSE_S
                self._said = ""
            except SnapshotError as error:
                self._tell(str(error))
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 only turns
                pause = min(2 * pause, _MOST_PAUSE_S)

    def _take(self, data: bytes) -> None:
        """Use a snapshot that is newer than what is held. Raises SnapshotError for any other."""
        found = parse(data)
        held = self._held
        if found.environment != self.environment:
            raise SnapshotError(
                f"the snapshot is one of {found.environment}, not of {self.environment}; it is not used"
            )
        if held is not None and found.revision < held.revision:
            raise SnapshotError(
                f"revision {found.revision} is older than {held.revision}, which is held; it is not used"
            )
        self._held = found  # at once: it may stop something
        try:
            self._keep(data)
            self._fetch_texts(found)
        finally:
            self._first.set()

    def _fetch_texts(self, snapshot: Snapshot) -> None:
        """Have every text before a task needs it, and the source is away."""
        for track in filter(None, (snapshot.stable, snapshot.other)):
            for agent in track.agents.values():
                self.text(agent.prompt.sha256)

    def _tell(self, said: str) -> None:
        if said != self._said:
            self._said = said
            _log.warning("pins of %s: %s", self.environment, said)

    def _remember(self) -> None:
        """Start with what was held before the restart."""
        if self._cache is None:
            return
        try:
            self._held = self._fitting(parse((self._cache / f"{self.environment}.json").read_bytes()))
            self._first.set()
        except FileNotFoundError:
            return
        except (OSError, SnapshotError) as error:
            self._tell(f"what was kept of the last run is not used: {error}")

    def _fitting(self, found: Snapshot) -> Snapshot:
        if found.environment != self.environment:
            raise SnapshotError(f"it is one of {found.environment}")
        return found

    def _keep(self, data: bytes) -> None:
        self._write(f"{self.environment}.json", data)

    def _kept_text(self, sha256: str) -> bytes | None:
        try:
            data = (self._cache / sha256).read_bytes() if self._cache else None
        except OSError:
            return None
        return data if data is not None and hashlib.sha256(data).hexdigest() == sha256 else None

    def _checked(self, data: bytes, sha256: str) -> str:
        if hashlib.sha256(data).hexdigest() != sha256:
            raise SnapshotError(f"the text {sha256[:12]} was changed after it was pinned; it is not used")
        self._write(sha256, data)
        return data.decode()

    def _write(self, name: str, data: bytes) -> None:
        """Keep something for the next start; without it an agent still runs."""
        if self._cache is None:
            return
        part = self._cache / f".{name}.{os.getpid()}.{threading.get_ident()}.part"
        try:
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE), "wb") as file:
                file.write(data)
            part.replace(self._cache / name)
        except OSError as error:
            part.unlink(missing_ok=True)
            self._tell(f"{self._cache} cannot be written: {error.strerror}; a restart without the source will not run")
