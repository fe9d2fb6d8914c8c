"""What two releases differ in, with the texts of prompts and tool definitions side by side, line by line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Final

from delivery.errors import DeliveryError
from delivery.releases import PromptPin, ToolPin
from delivery.releases.diff import Change, Pin
from delivery.releases.tools import breaking
from delivery.store import Store

_MOST: Final = 400
_LARGEST: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One change. `lines` are those of a diff, each with its kind: add, del, same, place."""

    change: Change
    lines: list[tuple[str, str]]
    breaks: list[str]
    note: str = ""


def differences(store: Store, found: list[Change]) -> list[Difference]:
    """Every change with its text, where there is one."""
    return [_difference(store, change) for change in found]


def _difference(store: Store, change: Change) -> Difference:
    old, new = _text(store, change.before), _text(store, change.after)
    if old is None and new is None:
        return Difference(change=change, lines=[], breaks=[], note=_settings(change))
    if max(len(old or ""), len(new or "")) > _LARGEST:
        return Difference(change=change, lines=[], breaks=[], note="The texts are too large to compare here.")
    lines = [*_lines(old or "", new or "")]
    note = f"{len(lines) - _MOST} more lines are not shown." if len(lines) > _MOST else ""
    return Difference(change=change, lines=lines[:_MOST], breaks=_breaks(change, old, new), note=note)


def _text(store: Store, pin: Pin | None) -> str | None:
    """A prompt's text, or a tool's definition with one key a line; None where the store does not have it."""
    try:
        if isinstance(pin, PromptPin):
            return store.text(pin.sha256)
        if isinstance(pin, ToolPin):
            return json.dumps(json.loads(store.text(pin.schema_sha256)), indent=2, sort_keys=True, ensure_ascii=False)
    except (DeliveryError, ValueError):
        return None
    return None


def _breaks(change: Change, old: str | None, new: str | None) -> list[str]:
    """Calls that were right and would not be any more."""
    if not isinstance(change.after, ToolPin) or old is None or new is None:
        return []
    try:
        return [*breaking(json.loads(old), json.loads(new))]
    except (ValueError, TypeError, AttributeError, DeliveryError):
        return []


def _lines(old: str, new: str) -> Iterator[tuple[str, str]]:
    kinds = {"+": "add", "-": "del", " ": "same", "@": "place"}
    for number, line in enumerate(unified_diff(old.splitlines(), new.splitlines(), lineterm="")):
        if number > 1:  # the two names, of which there are none
            yield kinds.get(line[:1], "same"), line


def _settings(change: Change) -> str:
    """What differs in pins without a text."""
    before = change.before.content if change.before else {}
    after = change.after.content if change.after else {}
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    told = [f"{key}: {_short(before.get(key))} → {_short(after.get(key))}" for key in keys if key != "version"]
    return "; ".join(told)


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"  # noqa: PLR2004 a digest's beginning is enough
