"""What installed distributions need."""

import re
from collections.abc import Iterable
from importlib import metadata

from packaging.requirements import Requirement


def closure(requirements: Iterable[str]) -> list[metadata.Distribution]:
    """The distributions that satisfy these requirements here, and those that they need, each once."""
    found: dict[tuple[str, frozenset[str]], metadata.Distribution] = {}
    for text in requirements:
        _add(Requirement(text), found)
    return list({normal(each.name): each for each in found.values()}.values())


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _add(wanted: Requirement, found: dict[tuple[str, frozenset[str]], metadata.Distribution]) -> None:
    key = normal(wanted.name), frozenset(wanted.extras)
    if key in found:
        return
    found[key] = metadata.distribution(wanted.name)
    chosen = [{"extra": extra} for extra in wanted.extras] or [{"extra": ""}]
    for text in found[key].requires or []:
        further = Requirement(text)
        if further.marker is None or any(further.marker.evaluate(each) for each in chosen):
            _add(further, found)
