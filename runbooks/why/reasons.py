"""Why a cause is believed, what speaks against it, and what would tell it from another, in sentences."""

from collections.abc import Iterator, Sequence

import numpy as np

from agentobs.contract import Label, Track
from alerts.catalogue import MIN_EVENTS
from alerts.statistics import compare
from runbooks import wording
from runbooks.why import words
from runbooks.why.document import Evidence, Hypothesis, Status
from runbooks.why.examination import Examination
from runbooks.why.explanations import labelled
from runbooks.why.joining import Incident, Symptom
from runbooks.why.places import Kind

_PERCENT = 100


def of(  # noqa: PLR0913 what is known of one hypothesis
    examination: Examination,
    incident: Incident,
    lead: Symptom,
    first: Evidence,
    *,
    status: Status,
    until: float | None,
) -> list[str]:
    """Return the reasons, the size of the harm first."""
    found = [*_size(lead, first)]
    found += [*_end(incident, status, until), *_control(lead), *_unharmed(examination, incident)]
    return [*found, *of_inputs(examination)]


def of_inputs(examination: Examination) -> Iterator[str]:
    """How the mix of tasks changed, if it did."""
    drift = examination.drift
    if drift is not None:
        yield (
            f"The mix of tasks changed at {wording.clock(float(examination.span.edges[drift.border]))}:"
            f" {drift.grown} went from {drift.before * _PERCENT:.0f} % to {drift.after * _PERCENT:.0f} % of the tasks."
        )


def _size(lead: Symptom, first: Evidence) -> Iterator[str]:
    unit = first.unit
    if lead.comparison.promised:
        yield (
            f"{first.title} of {words.place(first.subject)} is {wording.amount(first.after.value, unit)} over"
            f" {first.after.events:,.0f} events since its first call; promised is {wording.promised(lead.table.kpi)}."
            " Nothing was before to compare it with."
        )
        yield (
            f"Tested: {first.tested}. Chance alone breaks the promise so with p {words.chance(first.p, '= ')},"
            f" corrected for {_comparisons(first)}."
        )
        return
    yield (
        f"{first.title} of {words.place(first.subject)} went from {wording.amount(first.before.value, unit)} to"
        f" {wording.amount(first.after.value, unit)} (worse by {words.effect(first)}), over"
        f" {first.before.events:,.0f} events before and {first.after.events:,.0f} after."
    )
    yield (
        f"Tested: {first.tested}. Chance alone does that with p {words.chance(first.p, '= ')},"
        f" corrected for {_comparisons(first)}."
    )


def _comparisons(first: Evidence) -> str:
    return "one comparison" if first.comparisons == 1 else f"{first.comparisons} comparisons"


def _end(incident: Incident, status: Status, until: float | None) -> Iterator[str]:
    if until is None:
        return
    table = incident.lead.table
    late = np.broadcast_to(table.span.edges[:-1] >= until, table.bad.shape)
    since = table.counts(late)
    when = wording.clock(until)
    did = f"It was taken back at {when}" if status is Status.TAKEN_BACK else f"It ended at {when}"
    if since.total < MIN_EVENTS:
        yield f"{did}; only {since.total:.0f} events since, too few to call it well."
        return
    value = wording.amount(since.value, table.kpi.unit)
    before = wording.amount(incident.lead.comparison.before.value, table.kpi.unit)
    title = table.kpi.title.lower()
    yield f"{did}, and since then {title} is {value} over {since.total:,.0f} events (before: {before})."


def _control(lead: Symptom) -> Iterator[str]:
    """Whether the previous version, or the stable track, got worse on the same traffic at the same time as well."""
    explanation, table, cells = lead.explanation, lead.table, lead.examined.cells
    change = explanation.change
    if change is None or lead.comparison.promised:
        return
    mask = cells.mask(explanation.parts)
    rows = labelled(change, table)
    among = rows[1] if rows else np.ones(len(table.rows), bool)
    columns = table.span.overlaps(change.since, change.until or table.span.end + 1)
    columns[explanation.first] = False  # what ran in it before the change ran in it too
    others = among & ~rows[0] if rows else among
    beside = others[:, None] & columns[None, :] & ~mask
    earlier = among[:, None] & (table.span.edges[1:] <= change.since)[None, :] & ~mask
    same, before = table.counts(beside), table.counts(earlier)
    who = f"{change.dimension.key} {change.was}"
    if same.events < MIN_EVENTS:
        yield f"Hardly any traffic ran on {who} beside it, so the moment and the calls that carry it are what tells."
        return
    tracks = set(table.values(Label.TRACK))
    track = " (stable track)" if {Track.STABLE, Track.CANARY} <= tracks else ""
    value = wording.amount(same.value, table.kpi.unit)
    compared = compare(table.kpi, before, same)
    if compared is not None and compared.matters and compared.p < 0.001:  # noqa: PLR2004 one comparison
        yield f"But {who}{track} got worse at the same time as well, to {value}: look for something else too."
        return
    yield (
        f"On the same traffic at the same time {who}{track} stayed at {value}"
        f" (before: {wording.amount(before.value, table.kpi.unit)}), so it is not the traffic."
    )


def _unharmed(examination: Examination, incident: Incident) -> Iterator[str]:
    """How many other places have the same KPI and did not get worse; which agents call a tool and do not suffer."""
    lead = incident.lead.table
    user = incident.place.user if incident.place is not None else ""
    if user:
        others = [agent for agent in examination.callers.get(lead.place.name, []) if agent != user]
        yield f"Others that call it did not get worse: {', '.join(others)}. So it is how {user} calls it, not the tool."
        return
    sick = {s.table.place for each in examination.incidents for s in each.symptoms if s.table.kpi is lead.kpi}
    well = {table.place for table in examination.tables if table.kpi is lead.kpi} - sick
    if well and lead.place.kind is not Kind.SYSTEM:
        plural = "s" if len(well) > 1 else ""
        yield f"{len(well)} other {lead.place.kind}{plural} did not get worse."


def tells_apart(first: Hypothesis, rivals: Sequence[Hypothesis]) -> list[str]:
    """What to do to learn which of them it is."""
    return [text for rival in rivals for text in _between(first, rival)]


def _between(first: Hypothesis, rival: Hypothesis) -> Iterator[str]:
    one, other = first.culprit, rival.culprit
    if one and other:
        yield (
            f"Take back only the {one.dimension} ({one.version} -> {one.previous}) for a share of the traffic: if that"
            f" share is well, it was the {one.dimension}, else the {other.dimension} {other.version}."
        )
    elif one or other:
        accused = one or other
        assert accused is not None  # noqa: S101 one of both is
        yield (
            f"Run {accused.previous} beside {accused.version} for a few minutes: if both are as bad, it is not the"
            f" version."
        )
    else:
        yield f"Compare failing traces of {words.place(first.subject)} and of {words.place(rival.subject)}."
