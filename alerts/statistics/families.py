"""Many comparisons and many looks: what a single one may claim so that all of them together keep their promise."""

from collections.abc import Sequence
from typing import Final

LOOKS_PER_HOUR: Final = 180
"""Asked every 20 s."""


def holm(chances: Sequence[float | None], level: float) -> set[int]:
    """Numbers of those that are beyond chance, all taken together; None was not compared. Source: Holm 1979."""
    ordered = sorted((chance, number) for number, chance in enumerate(chances) if chance is not None)
    found: set[int] = set()
    for rank, (chance, number) in enumerate(ordered):
        if chance > level / (len(ordered) - rank):
            break
        found.add(number)
    return found


def per_look(level_per_hour: float) -> float:
    """Level of one look, so that an hour of looks keeps its own (union bound: it needs no independence)."""
    return level_per_hour / LOOKS_PER_HOUR
