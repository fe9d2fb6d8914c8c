"""`why`: which agent broke, why, since which version, and how sure that is. Asks a `MetricsSource`.

Method, for each environment of the window: read every KPI by place, version and time (`reading`, `changes`); find what
got worse and what explains each table (`evidence`, `explaining`); explain all of it by few causes (`incidents`); say it
(`findings`, `reasons`, `fixes`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentobs.contract import Label
from alerts.catalogue import (
    HALVES,
    LOOK_LEVEL,
    MIN_EVENTS,
    SUGGESTIVE_P,
    TASK_COST,
    TASK_LATENCY,
    TASK_SUCCESS,
    Kpi,
)
from alerts.source import MetricsSource
from alerts.statistics import Counts, compare
from runbooks import wording
from runbooks.why import contributions, dating, findings, history, mechanism, reasons, spans, traces, urgency
from runbooks.why.changes import VersionChange
from runbooks.why.document import (
    Change,
    Diagnosis,
    Evidence,
    Hypothesis,
    Origin,
    Status,
    Undecided,
    Verdict,
    evidence_of,
)
from runbooks.why.evidence import Cells, judged
from runbooks.why.examination import Examination, examine
from runbooks.why.explanations import Explanation, labelled
from runbooks.why.findings import Finding

_IMPACT: Final = (TASK_SUCCESS, TASK_LATENCY, TASK_COST)
_SILENT_S: Final = 300.0
_POOR: Final = 0.5
_MOST_UNDECIDED: Final = 5
_MOST_CHANGES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The period under examination, unix seconds; `where` narrows it, for example to one environment."""

    start: float
    end: float
    where: Mapping[Label, str]


Tell = Callable[[int, int], None]


def diagnose(source: MetricsSource, window: Window, tell: Tell = lambda done, total: None) -> Diagnosis:  # noqa: ARG005
    """Return the verdict for `window`. Raises whatever the source raises when it cannot answer.

    `tell` hears how many environments are done, and of how many.
    """
    at_work = spans.find(source, window.where, window.start, window.end)
    examined: list[Examination] = []
    for span in at_work:
        tell(len(examined), len(at_work))
        examined.append(examine(source, span, window.where))
    found = [
        findings.find(one, 0, incident, _since(source, one, incident.explanation))
        for one in examined
        for incident in one.incidents
    ]
    found = urgency.ordered(found, window.end)
    if not found:
        return _without_findings(window, examined, _elsewhere(source, window) if not examined else [])
    return _with_findings(source, window, examined, found)


def _since(source: MetricsSource, examination: Examination, explanation: Explanation) -> float:
    if explanation.change is not None:
        return dating.since(source, examination.span, explanation.change)
    came = examination.newcomer(explanation)
    return dating.coming(source, examination.span, came) if came else float(examination.span.edges[explanation.first])


def _with_findings(
    source: MetricsSource, window: Window, examined: Sequence[Examination], found: Sequence[Finding]
) -> Diagnosis:
    first = found[0]
    case, document = first.examination, first.document
    change = first.incident.change
    here = {**window.where, Label.ENVIRONMENT: case.span.environment}
    began = document.since - case.span.segments[-1].width
    ended = document.until if document.until is not None else window.end
    failing = traces.failing(source, first.incident.explanation.of, here, began, ended)
    lead = first.incident.lead.table
    uses = []
    if change is not None:
        led_here = [c for c in case.changes if (c.dimension, c.entity) == (change.dimension, change.entity)]
        uses = history.of(source, change, led_here, lead, window.end)
    verdict = _verdict(first)
    changes, left = _other_changes(examined, found, document)
    return Diagnosis(
        verdict=verdict,
        culprit=None if verdict is Verdict.ONE_OF_THESE else document.culprit,
        evidence=document.evidence,
        impact=_impact(case, document.since, ended),
        trace=failing[0] if failing else None,
        other_changes=changes,
        other_changes_left=left,
        hypotheses=_numbered(found),
        # Of something new there is no old value beyond which it is in excess.
        contributions=[]
        if first.incident.lead.comparison.promised
        else contributions.of(lead.kpi, case.tables, document.since),
        history=uses,
        warnings=history.warnings(uses, change, window.end) if change is not None else [],
        notes=_notes(window, examined),
        undecided=_undecided(examined),
        failing_traces=failing,
        baseline_traces=traces.baseline(source, first.incident.explanation.of, here, window.start, began),
        window_start=window.start,
        window_end=window.end,
    )


def _verdict(first: Finding) -> Verdict:
    if first.document.status is not Status.OPEN:
        return Verdict.RESOLVED
    if first.ambiguous:
        return Verdict.ONE_OF_THESE
    if first.document.origin is Origin.NEW:
        return Verdict.NEWCOMER
    return Verdict.REGRESSION if first.document.culprit is not None else Verdict.SYMPTOM


def _numbered(found: Sequence[Finding]) -> list[Hypothesis]:
    """The causes of all incidents; then the rivals, those of the first incident first.

    Where the first incident is one of two, its rival comes second.
    """
    causes = [f.document.model_copy(update={"incident": n}) for n, f in enumerate(found)]
    rivals = [rival.model_copy(update={"incident": n}) for n, f in enumerate(found) for rival in f.rivals]
    if found[0].ambiguous:
        close = [rival for rival in rivals if rival.incident == 0]
        return [causes[0], *close, *causes[1:], *(rival for rival in rivals if rival.incident != 0)]
    return [*causes, *rivals]


