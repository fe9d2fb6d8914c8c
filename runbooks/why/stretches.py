"""Read: stretches of time in which a version, a tool or an agent was in use, from its counts per column.

It is in use in a column if calls ran it. It is gone when so many calls ran others that it would hardly have been missed
by chance: a rare canary, or a lull, is not taken for a series of deployments.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from runbooks.why.spans import Mask, Numbers

_RETURNED: Final = 10.0
"""Fewer calls of an old version after its end are stragglers, not its return."""
_MISSED: Final = 1e-4
"""It is gone when its silence has at most this chance."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something in use, from its first to its last column; `over` if it is gone after that."""

    version: str
    first: int
    last: int
    over: bool


def cut(version: str, counts: Numbers, total: Numbers) -> Iterator[Stretch]:
    """Cut the uses of one version where it was gone and others ran instead. `total` counts all, with its own."""
    used = np.flatnonzero(counts)
    others = np.concatenate([[0.0], np.cumsum(total - counts)])
    first = last = int(used[0])
    for column in map(int, used[1:]):
        if is_gone(counts, total, first, last, others[column] - others[last + 1]):
            if counts[column:].sum() < _RETURNED and not others[-1] - others[column] < _RETURNED:
                break  # calls that were in flight when another version took over
            yield Stretch(version, first, last, over=True)
            first = column
        last = column
    yield Stretch(version, first, last, over=is_gone(counts, total, first, last, others[-1] - others[last + 1]))


def is_gone(counts: Numbers, total: Numbers, first: int, last: int, without: float) -> bool:
    """Whether so many calls without it cannot be chance, given its share of the calls while it was in use."""
    own, every = float(counts[first : last + 1].sum()), float(total[first : last + 1].sum())
    share = min(0.99, own / (every + 1))
    return without * math.log1p(-share) < math.log(_MISSED)


def is_missed(used: Mask, at_work: Mask, during: slice, without: slice) -> bool:
    """Whether columns of work without its calls cannot be chance, by its share of columns in use.

    Columns, not calls: calls of one run come in bundles.
    """
    share = min(0.99, float(used[during].sum()) / max(1, int((at_work | used)[during].sum())))
    return int(at_work[without].sum()) * math.log1p(-share) < math.log(_MISSED)


def ran_before(counts: Numbers, total: Numbers, stretch: Stretch) -> bool:
    """Whether a version may well have run before its first call in the window: the calls before it are too few."""
    if counts[: stretch.first].any():
        return False
    return not is_gone(counts, total, stretch.first, stretch.last, float(total[: stretch.first].sum()))
