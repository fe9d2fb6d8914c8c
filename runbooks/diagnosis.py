"""`why`: which agent broke, why, since which version, and how sure that is. Asks a `MetricsSource`.

Method, for each environment of the window: read every KPI by place, version and time (`cells`); find what got worse,
before against after and new against old (`symptoms`); find the version changes (`changes`); weigh them, and faults
without a version, as causes of all symptoms together (`causes`); put the most probable into words (`hypotheses`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.catalogue import MIN_EVENTS, PROBABLE, TASK_COST, TASK_LATENCY, TASK_SUCCESS, Kpi
from alerts.source import MetricsSource
from collector.signals import Label
from runbooks import case as cases
from runbooks import cells, contributions, history, hypotheses, mechanism, symptoms, traces
from runbooks.case import Case
from runbooks.changes import VersionChange
from runbooks.comparison import Reading, compare
from runbooks.hypotheses import Ranked
from runbooks.report import Change, Diagnosis, Evidence, Origin, Undecided, Verdict, evidence_of

_RECENT_S: Final = 900.0
_IMPACT: Final = (TASK_SUCCESS, TASK_LATENCY, TASK_COST)
_MOST_UNDECIDED: Final = 5
_MOST_EVIDENCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The period under examination, unix seconds; `where` narrows it, for example to one environment."""

    start: float
    end: float
    where: Mapping[Label, str]


def diagnose(source: MetricsSource, window: Window) -> Diagnosis:
    """Return the verdict for `window`. Raises whatever the source raises when it cannot answer."""
    found = [
        cases.examine(source, span, window.where)
        for span in cells.spans(source, window.where, window.start, window.end)
    ]
    ranked = sorted((one for case in found for one in hypotheses.rank(case)), key=lambda one: _urgency(one, window.end))
    if not ranked:
        return _without_findings(window, found)
    return _with_findings(source, window, found, ranked)


def _urgency(ranked: Ranked, end: float) -> tuple[bool, bool, float, float]:
    """What is at work now comes before what has been idle, however bad that was; then what can be rolled back."""
    idle = ranked.case.span.end < end - _RECENT_S
    document = ranked.document
    guilty = document.origin is Origin.VERSION and document.confidence >= PROBABLE
    return idle, not guilty, -ranked.weight, -document.confidence


def _with_findings(source: MetricsSource, window: Window, found: Sequence[Case], ranked: Sequence[Ranked]) -> Diagnosis:
    first = ranked[0]
    case, cause, document = first.case, first.cause, first.document
    change = cause.change
    here = {**window.where, Label.ENVIRONMENT: case.span.environment}
    began = document.since - case.span.width
    failing = traces.failing(source, cause.of, here, began, window.end)
    uses = []
    if change is not None:
        led_here = [c for c in case.changes if (c.dimension, c.entity) == (change.dimension, change.entity)]
        uses = history.of(source, change, led_here, first.lead.table, window.end)
    accused = {id(one.cause.change) for one in ranked if one.document.culprit and one.weight > 0}
    return Diagnosis(
        verdict=Verdict.REGRESSION if change is not None else Verdict.SYMPTOM,
        culprit=document.culprit,
        evidence=document.evidence if change is not None else _of_all(ranked),
        impact=_impact(case, document.since) if change is not None else [],
        trace=failing[0] if failing else None,
        other_changes=[_as_change(c, one) for c in found for one in c.changes if id(one) not in accused],
        hypotheses=[one.document for one in ranked[: hypotheses.MOST]],
        contributions=contributions.of(first.lead.table.kpi, case.tables, document.since),
        history=uses,
        warnings=history.warnings(uses, change, window.end) if change is not None else [],
        undecided=_undecided(found),
        failing_traces=failing,
        baseline_traces=traces.baseline(source, cause.of, here, window.start, began),
        window_start=window.start,
        window_end=window.end,
    )


def _of_all(ranked: Sequence[Ranked]) -> list[Evidence]:
    """Where no version is to blame, everything that got worse: the first of each KPI, then further places of them."""
    every = [*ranked[0].document.evidence]
    every += [evidence for one in ranked[1:] if one.weight > 0 for evidence in one.document.evidence]
    first: dict[str, Evidence] = {}
    for evidence in every:
        first.setdefault(evidence.kpi, evidence)
    more = [evidence for evidence in ranked[0].document.evidence if evidence is not first[evidence.kpi]]
    return [*first.values(), *more][:_MOST_EVIDENCE]


def _without_findings(window: Window, found: Sequence[Case]) -> Diagnosis:
    undecided = _undecided(found)
    events = max((table.reading(np.ones_like(table.below, dtype=bool)).denominator
                  for case in found for table in case.tables), default=0.0)  # fmt: skip
    if not events:
        verdict = Verdict.NO_DATA
    elif undecided or events < MIN_EVENTS:
        verdict = Verdict.NOT_ENOUGH_DATA
    else:
        verdict = Verdict.HEALTHY
    return Diagnosis(
        verdict=verdict,
        culprit=None,
        evidence=[],
        impact=[],
        trace=None,
        other_changes=[_as_change(case, change) for case in found for change in case.changes],
        undecided=undecided,
        window_start=window.start,
        window_end=window.end,
    )


def _undecided(found: Sequence[Case]) -> list[Undecided]:
    documents = [
        Undecided(
            evidence=evidence_of(symptom.worst, symptom.table.place.labels, None, symptom.comparisons),
            events_needed=symptom.worst.events_needed(symptom.comparisons),
        )
        for case in found
        for symptom in case.findings.open
    ]
    return documents[:_MOST_UNDECIDED]


def _as_change(case: Case, change: VersionChange) -> Change:
    """A change that is not accused, with the worst that came with it, if anything certain did."""
    environment, *entity = change.entity
    moved = [
        symptom
        for symptom in case.findings.certain
        if symptom.versions.get(change, 0.0) > 0 and symptom.table.place.labels.items() <= change.place.items()
    ]
    return Change(
        environment=environment,
        dimension=change.dimension.key,
        entity=" ".join(dict.fromkeys(entity)),  # a prompt often bears its agent's name
        version=change.version,
        previous=change.previous,
        since=change.since,
        worst=[evidence_of(symptom.worst, None, None, symptom.comparisons) for symptom in moved[:1]],
        events=_events(case, change),
    )


def _events(case: Case, change: VersionChange) -> float | None:
    """Events of the new version in the KPI of its entity that has most."""
    at_home = [table for table in case.tables if mechanism.is_home(change, table.place)]
    masks = [(table, symptoms.labelled(change, table)) for table in at_home]
    return max((table.reading(mask).denominator for table, mask in masks if mask is not None), default=None)


def _impact(case: Case, since: float) -> list[Evidence]:
    """What users of the whole system noticed: task KPIs before and after the moment of the change."""
    found = []
    for kpi in _IMPACT:
        before, after = _tasks(case, kpi, since, late=False), _tasks(case, kpi, since, late=True)
        comparison = compare(kpi, before, after)
        if comparison is not None:
            found.append(evidence_of(comparison))
    return found


def _tasks(case: Case, kpi: Kpi, since: float, *, late: bool) -> Reading:
    above = below = 0.0
    for table in case.tables:
        if table.kpi is kpi:
            columns = (table.span.starts >= since) == late
            above += float(table.above[:, columns].sum())
            below += float(table.below[:, columns].sum())
    return Reading(above, below)