def _elsewhere(source: MetricsSource, window: Window) -> list[str]:
    """Where nothing was found, whether another environment is meant."""
    wanted = window.where.get(Label.ENVIRONMENT)
    if wanted is None:
        return []
    others = sorted(span.environment for span in spans.find(source, {}, window.start, window.end))
    known = f"There were: {', '.join(others)}." if others else "Nor of any other one."
    return [f"Nothing was measured of environment {wanted} since {wording.clock(window.start)}. {known}"]


def _without_findings(window: Window, examined: Sequence[Examination], notes: list[str]) -> Diagnosis:
    undecided = _undecided(examined)
    events = max((float(table.below.sum()) for one in examined for table in one.tables), default=0.0)
    if not events:
        verdict = Verdict.NO_DATA
    elif undecided or events < MIN_EVENTS:
        verdict = Verdict.NOT_ENOUGH_DATA
    else:
        verdict = Verdict.HEALTHY
    changes, left = _other_changes(examined, [], None)
    return Diagnosis(
        verdict=verdict,
        culprit=None,
        evidence=[],
        impact=[],
        trace=None,
        other_changes=changes,
        other_changes_left=left,
        notes=[*notes, *_notes(window, examined)],
        undecided=undecided,
        window_start=window.start,
        window_end=window.end,
    )


def _notes(window: Window, examined: Sequence[Examination]) -> list[str]:
    """What the verdict does not say: other inputs, silence, and tasks that fail all the time."""
    notes = [text for one in examined for text in reasons.of_inputs(one)]
    for one in examined:
        where = one.span.environment or "telemetry without an environment"
        if window.end - one.span.end > _SILENT_S:
            ago = wording.ago(window.end - one.span.end)
            notes.append(f"{where}: nothing has run since {wording.clock(one.span.end)} ({ago} ago).")
        tasks = _tasks(one, TASK_SUCCESS, 0.0, one.span.end)
        if tasks.value is not None and tasks.total >= MIN_EVENTS and tasks.value < _POOR:
            share = wording.amount(tasks.value, TASK_SUCCESS.unit)
            notes.append(f"{where}: only {share} of {tasks.total:,.0f} tasks succeeded in this window.")
    return notes


def _undecided(examined: Sequence[Examination]) -> list[Undecided]:
    documents = [
        Undecided(
            evidence=evidence_of(one.best, one.table.place.labels, None, one.tried, one.table.bound),
            events_needed=one.best.events_needed(one.tried * HALVES, LOOK_LEVEL),
        )
        for examination in examined
        for one in sorted(examination.open, key=lambda one: one.p)
    ]
    return documents[:_MOST_UNDECIDED]


def _other_changes(
    examined: Sequence[Examination], found: Sequence[Finding], first: Hypothesis | None
) -> tuple[list[Change], int]:
    """Changes that are not accused, nearest to the first finding (else newest) first, and how many are left out."""
    accused = {id(finding.incident.change) for finding in found}
    accused |= {id(rival.explanation.change) for finding in found for rival, _ in finding.incident.rivals}
    others = [(one, c) for one in examined for c in one.changes if id(c) not in accused and not c.from_start]
    near = first.since if first is not None else float("inf")
    others.sort(key=lambda pair: abs(near - pair[1].since) if first else -pair[1].since)
    shown = [
        Change(
            environment=change.place.get(Label.ENVIRONMENT, ""),
            dimension=change.dimension.key,
            entity=change.name,
            version=change.version,
            previous=change.was,
            since=change.since,
            until=change.until,
            worst=_worst(one, change),
            events=_events(one, change),
        )
        for one, change in others[:_MOST_CHANGES]
    ]
    return shown, len(others) - len(shown)


def _worst(examination: Examination, change: VersionChange) -> list[Evidence]:
    """The KPI at home that got worst with a version, if one did by more than is tolerated: certain or not."""
    found = []
    for table in examination.tables:
        rows = labelled(change, table) if mechanism.is_home(change, table.place) else None
        if rows is not None:
            mask = np.broadcast_to(rows[0][:, None], table.bad.shape)
            compared = judged(Cells(table), mask, 1.0, rows[1])
            if compared is not None and compared.matters and compared.p < SUGGESTIVE_P:
                found.append(compared)
    worst = min(found, key=lambda compared: compared.p, default=None)
    return [evidence_of(worst)] if worst else []


def _events(examination: Examination, change: VersionChange) -> float | None:
    """Events of the new version in the KPI of its entity that has most."""
    counted = []
    for table in examination.tables:
        rows = labelled(change, table) if mechanism.is_home(change, table.place) else None
        if rows is not None:
            counted.append(float(table.below[rows[0]].sum()))
    return max(counted, default=None)


def _impact(examination: Examination, since: float, until: float) -> list[Evidence]:
    """What users of the whole system noticed: task KPIs before and while it lasted."""
    made = []
    for kpi in _IMPACT:
        before = _tasks(examination, kpi, 0.0, since)
        during = _tasks(examination, kpi, since, until)
        compared = compare(kpi, before, during)
        if compared is not None:
            made.append(evidence_of(compared))
    return made


def _tasks(examination: Examination, kpi: Kpi, start: float, end: float) -> Counts:
    bad = events = above = below = 0.0
    for table in examination.tables:
        if table.kpi is kpi:
            edges = table.span.edges
            mask = np.broadcast_to((edges[:-1] >= start) & (edges[:-1] < end), table.bad.shape)
            bad, events = bad + float(table.bad[mask].sum()), events + float(table.events[mask].sum())
            above, below = above + float(table.above[mask].sum()), below + float(table.below[mask].sum())
    return Counts(bad, events, above / below if below else None, below)
