"""What changed between two lists of tools, and whether callers of the old one break."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.golden.tape import Surface


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `breaks`: a call that was right before may fail now."""

    tool: str
    text: str
    breaks: bool


def changes(before: Surface, after: Surface) -> Iterator[Change]:
    """All differences of two surfaces of one server."""
    if before.version != after.version:
        yield Change("", f"version {before.version or 'unknown'} became {after.version or 'unknown'}", breaks=False)
    old, new = ({str(tool["name"]): tool for tool in each.tools} for each in (before, after))
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change(name, "is gone", breaks=True)
        elif name not in old:
            yield Change(name, "is new", breaks=False)
        else:
            for text, breaks in _of_tool(old[name], new[name]):
                yield Change(name, text, breaks)


def _of_tool(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    yield from _of_arguments("", old.get("inputSchema") or {}, new.get("inputSchema") or {})
    if old.get("outputSchema") != new.get("outputSchema"):
        yield "its result has another schema", True
    if old.get("annotations") != new.get("annotations"):
        yield "its hints changed", False
    if old.get("description") != new.get("description"):
        yield "its description changed: models may choose it otherwise", False


def _of_arguments(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for name in sorted({*new.get("required", ())} - {*old.get("required", ())}):
        yield f"argument {place}{name} is required now", True
    before, after = old.get("properties") or {}, new.get("properties") or {}
    for name in sorted({*before, *after}):
        here = f"{place}{name}"
        if name not in after:
            yield f"argument {here} is gone", True
        elif name not in before:
            yield f"argument {here} is new", False
        elif before[name].get("type") != after[name].get("type"):
            yield f"argument {here} was {before[name].get('type')}, is {after[name].get('type')}", True
        elif before[name].get("enum") != after[name].get("enum"):
            lost = [value for value in before[name].get("enum") or () if value not in (after[name].get("enum") or ())]
            narrower = bool(lost) or before[name].get("enum") is None
            yield f"argument {here} takes other values" + (f", no longer {lost}" if lost else ""), narrower
        else:
            yield from _of_arguments(f"{here}.", before[name], after[name])
