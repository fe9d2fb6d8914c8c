"""What may explain that a table got worse, and which cells a cause makes bad."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentobs.contract import ABSENT, Label, Track
from alerts.statistics import Comparison
from runbooks.why import mechanism
from runbooks.why.changes import VersionChange
from runbooks.why.evidence import Cells, Part
from runbooks.why.places import Place
from runbooks.why.spans import Mask
from runbooks.why.tables import Table

_MOST: Final = 0.5


@dataclass(frozen=True, eq=False)
class Explanation:
    """A cause on a table: the cells it makes bad, its gain over no cause (nats, scatter paid), and its log odds before.

    `among` are the rows it is compared with, None for all. `first` is the column where it begins, `last` the one after
    its end if it is over.
    """

    of: VersionChange | Place
    parts: Sequence[Part]
    among: Mask | None
    gain: float
    odds: float
    first: int
    last: int | None = None

    @property
    def change(self) -> VersionChange | None:
        """The version change, if it is one."""
        return self.of if isinstance(self.of, VersionChange) else None

    @property
    def end(self) -> int | None:
        """The column before which it is compared: a fault that is over must be worse than what was before it."""
        return self.last if self.change is None else None

    @property
    def score(self) -> float:
        """Log of how probable it is, up to a constant of the table."""
        return self.gain + self.odds


@dataclass(frozen=True, eq=False)
class Examined:
    """A table with its explanations, the best first, and the test that shows the change best.

    `scale` divides gains: by the dispersion, and where the best is beyond `_PROPORTIONS` nats, to that.
    """

    cells: Cells
    explanations: Sequence[Explanation]
    best: Comparison
    tried: int
    dispersion: float
    scale: float

    @property
    def table(self) -> Table:
        """What was examined."""
        return self.cells.table

    @property
    def p(self) -> float:
        """The chance that chance does as well, over everything that was tried like it."""
        return min(1.0, self.best.p * self.tried)


def columns_of(change: VersionChange, table: Table) -> tuple[int, int]:
    """The first column of a change's use and the one after its last."""
    first = table.span.column(change.since + 1e-6)
    last = table.span.column(change.until - 1e-6) + 1 if change.until is not None else table.span.columns
    return first, max(first + 1, last)


def labelled(change: VersionChange, table: Table) -> tuple[Mask, Mask] | None:
    """Rows that run the version, and all rows of its entity; None where rows do not say which version they run."""
    values = table.values(change.dimension.version)
    if change.dimension.version not in table.rows[0] or (values == ABSENT).all():
        return None
    entity = rows_of(change, change.entity, table)
    own = entity & np.asarray(values == change.version, dtype=bool)
    return own, entity | rows_of(change, change.replaces, table) if change.replaces else entity


def rows_of(change: VersionChange, entity: Sequence[str], table: Table) -> Mask:
    """Rows of an entity that a change is about: its own, or the one that it replaces."""
    found = np.ones(len(table.rows), dtype=bool)
    for label, wanted in zip(change.dimension.entity, entity, strict=True):
        if label is not Label.ENVIRONMENT and label in table.rows[0]:
            of_rows = table.values(label)
            if (of_rows != ABSENT).any():
                found &= np.asarray(of_rows == wanted, dtype=bool)
    return found


def of_track(table: Table) -> tuple[Mask, Mask] | None:
    """Rows of the canary's track, and all rows, where tasks of both tracks can be told apart."""
    own = np.asarray(table.values(Label.TRACK) == Track.CANARY, dtype=bool)
    return (own, np.ones(len(own), bool)) if own.any() and not own.all() else None


def on_canary(change: VersionChange, tables: Iterable[Table]) -> bool:
    """Whether most of a version's calls ran on the canary's track, and most of the others' did not."""
    mine, others = np.zeros(2), np.zeros(2)
    for table in tables:
        track = np.asarray(table.values(Label.TRACK) == Track.CANARY, dtype=bool)
        rows = labelled(change, table) if track.any() and mechanism.is_home(change, table.place) else None
        if rows is None:
            continue
        own, rest = rows[0], rows[1] & ~rows[0]
        events = table.events.sum(axis=1)
        mine += events[own].sum(), events[own & track].sum()
        others += events[rest].sum(), events[rest & track].sum()
    return bool(mine[1] > _MOST * mine[0] > 0 and others[1] < _MOST * others[0])
