"""The kill switch: who or what is stopped, why, by whom. Read before every step; only a person lets go again.

A file that is replaced as a whole, looked at four times a second. One that cannot be read changes nothing: the last
good one counts. Not here: who writes it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from agentobs.errors import AgentobsError

POLL_S: Final = 0.25
_SCOPES: Final = ("agents", "tools", "servers")


class SwitchError(AgentobsError):
    """A switch file that cannot be used; the message names the file, what was expected and the fix."""


@dataclass(frozen=True)
class Kill:
    """Why something is stopped. `scope` is what: `agent planner`, `tool kb/search`, `everything`."""

    reason: str
    by: str
    at: str
    scope: str = ""
    hidden: bool = False  # about a server or tool, of which an agent without it learns nothing

    def __str__(self) -> str:
        """One line for the caller."""
        return f"{self.scope} is stopped: {self.reason} ({self.by}, {self.at})"


class Switch(Protocol):
    """Whatever knows what is stopped."""

    def killed(self, agent: str, server: str = "", tool: str = "") -> Kill | None:
        """Why a call of an agent (of a model, when there is no tool) must not be made; None when it may."""
        ...


@dataclass(frozen=True)
class Stopped:
    """What is stopped, in memory."""

    everything: Kill | None = None
    agents: Mapping[str, Kill] = field(default_factory=dict)
    servers: Mapping[str, Kill] = field(default_factory=dict)
    tools: Mapping[str, Kill] = field(default_factory=dict)

    def killed(self, agent: str, server: str = "", tool: str = "") -> Kill | None:
        """The widest reason that holds."""
        return (
            self.everything or self.agents.get(agent) or self.servers.get(server) or self.tools.get(f"{server}/{tool}")
        )


class FileSwitch:
    """The switch of a file. Looks at it again when `POLL_S` is over; without a file nothing is stopped."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.fault = ""
        self._clock = clock
        self._stamp: tuple[int, int, int] | None = None
        self._looked = float("-inf")
        self._stopped = Stopped()

    def killed(self, agent: str, server: str = "", tool: str = "") -> Kill | None:
        """See `Switch`."""
        if self._clock() - self._looked >= POLL_S:
            self.look()
        return self._stopped.killed(agent, server, tool)

    def look(self) -> None:
        """Read the file if it is another than the one that was read; a fault leaves the last good one."""
        self._looked = self._clock()
        try:
            found = self.path.stat()
        except FileNotFoundError:
            # Who removes the file of a stopped agent may not have meant to start it.
            self.fault = f"{self.path} is gone; the last one counts" if self._stamp else ""
            return
        except OSError as error:
            self.fault = f"{self.path}: {error}"
            return
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp == self._stamp:
            return
        try:
            self._stopped = parse(self.path.read_text(encoding="utf-8"), str(self.path))
            self._stamp, self.fault = stamp, ""
        except (OSError, UnicodeDecodeError, SwitchError) as error:
            self.fault = str(error)


def parse(text: str, name: str) -> Stopped:
    """Read the text of a switch file. Raises SwitchError."""
    try:
        killed = json.loads(text)["killed"]
        everything = killed.get("all")
        unknown = set(killed) - {*_SCOPES, "all"}
        if unknown:
            raise SwitchError(f"{name}: killed.{min(unknown)} is unknown; expected {', '.join(_SCOPES)} or all")
        agents, tools, servers = ({key: _kill(one, f"{scope[:-1]} {key}", hidden=scope != "agents")
                                   for key, one in (killed.get(scope) or {}).items()} for scope in _SCOPES)  # fmt: skip
        return Stopped(_kill(everything, "everything") if everything else None, agents, servers, tools)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SwitchError(
            f"{name}: not a switch file ({type(error).__name__}); expected "
            '{"killed": {"agents": {}, "tools": {}, "servers": {}, "all": null}}, each entry with reason, by and at'
        ) from None


def _kill(raw: Mapping[str, Any], scope: str, *, hidden: bool = False) -> Kill:
    return Kill(str(raw["reason"]), str(raw["by"]), str(raw["at"]), scope, hidden)
