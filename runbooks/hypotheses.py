"""From causes to hypotheses a person can weigh: evidence, reasons, fixes, and what cannot be told apart."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.catalogue import LIKELY, MIN_EVENTS
from collector.signals import Label, Track
from runbooks import culprit, fixes, likelihood, wording
from runbooks.case import Case
from runbooks.causes import Cause
from runbooks.comparison import compare
from runbooks.places import Kind, Place
from runbooks.report import Culprit, Evidence, Hypothesis, Origin, evidence_of
from runbooks.symptoms import Symptom

MOST: Final = 3
_MOST_EVIDENCE: Final = 8
_AS_GOOD: Final = 3.0  # within this factor of probability, data tell two hypotheses apart no better than a coin
_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A hypothesis and what it was made from."""

    case: Case
    cause: Cause
    lead: Symptom
    document: Hypothesis
    weight: float


def rank(case: Case) -> list[Ranked]:
    """Return the hypotheses about one environment: causes that hold, then their rivals, the most probable first."""
    held = case.explained
    found = [_made(case, one.cause, one.lead, one.symptoms, one.confidence, one.weight) for one in held]
    named = [one.cause for one in held]
    for one in held:
        for rival, probability in case.rivals(one):
            if rival not in named:
                named.append(rival)
                found.append(_made(case, rival, one.lead, [one.lead], probability, 0.0))
    return [_with_inseparable(ranked, found) for ranked in found]


def _made(  # noqa: PLR0913, PLR0917 one row of the ranking
    case: Case,
    cause: Cause,
    lead: Symptom,
    shown: list[Symptom],
    confidence: float,
    weight: float,
) -> Ranked:
    since = case.since(cause)
    accused: Culprit | None = None
    if cause.change is not None:
        accused = culprit.name(cause.change, case.tables, case.callers, since)
    evidence = [_evidence(case, cause, symptom, since) for symptom in _led_by(lead, shown)]
    subject = _subject(cause)
    origin = _origin(case, cause)
    document = Hypothesis(
        origin=origin,
        confidence=round(confidence, 4),
        title=_title(origin, accused, subject, lead),
        culprit=accused,
        subject=subject,
        since=since,
        evidence=evidence[:_MOST_EVIDENCE],
        reasons=[*_reasons(case, cause, lead, evidence[0])],
        fixes=fixes.of(origin, accused, _whose(subject)),
        inseparable_from=[],
    )
    return Ranked(case=case, cause=cause, lead=lead, document=document, weight=weight)


def _led_by(lead: Symptom, shown: list[Symptom]) -> list[Symptom]:
    """The lead first; then the strongest of every KPI before a second one: ten slow agents must not hide timeouts."""
    seen: dict[str, int] = {}
    ranks = []
    for symptom in shown:
        key = symptom.table.kpi.key
        ranks.append(seen.get(key, 0))
        seen[key] = ranks[-1] + 1
    ordered = [symptom for _, symptom in sorted(zip(ranks, shown, strict=True), key=lambda pair: pair[0])]
    return [lead, *(symptom for symptom in ordered if symptom is not lead)]


def _evidence(case: Case, cause: Cause, symptom: Symptom, since: float) -> Evidence:
    comparison = case.compared(cause, symptom)
    return evidence_of(comparison, symptom.table.place.labels, since, symptom.comparisons)


def _subject(cause: Cause) -> dict[str, str]:
    labels = cause.of.labels if isinstance(cause.of, Place) else cause.of.place
    return {str(label): value for label, value in labels.items()}


def _whose(subject: dict[str, str]) -> str:
    order = (Label.TOOL, Label.AGENT, Label.WORKFLOW, Label.ENVIRONMENT)
    return next((subject[label] for label in order if label in subject), "everything")


def _origin(case: Case, cause: Cause) -> Origin:
    if cause.change is not None:
        return Origin.VERSION
    drift = case.drift
    near = drift is not None and abs(drift.border - (cause.border or 0)) <= case.span.columns // 10
    fits = isinstance(cause.of, Place) and cause.of.kind is not Kind.TOOL
    return Origin.DATA_DRIFT if near and fits else Origin.ENVIRONMENT


