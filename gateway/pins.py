"""Pins: the definitions of tools that somebody has reviewed, and what becomes of a tool that is another now.

A pin holds the whole definition, so that a change can be told and classed. Not here: what a change is (`drift`).
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from agentobs.canonical import CanonicalError, digest
from agentobs.errors import AgentobsError
from agentobs.guard.reading import Reader
from gateway.drift import Change, Kind, changes, pinned
from gateway.raw import Listing

OLD_S: Final = 300.0
_BLOCKS: Final = (Kind.CAPABILITY, Kind.TEXT)

_log = logging.getLogger(__name__)


class PinError(AgentobsError):
    """A pins file that cannot be used; the message names the file, what was expected and the fix."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What was reviewed of one server."""

    version: str
    instructions: str
    tools: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Drift:
    """What is otherwise than reviewed. Without a tool it is about the whole server."""

    server: str
    tool: str
    words: str
    blocks: bool = True
    rug_pull: bool = False


@dataclass(slots=True)
class Pins:
    """Compares what servers say with their pins. Where it does not enforce, it only tells."""

    pins: Mapping[str, Pin] | None = None
    enforce: bool = True
    clock: Callable[[], float] = time.monotonic
    told: Callable[[Drift], None] = lambda _drift: None
    found: dict[str, tuple[Drift, ...]] = field(default_factory=dict)
    hashes: dict[tuple[str, str], str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    _read: dict[str, float] = field(default_factory=dict)

    def listed(self, server: str, expected: str | None, listing: Listing) -> None:
        """Take note of what a server says now; a drift that was not there before is told."""
        pin = self.pins.get(server) if self.pins is not None else None
        drifts = tuple(compare(server, pin, listing, expected, pinning=self.pins is not None))
        for drift in drifts:
            if drift not in self.found.get(server, ()):
                _log.warning("drift: %s %s", f"{server}/{drift.tool}" if drift.tool else server, drift.words)
                self.told(drift)
        self.found[server], self._read[server], self.versions[server] = drifts, self.clock(), listing.version
        for tool in listing.tools:
            self.hashes[server, str(tool.get("name"))] = _hash(tool) or "none"

    def drift(self, server: str, tool: str) -> str:
        """Why a tool must not be called or shown; empty when it may."""
        for one in self.found.get(server, ()):
            if one.blocks and one.tool in {"", tool} and (self.enforce or one.words == _NO_FORM):
                return one.words
        if self.enforce and self.pins is not None and server in self._read:
            age = self.clock() - self._read[server]
            if age > OLD_S:
                return f"its definition was last read {age:.0f} s ago; at most {OLD_S:.0f} s count"
        return ""


_NO_FORM: Final = "its definition has no canonical form, so that it cannot be pinned"


def compare(server: str, pin: Pin | None, listing: Listing, expected: str | None, *, pinning: bool) -> list[Drift]:
    """What is otherwise than reviewed, at a server."""
    names = Counter(str(tool.get("name")) for tool in listing.tools)
    found = [Drift(server, name, "two tools have this name") for name, count in names.items() if count > 1]
    found += [Drift(server, str(tool.get("name")), _NO_FORM) for tool in listing.tools if _hash(tool) is None]
    if expected and listing.version != expected:
        found.append(
            Drift(server, "", f"the server is {listing.version or 'of no version'}; the policy says {expected}")
        )
    if not pinning:
        return found
    if pin is None:
        return [*found, Drift(server, "", "nobody has reviewed this server; fix: agentobs gateway pins accept")]
    changed = _changed(pin, listing)
    if changed and listing.version == pin.version:
        name, change = changed[0]
        words = f"the version is still {pin.version or 'none'}, and {name or 'the server'} is another: {change}"
        found.append(Drift(server, "", words, rug_pull=True))
    return found + [Drift(server, tool, str(change), change.kind in _BLOCKS) for tool, change in changed]


def _changed(pin: Pin, listing: Listing) -> list[tuple[str, Change]]:
    now = {str(tool.get("name")): pinned(tool) for tool in listing.tools}
    found: list[tuple[str, Change]] = []
    if listing.instructions != pin.instructions:
        found.append(("", Change(Kind.TEXT, "instructions", "say something else")))
    for name in sorted({*now, *pin.tools}):
        if name not in pin.tools:
            found.append((name, Change(Kind.CAPABILITY, "the tool", "is new")))
        elif name not in now:
            found.append((name, Change(Kind.NARROWED, "the tool", "is gone")))
        else:
            found += [(name, change) for change in changes(pin.tools[name], now[name])]
    return found


def taken(listings: Mapping[str, Listing]) -> dict[str, Pin]:
    """Pins of what servers say now."""
    return {
        server: Pin(one.version, one.instructions, {str(tool["name"]): pinned(tool) for tool in one.tools})
        for server, one in listings.items()
    }


def load(path: Path) -> dict[str, Pin]:
    """Read a pins file. Raises PinError."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise PinError(f"{path}: cannot be read: {error}; fix: agentobs gateway pins accept") from None
    faults: list[str] = []
    reader = Reader(raw, "", faults)
    found = {name: _pin(each) for name, each in reader.inner("servers").each("a server")}
    reader.close()
    if faults:
        raise PinError("\n".join(f"{path}: {fault}" for fault in faults))
    return found


def _pin(reader: Reader) -> Pin:
    def anything(value: object) -> Any:  # noqa: ANN401 as it came
        return value

    version, instructions = (str(reader.take(key, anything, default="") or "") for key in ("version", "instructions"))
    tools: dict[str, Mapping[str, Any]] = {}
    for name, each in reader.inner("tools").each("a tool"):
        digested, definition = each.take("sha256", anything), each.take("definition", anything)
        if not isinstance(definition, dict) or _hash(definition) != digested:
            each.wrong("sha256", "is not that of the definition below; fix: agentobs gateway pins accept, after review")
        else:
            tools[name] = definition
        each.close()
    reader.close()
    return Pin(version, instructions, tools)


def dump(pins: Mapping[str, Pin]) -> str:
    """The text of a pins file."""
    document = {
        "servers": {
            server: {
                "version": pin.version,
                "instructions": pin.instructions,
                "tools": {
                    name: {"sha256": _hash(tool), "definition": dict(tool)} for name, tool in sorted(pin.tools.items())
                },
            }
            for server, pin in sorted(pins.items())
        }
    }
    head = "# Reviewed definitions of tools, written by `agentobs gateway pins accept`.\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _hash(tool: Mapping[str, Any]) -> str | None:
    try:
        return digest(pinned(tool))
    except CanonicalError:
        return None
