"""What changed in a tool's definition, by what it lets the tool do: more, less, or only say something else.

Text is as dangerous as a capability: a model obeys descriptions. What is not understood counts as a capability.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Json = Any
_TEXTS: Final = frozenset({"description", "title", "default", "examples", "$comment", "icons"})
_UPPER: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_LOWER: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_INNER: Final = frozenset({"items", "additionalProperties", "inputSchema", "outputSchema"})
_NAMED: Final = frozenset({"properties", "$defs", "definitions"})
# What a hint means where it is absent, and the value that allows more.
_HINTS: Final = {"readOnlyHint": (False, False), "destructiveHint": (True, True), "openWorldHint": (True, True),
                 "idempotentHint": (False, False)}  # fmt: skip
_PROTOCOL: Final = "io.modelcontextprotocol/"


class Kind(StrEnum):
    """What a change amounts to, the gravest first."""

    CAPABILITY = "capability"
    TEXT = "text"
    NARROWED = "narrowed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a definition and where it is."""

    kind: Kind
    place: str
    words: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.kind}: {self.place} {self.words}"


def pinned(tool: Mapping[str, Json]) -> dict[str, Json]:
    """What of a definition is pinned: all of it but what the protocol itself writes into `_meta`."""
    meta = {key: value for key, value in (tool.get("_meta") or {}).items() if not key.startswith(_PROTOCOL)}
    rest = {key: value for key, value in tool.items() if key != "_meta"}
    return {**rest, "_meta": meta} if meta else rest


def changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[Change]:
    """What changed between two definitions of a tool; nothing when only the order of keys did."""
    return sorted(_object(old, new, ""), key=lambda change: list(Kind).index(change.kind))


def hidden(value: Json) -> bool:
    """Whether a text anywhere in a definition holds characters that nobody sees and a model reads."""
    if isinstance(value, str):
        return any(unicodedata.category(letter) in {"Cf", "Co"} for letter in value)
    if isinstance(value, Mapping):
        return any(hidden(key) or hidden(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(hidden, value))


def _object(old: Mapping[str, Json], new: Mapping[str, Json], place: str) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if _same(before, after) and (key in old) == (key in new):
            continue
        at = f"{place}.{key}" if place else key
        yield from _key(key, before, after, at)


def _key(key: str, before: Json, after: Json, at: str) -> Iterator[Change]:
    if key in _TEXTS:
        yield Change(Kind.TEXT, at, "holds invisible characters now" if hidden(after) else "says something else")
    elif key == "annotations":
        yield from _annotations(before or {}, after or {}, at)
    elif key in _NAMED:
        yield from _named(before or {}, after or {}, at, key)
    elif key in _INNER and isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _object(before, after, at)
    elif key == "additionalProperties":
        yield Change(Kind.NARROWED if after is False else Kind.CAPABILITY, at, f"is {after} now")
    elif key in _UPPER or key in _LOWER:
        yield _bound(key in _UPPER, before, after, at)
    elif key in {"required", "enum", "type"}:
        yield _set(key, before, after, at)
    else:
        yield Change(Kind.CAPABILITY, at, "changed")


def _named(before: Mapping[str, Json], after: Mapping[str, Json], at: str, key: str) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        where = f"{at}.{name}"
        if name not in before:
            yield Change(Kind.CAPABILITY, where, "is new")
        elif name not in after:
            # A definition that is gone is meant by somebody: who refers to it takes anything now.
            yield Change(Kind.NARROWED if key == "properties" else Kind.CAPABILITY, where, "is gone")
        elif isinstance(before[name], Mapping) and isinstance(after[name], Mapping):
            yield from _object(before[name], after[name], where)
        elif not _same(before[name], after[name]):
            yield Change(Kind.CAPABILITY, where, "changed")


def _annotations(before: Mapping[str, Json], after: Mapping[str, Json], at: str) -> Iterator[Change]:
    for hint, (absent, allows_more) in _HINTS.items():
        is_now = after.get(hint, absent)
        if before.get(hint, absent) is not is_now:
            yield Change(
                Kind.CAPABILITY if is_now is allows_more else Kind.NARROWED, f"{at}.{hint}", f"is {is_now} now"
            )
    was, now = ({key: value for key, value in each.items() if key not in _HINTS} for each in (before, after))
    yield from _object(was, now, at)


def _bound(upper: bool, before: Json, after: Json, at: str) -> Change:  # noqa: FBT001 of two kinds
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    tighter = after is not None and (before is None or (numbers and (after < before if upper else after > before)))
    return Change(Kind.NARROWED if tighter else Kind.CAPABILITY, at, f"is {after} now, was {before}")


def _set(key: str, before: Json, after: Json, at: str) -> Change:
    was, now = ({_text(one) for one in _listed(value)} for value in (before, after))
    if key == "required":
        fewer = bool(was - now)
        return Change(Kind.CAPABILITY if fewer else Kind.NARROWED, at, f"is {', '.join(sorted(now)) or 'nothing'} now")
    # No enum and no type at all take anything.
    tighter = now and now < was if was else bool(now)
    return Change(Kind.NARROWED if tighter else Kind.CAPABILITY, at, f"is {', '.join(sorted(now)) or 'anything'} now")


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Json) -> str:
    return f"{type(value).__name__} {value}" if not isinstance(value, str) else value


def _same(before: Json, after: Json) -> bool:
    """Equal as JSON: true is not 1, and the order of keys is nothing."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)
