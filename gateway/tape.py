"""Tapes: calls and their answers, kept while the gateway runs, and given again without a tool server.

They are the golden datasets' own (`delivery.golden`): the tape of a gateway is that of one long case. A call that is
not on the tape is an error, never a live one.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mcp import MCPError

from agentobs.canonical import CanonicalError, canonical
from agentobs.errors import AgentobsError
from delivery.golden.dataset import TAPES, tape_of
from delivery.golden.matching import Miss, Player
from delivery.golden.recording import files_of
from delivery.golden.replay import TAPE_MISS
from delivery.golden.tape import SCHEMA, Call, Failure, Surface, Tape, written
from gateway.raw import Listing
from gateway.upstream import Upstream

_PRIVATE: Final = 0o600  # it may hold what users wrote
_log = logging.getLogger(__name__)


class TapeError(AgentobsError):
    """A tape that cannot be used; the message names the folder, what was expected and the fix."""


@dataclass(slots=True)
class Recorder:
    """Keeps what servers say and how calls end; `close` writes the tape into a folder that was not there."""

    folder: Path
    surfaces: dict[str, Surface] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        """A tape is begun, never continued. Raises TapeError."""
        try:
            (self.folder / TAPES).mkdir(parents=True)
        except OSError as error:
            raise TapeError(
                f"{self.folder / TAPES}: cannot be made: {error.strerror}; expected a folder without tapes; fix: name "
                "another"
            ) from None

    def listed(self, server: str, listing: Listing) -> None:
        """Note what a server says of itself."""
        tools = tuple(dict(tool) for tool in listing.tools)
        self.surfaces[server] = Surface(name=server, version=listing.version, tools=tools)

    def called(self, server: str, tool: str, arguments: Mapping[str, Any], ms: float, **ended: Any) -> None:  # noqa: ANN401 of the model
        """Note a call and how it ended: `result=`, or `error=` of the protocol."""
        try:
            call = Call(server=server, tool=tool, arguments=dict(arguments), ms=ms, **ended)
            canonical(call.model_dump(mode="json"))
            self.calls.append(call)
        except CanonicalError as error:
            _log.warning("%s/%s is not on the tape: %s", server, tool, error)

    def close(self) -> None:
        """Write the tape and the definitions it was recorded with, each under its digest."""
        digests = {name: written(surface)[0] for name, surface in self.surfaces.items()}
        tape = Tape(servers=digests, calls=tuple(self.calls))
        for name, content in files_of([tape], list(self.surfaces.values())).items():
            path = self.folder / TAPES / f"{name}.json"
            path.touch(_PRIVATE)
            path.write_bytes(content)


def load(folder: Path) -> Player:
    """The one tape of a folder, to be played. Raises TapeError, or GoldenError for one that was changed."""
    found = [
        path.stem for path in sorted((folder / TAPES).glob("*.json")) if SCHEMA in path.read_text("utf-8")[:99_999]
    ]
    if len(found) != 1:
        raise TapeError(f"{folder / TAPES}: holds {len(found)} tapes; expected one that `gateway serve --record` wrote")
    tape, surfaces = tape_of(folder, found[0], str(folder))
    return Player(tape, {name: surfaces[digest] for name, digest in tape.servers.items()})


@dataclass(slots=True)
class Replayed(Upstream):
    """A tool server that is a tape: nothing is ever asked elsewhere."""

    player: Player = field(default_factory=lambda: Player(Tape(servers={}, calls=()), {}))

    def __post_init__(self) -> None:
        """No credential is needed. Raises TapeError for a server that is not on the tape."""
        if self.name not in self.player.surfaces:
            raise TapeError(f"the tape has nothing of server {self.name}; fix: record anew")

    @property
    def connected(self) -> bool:
        """Always."""
        return True

    async def run(self) -> None:
        """Say what was recorded."""
        surface = self.player.surfaces[self.name]
        self.listing, self.fault = Listing(tools=surface.tools, version=surface.version), ""
        self.on_listing(self, self.listing)
        self._ready.set()

    async def call(self, params: Mapping[str, Any], progress: Callable[..., Any] | None) -> dict[str, Any]:
        """The recorded end of a call. Raises MCPError as the server did, or for a miss."""
        del progress
        found = self.player.answer(self.name, str(params["name"]), params.get("arguments") or {})
        if isinstance(found, Miss):
            raise MCPError(TAPE_MISS, str(found))
        if found.error is not None:
            raise MCPError(found.error.code, found.error.message, found.error.data)
        return dict(found.result or {})


def failure(code: int, message: str, data: object = None) -> Failure:
    """An error as a tape keeps it."""
    return Failure(code=code, message=message, data=data)