def _title(origin: Origin, accused: Culprit | None, subject: dict[str, str], lead: Symptom) -> str:
    if accused is not None:
        return f"{accused.dimension} of {_whose(subject)}: {accused.previous} -> {accused.version}"
    what = lead.table.kpi.title.lower()
    if origin is Origin.DATA_DRIFT:
        return f"other kinds of tasks arrive: {what} got worse"
    return f"{wording.place(subject)} without a version change: {what} got worse"


def _reasons(case: Case, cause: Cause, lead: Symptom, first: Evidence) -> list[str]:
    kpi, unit = first.title, first.unit
    size = (
        f"{kpi} of {wording.place(first.subject)} went from {wording.amount(first.before.value, unit)} to"
        f" {wording.amount(first.after.value, unit)}: {wording.effect(first)} worse with 95 % confidence, over"
        f" {first.before.events:,.0f} events before and {first.after.events:,.0f} after."
    )
    found = [
        size,
        f"Chance alone does that with p = {wording.chance(first.p)}, corrected for {first.comparisons} comparisons.",
    ]
    control = _control(case, cause, lead)
    if control:
        found.append(control)
    others = _unharmed(case, cause, lead)
    if others:
        found.append(others)
    if case.drift is not None:
        drift = case.drift
        found.append(
            f"The mix of tasks changed at {wording.clock(case.span.start + drift.border * case.span.width)}:"
            f" {drift.grown} went from {drift.before * _PERCENT:.0f} % to {drift.after * _PERCENT:.0f} % of the tasks."
        )
    return found


def _control(case: Case, cause: Cause, lead: Symptom) -> str:
    """The previous version on the same traffic at the same time, and the stable track: did they get worse as well."""
    table = lead.table
    since = case.since(cause)
    late = np.broadcast_to(table.span.starts >= since, table.below.shape)
    if cause.change is None:
        return ""
    mask = case.mask(cause, table)
    same, before = table.reading(late & ~mask), table.reading(~late & ~mask)
    who = f"{cause.change.dimension.key} {cause.change.previous}"
    if same.denominator < MIN_EVENTS:
        return f"No traffic ran on {who} after the change, so only the moment tells it from other causes; it fits."
    compared = compare(table.kpi, before, same, likelihood.dispersion(table, mask)[0])
    unit, value = table.kpi.unit, wording.amount(same.value, table.kpi.unit)
    track = " (stable track)" if Track.STABLE in table.values(Label.TRACK) else ""
    if compared is not None and compared.is_regression:
        return f"But {who}{track} got worse at the same time as well, to {value}: look for something else too."
    return (
        f"On the same traffic at the same time {who}{track} stayed at {value}"
        f" (before: {wording.amount(before.value, unit)}), so it is not the traffic."
    )


def _unharmed(case: Case, cause: Cause, lead: Symptom) -> str:
    """How many other places have the same KPI and did not get worse."""
    sick = {s.table.place for s in case.findings.certain if s.table.kpi is lead.table.kpi}
    others = {t.place for t in case.tables if t.kpi is lead.table.kpi} - sick
    own = cause.of if isinstance(cause.of, Place) else None
    if not others or (own is not None and own.kind is Kind.SYSTEM):
        return ""
    plural = "s" if len(others) > 1 else ""
    return f"{len(others)} other {lead.table.place.kind}{plural} did not get worse."


def _with_inseparable(ranked: Ranked, everything: list[Ranked]) -> Ranked:
    own = ranked.document
    if own.confidence >= LIKELY:
        return ranked
    twins = [
        other.document.title
        for other in everything
        if other is not ranked
        and other.lead is ranked.lead
        and own.confidence / _AS_GOOD <= other.document.confidence <= own.confidence * _AS_GOOD
    ]
    return Ranked(
        case=ranked.case,
        cause=ranked.cause,
        lead=ranked.lead,
        document=own.model_copy(update={"inseparable_from": twins}),
        weight=ranked.weight,
    )
