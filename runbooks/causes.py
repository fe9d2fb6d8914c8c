"""Which causes explain all symptoms together: version changes, and faults without a version at a place and a moment.

Every symptom has one cause out of many, and causes that explain other symptoms too are more probable: a mixture with a
Dirichlet prior, solved by zero-order collapsed variational inference (Asuncion et al. 2009). A version change is one
candidate. A fault without a version may begin at any border, so each border has a share of one candidate's prior: that
is what makes a version that changed at the very moment the better explanation, and one that did not the worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from runbooks import mechanism
from runbooks.cells import Mask, Numbers
from runbooks.changes import VersionChange
from runbooks.places import Kind, Place
from runbooks.symptoms import Findings, Symptom

_ROUNDS: Final = 60
_MOST_OF_IT: Final = 0.5  # of what the best explanation gains


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A candidate. `border` is the moment of a fault without a version. `shares` is its probability per symptom."""

    of: VersionChange | Place
    border: int | None
    shares: Numbers

    @property
    def change(self) -> VersionChange | None:
        """The version change, if it is one."""
        return self.of if isinstance(self.of, VersionChange) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A cause with the symptoms that it explains best and its probability, that of its clearest symptom."""

    cause: Cause
    lead: Symptom
    symptoms: list[Symptom]
    confidence: float
    weight: float


def weigh(
    findings: Findings,
    changes: Sequence[VersionChange],
    callers: Mapping[str, list[str]],
    drifted_at: int | None = None,
) -> list[Cause]:
    """Return the probability of every candidate. `drifted_at` is the border at which the inputs visibly changed."""
    symptoms = findings.certain
    if not symptoms:
        return []
    columns = symptoms[0].table.span.columns
    environment = symptoms[0].table.place.environment
    places = sorted({s.table.place for s in symptoms} | {Place(environment, Kind.SYSTEM)})
    prior, moments = [1.0] * len(changes), _moments(findings.settled)
    blocks = [
        _at_home(change, symptoms, np.array([[_of_change(s, change, callers)] for s in symptoms])) for change in changes
    ]
    for place in places:
        blocks.append(_at_home(place, symptoms, np.array([_of_place(s, place, callers) for s in symptoms])))
        at_border = moments.copy()
        if drifted_at is not None and place.kind is Kind.SYSTEM:
            at_border[max(0, drifted_at - 1) : drifted_at + 2] = 1.0
        prior.extend(at_border)
    shares = _shares(np.concatenate(blocks, axis=1), np.array(prior))
    found = [Cause(of=change, border=None, shares=shares[:, number]) for number, change in enumerate(changes)]
    for number, place in enumerate(places):
        first = len(changes) + number * columns
        block = shares[:, first : first + columns]
        found.append(Cause(of=place, border=int(block.sum(axis=0).argmax()), shares=block.sum(axis=1)))
    return found


def _moments(settled: Mask) -> Numbers:
    """Prior of a fault at each border: equal, and columns that cannot be told apart count as one."""
    prior = np.full(len(settled), 1.0 / max(1, len(settled) - 1))
    first = 0
    for column in range(1, len(settled) + 1):
        if column == len(settled) or settled[column] or settled[first]:
            prior[first:column] /= column - first
            first = column
    return prior


def _at_home(cause: VersionChange | Place, symptoms: Sequence[Symptom], fits: Numbers) -> Numbers:
    """The fits (symptoms x moments) of a cause, weighed down elsewhere when nothing is seen at home."""
    home = np.array([mechanism.is_home(cause, symptom.table.place) for symptom in symptoms])
    gains = np.array([symptom.gain for symptom in symptoms])
    if bool((fits.max(axis=1)[home] > gains[home] * _MOST_OF_IT).any()):
        return fits
    return np.where(home[:, None], fits, fits + np.log(mechanism.NOT_AT_HOME))


def _of_change(symptom: Symptom, change: VersionChange, callers: Mapping[str, list[str]]) -> float:
    grade = mechanism.grade(change, symptom.table.kpi, symptom.table.place, callers)
    gain = symptom.versions.get(change, 0.0)
    return float(np.log(grade) + gain) if grade > 0 and gain > 0 else -np.inf


def _of_place(symptom: Symptom, place: Place, callers: Mapping[str, list[str]]) -> Numbers:
    grade = mechanism.grade(place, symptom.table.kpi, symptom.table.place, callers)
    if grade <= 0:
        return np.full_like(symptom.borders, -np.inf)
    return np.where(symptom.borders > 0, np.log(grade) + symptom.borders, -np.inf)


def _shares(fits: Numbers, prior: Numbers) -> Numbers:
    """Probability of each candidate (columns) for each symptom (rows); rows add up to one."""
    best = fits.max(axis=1, keepdims=True)
    likely = np.exp(fits - np.where(np.isfinite(best), best, 0.0))
    shares = _normalised(likely * prior)
    for _ in range(_ROUNDS):
        others = shares.sum(axis=0, keepdims=True) - shares
        shares = _normalised(likely * (prior + others))
    return shares


def _normalised(weights: Numbers) -> Numbers:
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weights, total, out=np.zeros_like(weights), where=total > 0))


def explain(symptoms: Sequence[Symptom], causes: Sequence[Cause]) -> list[Explained]:
    """Causes that explain at least one symptom best, the weightiest first."""
    gains = np.array([symptom.gain for symptom in symptoms])
    found = []
    for cause in causes:
        mine = [n for n in range(len(symptoms)) if cause.shares[n] == max(c.shares[n] for c in causes)]
        if mine:
            lead = max(mine, key=lambda n: cause.shares[n] * gains[n])
            found.append(
                Explained(
                    cause=cause,
                    lead=symptoms[lead],
                    symptoms=[symptoms[n] for n in sorted(mine, key=lambda n: -symptoms[n].worst.z)],
                    confidence=float(cause.shares[lead]),
                    weight=float((cause.shares * gains).sum()),
                )
            )
    return sorted(found, key=lambda explained: -explained.weight)
