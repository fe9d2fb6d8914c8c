"""What an agent runs, by version, as the release controller says; and what may not run.

    client = pins.configure(environment="prod")          # once per process
    with client.pins(session).task(type="refund"): ...   # once per task, see `agentobs.pins.pins`

Settings by variable: `AGENTOBS_RELEASES_URL` or `AGENTOBS_RELEASES_FILE`, `AGENTOBS_RELEASES_TOKEN`,
`AGENTOBS_RELEASES_CACHE` (a folder that survives a restart).
"""

import os
import socket
import uuid
from pathlib import Path

from agentobs.errors import AgentobsError
from agentobs.pins.client import Client, NoSnapshotError
from agentobs.pins.pins import KilledError, PinnedAgent, Pins, UnknownPinError, require_alive
from agentobs.pins.snapshot import Killed, Mark, Snapshot, SnapshotError, bucket, parse
from agentobs.pins.source import FileSource, HttpSource, Source, SourceError

__all__ = [
    "Client",
    "FileSource",
    "HttpSource",
    "Killed",
    "KilledError",
    "Mark",
    "NoSnapshotError",
    "PinnedAgent",
    "Pins",
    "PinsError",
    "Snapshot",
    "SnapshotError",
    "Source",
    "SourceError",
    "UnknownPinError",
    "bucket",
    "configure",
    "parse",
    "require_alive",
]


class PinsError(AgentobsError, ValueError):
    """A setting that is missing or is none."""


def configure(  # noqa: PLR0913 keyword-only settings of one process
    *,
    environment: str,
    url: str | None = None,
    file: Path | str | None = None,
    token: str | None = None,
    cache: Path | str | None = None,
    instance: str | None = None,
) -> Client:
    """Start to hold the pins of an environment. What is not given is taken from the variables.

    `instance` names this process to the controller; it is made up from host and process. Raises PinsError.
    """
    url = url or os.environ.get("AGENTOBS_RELEASES_URL")
    file = file or os.environ.get("AGENTOBS_RELEASES_FILE")
    token = token or os.environ.get("AGENTOBS_RELEASES_TOKEN")
    cache = cache or os.environ.get("AGENTOBS_RELEASES_CACHE")
    folder = Path(cache) if cache else None
    if bool(url) == bool(file):
        raise PinsError(
            "pins.configure: name the release controller or a snapshot file, one of both; fix: AGENTOBS_RELEASES_URL or"
            " AGENTOBS_RELEASES_FILE"
        )
    if file:
        return Client(FileSource(Path(file)), environment, folder)
    name = instance or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    headers = {"Authorization": f"Bearer {token}"} if token else None
    return Client(HttpSource(str(url), environment, name, headers), environment, folder)
