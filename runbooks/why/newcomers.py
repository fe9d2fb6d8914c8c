"""Read and find: tools and agents that came while the environment was at work, and what they took the place of.

Nothing was before to compare them with. Where another one went at that moment, it is what was before. Where none did,
they are compared with what their KPIs promise: what breaks its promise from the first call on is new and broken.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentobs.contract import ABSENT, Label
from alerts.catalogue import AGENT_SUCCESS, MIN_EVENTS, MODEL_SUCCESS, TASK_SUCCESS, TOOL_SUCCESS
from alerts.statistics import against
from runbooks.why import evidence
from runbooks.why.changes import VersionChange
from runbooks.why.evidence import Cells, Part
from runbooks.why.explanations import Examined, Explanation
from runbooks.why.places import Kind, Place
from runbooks.why.reading import Reader, Row
from runbooks.why.spans import Mask, Numbers
from runbooks.why.stretches import is_missed
from runbooks.why.tables import Table

NEAR: Final = 3
"""Columns by which what goes may outlast what comes in its place, or be gone before."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A tool or an agent that is new since column `first`; `instead` went when it came."""

    place: Place
    first: int
    instead: str = ""


@dataclass(frozen=True, slots=True)
class _Use:
    """Columns in which something was called, and who called it."""

    used: Mask
    callers: frozenset[str]

    @property
    def first(self) -> int:
        return int(np.flatnonzero(self.used)[0])

    @property
    def last(self) -> int:
        return int(np.flatnonzero(self.used)[-1])


def find(reader: Reader) -> list[Newcomer]:
    """Every tool and agent that came; nothing where tasks are too few to miss one."""
    rows = reader.rows(TASK_SUCCESS.denominator) or reader.rows(AGENT_SUCCESS.denominator)
    tasks = np.sum([counts for _, counts in rows], axis=0) if rows else np.zeros(reader.span.columns)
    found = []
    for kind, kpi in ((Kind.TOOL, TOOL_SUCCESS), (Kind.AGENT, AGENT_SUCCESS)):
        uses = _uses(reader.rows(kpi.denominator), kind)
        for name, use in uses.items():
            if tasks[: use.first].sum() >= MIN_EVENTS and is_missed(
                use.used, tasks > 0, slice(use.first, None), slice(use.first)
            ):
                place = Place(reader.span.environment, kind, name)
                found.append(Newcomer(place, use.first, _instead(name, uses, tasks)))
    return found


def _uses(rows: Iterable[Row], kind: Kind) -> dict[str, _Use]:
    own = Label.TOOL if kind is Kind.TOOL else Label.AGENT
    found: dict[str, _Use] = {}
    for labels, counts in rows:
        name = labels.get(own, ABSENT)
        caller = labels.get(Label.AGENT, ABSENT) if kind is Kind.TOOL else ""
        if name != ABSENT and counts.any():
            known = found.get(name, _Use(np.zeros(len(counts), bool), frozenset()))
            found[name] = _Use(known.used | (counts > 0), known.callers | {caller})
    return found


def _instead(name: str, uses: Mapping[str, _Use], tasks: Numbers) -> str:
    """The one that went when it came, of the same callers; none where several did, or it may have paused."""
    mine = uses[name]
    gone = [
        other
        for other, use in uses.items()
        if abs(use.last + 1 - mine.first) <= NEAR
        and use.first < mine.first
        and use.callers & mine.callers
        and is_missed(use.used, tasks > 0, slice(use.first, use.last + 1), slice(use.last + 1, None))
    ]
    return gone[0] if len(gone) == 1 else ""


def replaced(found: Iterable[Newcomer]) -> dict[Place, str]:
    """What is read together with a newcomer: what it took the place of."""
    return {newcomer.place: newcomer.instead for newcomer in found if newcomer.instead}


def promises(
    tables: Iterable[Table], found: Iterable[Newcomer], changes: Iterable[VersionChange]
) -> Iterator[tuple[Table, VersionChange | Place]]:
    """Tables without a before, and whose they are: of a newcomer that took nobody's place, and of a first model."""
    new = {newcomer.place for newcomer in found if not newcomer.instead}
    models = {Place(c.place[Label.ENVIRONMENT], Kind.AGENT, c.name): c for c in changes if _is_first_model(c)}
    for table in tables:
        if table.kpi.promise is None:
            continue
        if table.place in new:
            yield table, table.place
        elif table.kpi is MODEL_SUCCESS and table.place in models:
            yield table, models[table.place]


def _is_first_model(change: VersionChange) -> bool:
    return change.dimension.key == "model" and change.is_first


def judged(table: Table, of: VersionChange | Place, tried: int) -> Examined | None:
    """A table against its promise, from its first event on; None where it keeps it, or has too few events to tell."""
    cells = Cells(table)
    used = np.flatnonzero(table.events.sum(axis=0))
    if not len(used):
        return None
    part = Part(np.ones(len(table.rows), bool), int(used[0]), table.span.columns)
    mask = cells.mask([part])
    dispersion = evidence.scatter(cells, mask)
    compared = against(table.kpi, table.counts(mask), dispersion)
    if compared is None or not compared.matters:
        return None
    explanation = Explanation(of, [part], None, max(0.0, -math.log(max(compared.p, 1e-300))), 0.0, part.first)
    return Examined(cells, [explanation], compared, max(1, tried), dispersion, 1.0)
