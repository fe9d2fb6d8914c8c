"""Many comparisons: what a single one may claim so that all of them together keep their promise."""

from collections.abc import Sequence


def holm(chances: Sequence[float | None], level: float) -> set[int]:
    """Numbers of those that are beyond chance, all taken together; None was not compared. Source: Holm 1979."""
    ordered = sorted((chance, number) for number, chance in enumerate(chances) if chance is not None)
    found: set[int] = set()
    for rank, (chance, number) in enumerate(ordered):
        if chance > level / (len(ordered) - rank):
            break
        found.add(number)
    return found
