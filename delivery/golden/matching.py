"""Which recorded answer belongs to a call: by its arguments in one spelling, each recording once."""

import copy
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentobs import canonical
from agentobs.canonical import CanonicalError
from delivery.golden.tape import Call, Surface, Tape


@dataclass(frozen=True, slots=True)
class Miss:
    """A call that no recording answers."""

    server: str
    tool: str
    why: str

    def __str__(self) -> str:
        return f"tape miss: {self.server}.{self.tool}: {self.why}"


@dataclass(slots=True)
class Player:
    """The tape of one run of one case, as far as it was played. `asked` are the calls in their order."""

    tape: Tape
    surfaces: Mapping[str, Surface]
    misses: list[Miss] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _played: set[int] = field(default_factory=set)

    def answer(self, server: str, tool: str, arguments: Mapping[str, Any]) -> Call | Miss:
        """The recording of a call, or why there is none. The next one not yet played comes first."""
        self.asked.append((tool, dict(arguments)))
        same = [number for number, call in enumerate(self.tape.calls) if (call.server, call.tool) == (server, tool)]
        wanted = self._key(server, tool, arguments)
        matching = [number for number in same if self._key(server, tool, self.tape.calls[number].arguments) == wanted]
        fresh = [number for number in matching if number not in self._played]
        if not fresh and self.tape.match == "sequence":
            fresh = [number for number in same if number not in self._played]
            self.drift += [self._changes(server, tool, arguments, fresh[:1])] if fresh else []
        if fresh:
            self._played.add(fresh[0])
            return self.tape.calls[fresh[0]]
        if matching and self._hinted(server, tool):
            return self.tape.calls[matching[-1]]
        return self._missed(server, tool, arguments, same, again=bool(matching))

    def unused(self) -> list[str]:
        """Recorded calls that nobody made."""
        return [
            f"{call.server}.{call.tool}" for number, call in enumerate(self.tape.calls) if number not in self._played
        ]

    def _missed(self, server: str, tool: str, arguments: Mapping[str, Any], same: list[int], *, again: bool) -> Miss:
        if again:
            why = "called more often than recorded, and the tool does not say that it only reads (readOnlyHint)"
        elif same:
            why = self._changes(server, tool, arguments, same)
        else:
            known = sorted({f"{call.server}.{call.tool}" for call in self.tape.calls})
            why = f"this tool was not called when the tape was recorded, only {', '.join(known) or 'none'}"
        miss = Miss(server, tool, why)
        self.misses.append(miss)
        return miss

    def _changes(self, server: str, tool: str, arguments: Mapping[str, Any], same: Iterable[int]) -> str:
        """The nearest recording, and where it differs."""
        now = self._filled(server, tool, arguments)
        recorded = [self._filled(server, tool, self.tape.calls[number].arguments) for number in same]
        nearest = min(recorded, key=lambda each: len(_differing(each, now)))
        keys = _differing(nearest, now)
        told = "; ".join(f"{key}: recorded {nearest.get(key)!r:.60}, now {now.get(key)!r:.60}" for key in keys)
        return f"no recording has these arguments; the nearest differs in {told}"

    def _hinted(self, server: str, tool: str) -> bool:
        return server in self.surfaces and self.surfaces[server].hinted(tool)

    def _filled(self, server: str, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        defaults = self.surfaces[server].defaults(tool) if server in self.surfaces else {}
        return without({**defaults, **arguments}, self.tape.ignore.get(tool, ()))

    def _key(self, server: str, tool: str, arguments: Mapping[str, Any]) -> bytes:
        filled: Any = self._filled(server, tool, arguments)
        if self.tape.match == "normalised":
            filled = _folded(filled)
        try:
            return canonical.canonical(filled)
        except CanonicalError:
            return repr(filled).encode("utf-8", "replace")


def without(document: Mapping[str, Any], pointers: Iterable[str]) -> dict[str, Any]:
    """A document without what JSON pointers point at."""
    made = copy.deepcopy(dict(document))
    for pointer in pointers:
        *above, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        place: Any = made
        for part in above:
            place = place.get(part) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(last, None)
    return made


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*one, *other} if key not in one or key not in other or one[key] != other[key])


def _folded(value: Any) -> Any:  # noqa: ANN401 any JSON
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    if isinstance(value, dict):
        return {key: _folded(each) for key, each in value.items()}
    return [_folded(each) for each in value] if isinstance(value, list) else value
