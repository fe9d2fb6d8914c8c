"""Say, first half: incidents as hypotheses that a person can weigh, with evidence, reasons, harm and fixes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agentobs.contract import Label
from alerts import catalogue
from alerts.catalogue import LIKELY, TASK_SUCCESS
from runbooks.why import culprit, fixes, reasons, rollback, words
from runbooks.why.changes import VersionChange
from runbooks.why.document import Culprit, Evidence, Harm, Hypothesis, Origin, Status, evidence_of
from runbooks.why.examination import Examination
from runbooks.why.explanations import Explanation
from runbooks.why.joining import Incident, Symptom
from runbooks.why.newcomers import Newcomer
from runbooks.why.places import Kind, Place

_MOST_EVIDENCE: Final = 8
_MOST_RIVALS: Final = 2
_AS_GOOD: Final = 3.0
"""Within this factor of probability, data tell two causes apart no better than a coin."""
_ALL: Final = "the tasks"
_INPUTS: Final = (catalogue.REQUEST_TOKENS, catalogue.EVALUATION_PASS, catalogue.HALLUCINATION)
_TOGETHER_S: Final = 30.0
_ITS_FIRST: Final = " (its first)"


@dataclass(frozen=True, eq=False)
class Finding:
    """An incident with its document and those of its rivals."""

    examination: Examination
    incident: Incident
    document: Hypothesis
    rivals: Sequence[Hypothesis]

    @property
    def ambiguous(self) -> bool:
        """Whether the data tell the cause from its rivals no better than a coin."""
        return bool(self.document.inseparable_from)


def find(examination: Examination, number: int, incident: Incident, since: float) -> Finding:
    """Put an incident into words; `since` (unix seconds) is when it began, `number` its place among all."""
    lead, rivals = incident.lead, incident.rivals[:_MOST_RIVALS]
    status, until = _status(examination, incident)
    harm = harm_of(incident)

    def made(explanation: Explanation, confidence: float, began: float, shown: Sequence[Symptom]) -> Hypothesis:
        return _made(examination, incident, explanation, confidence, began, shown, (number, status, until, harm))

    first = made(incident.explanation, incident.confidence, since, _led_by(lead, incident.symptoms))
    others = [made(s.explanation, p, _began(examination, s.explanation), [s]) for s, p in rivals]
    close = [o.title for o in others if first.confidence < LIKELY and o.confidence * _AS_GOOD >= first.confidence]
    apart = reasons.tells_apart(first, [other for other in others if other.title in close])
    return Finding(
        examination=examination,
        incident=incident,
        document=first.model_copy(update={"inseparable_from": close, "tells_apart": apart}),
        rivals=others,
    )


def _made(  # noqa: PLR0913, PLR0917 one row of the ranking
    examination: Examination,
    incident: Incident,
    explanation: Explanation,
    confidence: float,
    since: float,
    shown: Sequence[Symptom],
    common: tuple[int, Status, float | None, Harm],
) -> Hypothesis:
    number, status, until, harm = common
    change, lead = explanation.change, shown[0]
    accused = _accused(examination, change, since)
    subject = _subject(explanation)
    evidence = [_evidence(symptom, since) for symptom in shown]
    origin = origin_of(examination, incident, explanation)
    came = examination.newcomer(explanation)
    ended = status is not Status.OPEN
    with_it = _with_it(examination, change) if change is not None else []
    shared = isinstance(explanation.of, Place) and explanation.of.kind is Kind.SYSTEM
    whose = _places(incident) if shared else _whose(subject)
    user = explanation.of.user if isinstance(explanation.of, Place) else ""
    return Hypothesis(
        incident=number,
        origin=origin,
        status=status,
        until=until,
        harm=harm,
        confidence=round(confidence, 4),
        title=_title_of_new(came, lead) if came else _title(origin, change, subject, incident),
        culprit=accused,
        subject=subject,
        since=since,
        evidence=evidence[:_MOST_EVIDENCE],
        reasons=[
            *reasons.of(examination, incident, lead, evidence[0], status=status, until=until),
            *(
                f"{', '.join(with_it)} changed with it, to the same version: one server, most likely."
                for _ in with_it[:1]
            ),
        ],
        fixes=fixes.of_new(words.place(subject), came.instead)
        if came and not ended
        else fixes.of(origin, accused, whose, lead.table.kpi, ended=ended, shared=shared, user=user, with_it=with_it),
        rollback="" if ended else rollback.command(accused),
        inseparable_from=[],
    )


def _with_it(examination: Examination, change: VersionChange) -> list[str]:
    """Other tools that went from the same version to the same one at the same moment."""
    return [
        other.name
        for other in examination.changes
        if change.dimension.key == "tool"
        and (other.dimension, other.previous, other.version) == (change.dimension, change.previous, change.version)
        and other.name != change.name
        and abs(other.since - change.since) <= _TOGETHER_S
    ]


def _accused(examination: Examination, change: VersionChange | None, since: float) -> Culprit | None:
    if change is None:
        return None
    return culprit.name(change, list(examination.tables), examination.callers, since)


def _began(examination: Examination, explanation: Explanation) -> float:
    if explanation.change is not None:
        return explanation.change.since
    return float(examination.span.edges[explanation.first])


def _led_by(lead: Symptom, shown: Sequence[Symptom]) -> list[Symptom]:
    """The lead first; then the strongest of every KPI before a second one: ten slow agents must not hide time-outs."""
    seen: dict[str, int] = {}
    ranked = []
    for symptom in sorted(shown, key=lambda each: -each.comparison.z):
        key = symptom.table.kpi.key
        ranked.append((seen.get(key, 0), symptom))
        seen[key] = ranked[-1][0] + 1
    ordered = [symptom for _, symptom in sorted(ranked, key=lambda pair: pair[0])]
    return [lead, *(symptom for symptom in ordered if symptom is not lead)]


def _evidence(symptom: Symptom, since: float) -> Evidence:
    place = symptom.table.place
    if isinstance(symptom.explanation.of, Place) and symptom.explanation.of.user:
        place = symptom.explanation.of
    return evidence_of(symptom.comparison, place.labels, since, symptom.examined.tried, symptom.table.bound)


def _subject(explanation: Explanation) -> dict[str, str]:
    labels = explanation.of.labels if isinstance(explanation.of, Place) else explanation.of.place
    return {str(label): value for label, value in labels.items()}


def _whose(subject: dict[str, str]) -> str:
    order = (Label.TOOL, Label.AGENT, Label.WORKFLOW)
    return next((subject[label] for label in order if label in subject), "the tasks")


def origin_of(examination: Examination, incident: Incident, explanation: Explanation) -> Origin:
    """A version; what came; other inputs, where tasks got worse alone, or their kinds moved; else none of them."""
    if explanation.change is not None:
        return Origin.VERSION
    if examination.newcomer(explanation) is not None:
        return Origin.NEW
    whole = isinstance(explanation.of, Place) and explanation.of.kind is Kind.SYSTEM
    drift = examination.drift
    near = drift is not None and abs(drift.border - explanation.first) <= max(2, examination.span.columns // 10)
    tool = isinstance(explanation.of, Place) and explanation.of.kind is Kind.TOOL
    only_tasks = whole and incident.lead.table.kpi is TASK_SUCCESS
    inputs = whole and incident.lead.table.kpi in _INPUTS
    return Origin.DATA_DRIFT if (near and not tool) or only_tasks or inputs else Origin.UNVERSIONED


def _title_of_new(came: Newcomer, lead: Symptom) -> str:
    what = f"new {came.place.kind} {came.place.name}"
    if came.instead:
        return f"{what}, in the place of {came.instead}: {lead.table.kpi.title.lower()} got worse"
    return f"{what}: failing from its first call ({lead.table.kpi.title.lower()})"


def _title(origin: Origin, change: VersionChange | None, subject: dict[str, str], incident: Incident) -> str:
    if change is not None:
        first = _ITS_FIRST if change.is_first else ""
        return f"{change.dimension.key} of {_whose(subject)}: {change.was} -> {change.now}{first}"
    what = incident.lead.table.kpi.title.lower()
    if origin is Origin.DATA_DRIFT:
        return f"other inputs, no version: {what} got worse"
    if incident.place is not None and incident.place.kind is Kind.SYSTEM:
        places = _places(incident)
        return f"{places} together, no version: {what} got worse" if places != _ALL else f"no version: {what} got worse"
    return f"{words.place(subject)} without a version change: {what} got worse"


def _places(incident: Incident) -> str:
    names = list(dict.fromkeys(s.table.place.name for s in incident.symptoms if s.table.place.name))
    if not names:
        return _ALL
    shown = names if len(names) <= _MOST_RIVALS + 1 else [*names[:_MOST_RIVALS], f"{len(names) - _MOST_RIVALS} more"]
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]


def harm_of(incident: Incident) -> Harm:
    """Bad events and failed tasks beyond what the old value would have made."""
    tasks = sum(_excess(symptom) for symptom in incident.symptoms if symptom.table.kpi is TASK_SUCCESS)
    lead = incident.lead.table
    cells = lead.bound is not None and lead.kpi.histogram is None  # stretches of time are no calls
    events = 0.0 if cells else _excess(incident.lead)
    return Harm(tasks=round(tasks, 1), events=round(events, 1), kpi=lead.kpi.key)


def _excess(symptom: Symptom) -> float:
    before, after = symptom.comparison.before, symptom.comparison.after
    return max(0.0, after.bad - before.share * after.events)


def _status(examination: Examination, incident: Incident) -> tuple[Status, float | None]:
    """Open, over, or taken back, and since when; a version that is still in use is open."""
    change = incident.change
    if change is None:
        last = incident.explanation.last
        return (Status.OPEN, None) if last is None else (Status.OVER, float(examination.span.edges[last]))
    if change.until is None:
        return Status.OPEN, None
    # Its successors may have left the fault as it was (their calls are parts of their own): then it goes on.
    goes_on = any(len(symptom.explanation.parts) > 1 for symptom in incident.symptoms)
    if goes_on:
        return Status.OPEN, None
    return (Status.TAKEN_BACK if change.taken_back else Status.OVER), change.until
