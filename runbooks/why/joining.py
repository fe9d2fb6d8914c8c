"""Explain, first half: incidents, and whether what is known explains one more table."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from alerts import catalogue
from alerts.catalogue import Kpi
from alerts.statistics import Comparison
from runbooks.why import evidence, mechanism
from runbooks.why.changes import VersionChange
from runbooks.why.evidence import Part
from runbooks.why.explaining import Explainer
from runbooks.why.explanations import Examined, Explanation
from runbooks.why.places import Kind, Place
from runbooks.why.tables import Table

NEW: Final = math.log(0.1)
"""Odds of one more cause at the same time as one that is known."""
NEAR: Final = (-2, 4)
"""Columns around the beginning of an incident in which its other symptoms begin."""
HALF: Final = 0.5
_ENOUGH: Final = 0.75
BEHIND: Final = 0.001
"""Chance, all places paid for, of what lies behind a symptom that is certain."""
RUNS: Final = (catalogue.AGENT_SUCCESS, catalogue.AGENT_LATENCY)


@dataclass(frozen=True, eq=False)
class Symptom:
    """A table that got worse, as its incident explains it."""

    examined: Examined
    explanation: Explanation
    comparison: Comparison

    @property
    def table(self) -> Table:
        """What got worse."""
        return self.examined.table


@dataclass(eq=False)
class Incident:
    """One cause with its symptoms, its clearest one first; `confidence` is its probability among its `rivals`.

    `shared` are the KPIs that a cause of several places can make worse, empty where the place itself tells.
    """

    explanation: Explanation
    symptoms: list[Symptom]
    confidence: float = 1.0
    shared: Sequence[Kpi] = ()
    rivals: list[tuple[Symptom, float]] = field(default_factory=list)

    @property
    def lead(self) -> Symptom:
        """The symptom that was found first, at the deepest place."""
        return self.symptoms[0]

    @property
    def change(self) -> VersionChange | None:
        """The version that did it, if one did."""
        return self.explanation.change

    @property
    def place(self) -> Place | None:
        """The place without a version, if it is one."""
        return self.explanation.of if isinstance(self.explanation.of, Place) else None


def shown_by(one: Examined, explanation: Explanation) -> Symptom | None:
    """A table as an explanation of it shows it; None where too few events remain to compare."""
    if one.best.promised:
        return Symptom(one, explanation, one.best)
    mask = one.cells.mask(explanation.parts)
    comparison = evidence.judged(one.cells, mask, one.dispersion, explanation.among, explanation.end)
    return Symptom(one, explanation, comparison) if comparison is not None else None


def add(incident: Incident, one: Examined, explanation: Explanation) -> bool:
    """Make a table a symptom of an incident; False where too few events remain to compare."""
    shown = shown_by(one, explanation)
    if shown is not None:
        incident.symptoms.append(shown)
    return shown is not None


def as_new(explanation: Explanation, table: Table, explainer: Explainer) -> Explanation:
    """Odds of a cause that no other table has shown: less, where it should have shown at home first and did not."""
    change = explanation.change
    if change is None or change in explainer.hinted or mechanism.is_home(change, table.place):
        return explanation
    return replace(explanation, odds=explanation.odds + math.log(mechanism.NOT_AT_HOME))


def has_version(one: Examined) -> bool:
    """Whether a version of the place explains a table best."""
    change = one.explanations[0].change
    return change is not None and mechanism.is_home(change, one.table.place)


def joins(fit: Explanation, own: Explanation, one: Examined, explainer: Explainer) -> bool:
    """Whether a known cause explains a table well enough that no other is needed.

    Where it is known to show, most of the gain is enough: no cause fits to the last call.
    """
    grade = mechanism.grade(fit.of, one.table.kpi, one.table.place, explainer.callers)
    everywhere = isinstance(fit.of, Place) and fit.of.kind is Kind.SYSTEM
    if everywhere and own.change is not None and mechanism.is_home(own.change, one.table.place):
        return fit.score >= own.score
    return fit.score >= own.score + NEW or (grade >= mechanism.COMMON and fit.gain >= _ENOUGH * own.gain)


def best_fit(one: Examined, incidents: Iterable[Incident], explainer: Explainer) -> tuple[Incident, Explanation] | None:
    """The incident that explains a table best, with its explanation of it."""
    fits = [(incident, fit) for incident in incidents for fit in fitted(incident, one, explainer)]
    return max(fits, key=lambda pair: pair[1].score, default=None)


def fitted(incident: Incident, one: Examined, explainer: Explainer) -> list[Explanation]:
    """An incident's cause on another table."""
    cause, table = incident.explanation, one.table
    if incident.shared and table.kpi not in incident.shared:
        return []
    if cause.change is None and incident.symptoms and not mechanism.follows(incident.lead.table.kpi, table.kpi):
        return []
    grade = mechanism.grade(cause.of, table.kpi, table.place, explainer.callers)
    if grade <= 0:
        return []
    odds = math.log(grade)
    if cause.change is not None:
        found = [*explainer.version(cause.change, one.cells, odds)]
        return [replace(fit, gain=fit.gain / one.scale) for fit in found if fit.gain > 0]
    every = np.ones(len(table.rows), bool)
    ends: Iterable[int] = [table.span.columns]
    if cause.last is not None:
        ends = range(cause.last, max(cause.last + 1, explainer.late(table, cause.last - 1)))
    columns = range(max(0, cause.first + NEAR[0]), explainer.late(table, cause.first) + 1)
    tried = [(column, last) for column in columns for last in ends if column < last]
    if not tried:
        return []
    gained = one.cells.gains_of(every, [begin for begin, _ in tried], [end for _, end in tried]) / one.scale
    column, last = tried[int(gained.argmax())]
    over = last if cause.last is not None else None
    best = Explanation(cause.of, [Part(every, column, last)], None, float(gained.max()), odds, column, over)
    return [best] if best.gain > 0 else []


def belongs(one: Examined, incidents: Sequence[Incident], explainer: Explainer) -> bool:
    """Whether a table needs no cause besides those that are known."""
    fit = best_fit(one, incidents, explainer)
    own = max((as_new(e, one.table, explainer) for e in one.explanations), key=lambda explanation: explanation.score)
    return fit is not None and joins(fit[1], own, one, explainer)


def explains(incidents: Iterable[Incident], one: Examined, explainer: Explainer) -> bool:
    """Whether an incident explains a table that is not certain by itself: then it is no question of its own."""
    fit = best_fit(one, incidents, explainer)
    return fit is not None and fit[1].gain >= HALF * max(e.gain for e in one.explanations)
