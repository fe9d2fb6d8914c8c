"""Tapes: calls and their answers, written while the gateway runs, and given again without a tool server.

The format is that of a golden dataset's tapes: servers with their definitions, then calls in their order. The same call
again gets the next answer that was recorded. A call that is not on the tape is an error, never a live one.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mcp import MCPError

from agentobs.canonical import CanonicalError, digest
from agentobs.errors import AgentobsError
from agentobs.guard.codes import Policy, Refusal, RefusedError
from gateway.drift import pinned
from gateway.upstream import Listing, Upstream

_VERSION: Final = 1


class TapeError(AgentobsError):
    """A tape that cannot be used; the message names the file, what was expected and the fix."""


@dataclass(slots=True)
class Recorder:
    """Writes a tape: a line for each server when it says its tools, one for each call when it ends.

    `redact` sees every arguments and result before they are written.
    """

    path: Path
    redact: Callable[[Any], Any] = lambda value: value
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """A tape is begun, never continued. Raises TapeError."""
        try:
            self.path.touch(0o600, exist_ok=False)  # it may hold what users wrote
            self._append({"tape": _VERSION, "recorded_at": self.clock()})
        except OSError as error:
            raise TapeError(
                f"{self.path}: cannot be written: {error}; expected a file that is not there yet; fix: another name"
            ) from None

    def listed(self, server: str, listing: Listing) -> None:
        """Note what a server says of itself."""
        tools = [dict(tool) for tool in listing.tools]
        said = {"version": listing.version, "instructions": listing.instructions, "tools": tools}
        self._append({"server": server, **said, "sha256": digest(list(map(pinned, tools)))})

    def called(self, server: str, tool: str, arguments: Mapping[str, Any], **ended: object) -> None:
        """Note a call and how it ended: `result=` or `error=`, and `ms=`."""
        kept = self.redact({"arguments": dict(arguments), **ended})
        self._append({"call": server, "tool": tool, **kept})

    def _append(self, entry: Mapping[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(entry))


@dataclass(slots=True)
class Tape:
    """A tape that is played: answers by server, tool, arguments and how often they were asked for."""

    name: str
    listings: dict[str, Listing] = field(default_factory=dict)
    answers: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def answer(self, server: str, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The next recorded end of a call. Raises RefusedError when there is none."""
        key = _key(server, tool, arguments)
        number, recorded = self.asked[key], self.answers.get(key, [])
        self.asked[key] += 1
        if number < len(recorded):
            return recorded[number]
        times = f"{len(recorded)} times" if recorded else "never"
        raise RefusedError(
            Refusal(
                Policy.UPSTREAM,
                f"tape {self.name}: {server}/{tool} with these arguments was recorded {times}, and this is call "
                f"{number + 1}; fix: record anew, or see why the agent asks otherwise",
                f"{server}/{tool}",
            )
        )

    def unused(self) -> int:
        """How many recorded calls nobody made."""
        return sum(max(0, len(recorded) - self.asked[key]) for key, recorded in self.answers.items())


def load(path: Path) -> Tape:
    """Read a tape. Raises TapeError naming the line."""
    tape = Tape(path.name)
    number = 0
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if line or number == 1:  # the last one ends with the end of a line
                _take(tape, json.loads(line), first=number == 1)
    except (OSError, UnicodeDecodeError) as error:
        raise TapeError(
            f"{path}: cannot be read: {error}; expected what `agentobs gateway serve --record` wrote"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, CanonicalError) as error:
        raise TapeError(
            f"{path}:{number}: is no line of a tape: {type(error).__name__} {error}; fix: record anew"
        ) from None
    return tape


def _take(tape: Tape, entry: Mapping[str, Any], *, first: bool) -> None:
    if first != ("tape" in entry) or (first and entry["tape"] != _VERSION):
        raise ValueError(f"expected a head with tape {_VERSION}, once")
    if "server" in entry:
        tools = tuple(entry["tools"])
        if digest(list(map(pinned, tools))) != entry["sha256"]:
            raise ValueError(f"the tools of {entry['server']} are not those of its sha256")
        tape.listings[entry["server"]] = Listing(
            tools=tools, instructions=entry["instructions"], version=entry["version"], at=time.monotonic()
        )
    elif "call" in entry:
        ended = {name: entry[name] for name in ("result", "error") if name in entry}
        if len(ended) != 1:
            raise ValueError("expected either result or error")
        tape.answers[_key(entry["call"], entry["tool"], entry["arguments"])].append(ended)


@dataclass(slots=True)
class Replayed(Upstream):
    """A tool server that is a tape: nothing is ever asked elsewhere."""

    tape: Tape = field(default_factory=lambda: Tape("none"))

    def __post_init__(self) -> None:
        """No credential is needed. Raises TapeError for a server that is not on the tape."""
        if self.name not in self.tape.listings:
            raise TapeError(f"tape {self.tape.name}: has nothing of server {self.name}; fix: record anew")

    @property
    def connected(self) -> bool:
        """Always."""
        return True

    async def run(self) -> None:
        """Say what was recorded."""
        self.listing, self.fault = self.tape.listings[self.name], ""
        self.on_listing(self, self.listing)
        self._ready.set()

    async def call(self, params: Mapping[str, Any], progress: Any) -> dict[str, Any]:  # noqa: ANN401 not used
        """The recorded end of a call."""
        del progress
        ended = self.tape.answer(self.name, str(params["name"]), params.get("arguments") or {})
        if "error" in ended:
            raise _told(ended["error"])
        return dict(ended["result"])


def _told(error: Mapping[str, Any]) -> Exception:
    """A recorded error as the one that it was."""
    if "policy" in error:
        return RefusedError(Refusal(Policy(error["policy"]), str(error["message"])))
    return MCPError(int(error["code"]), str(error["message"]), error.get("data"))


def _key(server: str, tool: str, arguments: Mapping[str, Any]) -> str:
    return digest([server, tool, dict(arguments)])


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"
