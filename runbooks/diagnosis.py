"""`why`: which agent broke, why, and since which version. Asks a `MetricsSource`, returns a `Diagnosis`.

Method: find every version change in the window, compare each KPI that can be sliced by that version before and
after, and blame the change whose worst KPI moved furthest beyond chance. A first, honest version: it looks at one
change at a time and does not separate effects of changes that came together; those are listed beside the verdict.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from alerts import catalogue, promql
from alerts.catalogue import DIAGNOSED, DIMENSIONS, TASK_COST, TASK_LATENCY, TASK_SUCCESS, Kpi, Selector
from alerts.source import EXPORT_DELAY_S, MetricsSource
from collector import signals
from collector.signals import ErrorClass, Label
from runbooks import changes, symptoms
from runbooks.changes import VersionChange
from runbooks.comparison import Comparison, Reading, compare
from runbooks.culprit import name_culprit
from runbooks.report import Change, Diagnosis, Evidence, TraceLink, Verdict, evidence_of
from runbooks.symptoms import Symptom

_MAX_STEPS: Final = 600
_MIN_STEP_S: Final = 2.0
_ZOOM: Final = 100
_FINEST_S: Final = 1.0
_RECENT_S: Final = 900.0
_IMPACT: Final = (TASK_SUCCESS, TASK_LATENCY, TASK_COST)
_MOST_EVIDENCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The period under examination, unix seconds; `where` narrows it, for example to one environment."""

    start: float
    end: float
    where: Mapping[Label, str]

    @property
    def step(self) -> float:
        """Resolution of the version timeline in seconds."""
        return max(_MIN_STEP_S, (self.end - self.start) / _MAX_STEPS)


@dataclass(frozen=True, slots=True)
class _Suspect:
    change: VersionChange
    comparisons: list[Comparison]

    @property
    def regressions(self) -> list[Comparison]:
        return sorted((c for c in self.comparisons if c.is_regression), key=lambda c: -c.z)

    @property
    def score(self) -> float:
        return max((c.z for c in self.regressions), default=0.0)


def diagnose(source: MetricsSource, window: Window) -> Diagnosis:
    """Return the verdict for `window`. Raises whatever the source raises when it cannot answer."""
    suspects = [_examine(source, window, change) for change in _changes(source, window)]
    # What is at work now comes before what has been idle, however bad that was.
    recent = window.end - _RECENT_S
    guilty = max(suspects, key=lambda s: (s.score > 0, s.change.last_use >= recent, s.score), default=None)
    if guilty is not None and guilty.score > 0:
        others = [s for s in suspects if s is not guilty]
        return _regression(source, window, guilty, others)
    return _without_culprit(source, window, suspects)


def _changes(source: MetricsSource, window: Window) -> Iterable[VersionChange]:
    for dimension in DIMENSIONS:
        query = promql.total(dimension.activity, dimension.labels, window.where)
        timeline = source.range(query, window.start, window.end, window.step)
        for change in changes.find(dimension, timeline, window.start, window.step):
            yield replace(change, since=_first_use(source, window, change))


def _first_use(source: MetricsSource, window: Window, change: VersionChange) -> float:
    """The moment of the change, finer than the timeline: zoom in, then take the first trace that Prometheus kept.

    A counter shows a call only when the collector exports it; the exemplar carries the time of the call itself.
    """
    dimension, where = change.dimension, {**window.where, **change.where(change.version)}
    start, fine = change.since - window.step - EXPORT_DELAY_S, max(_FINEST_S, window.step / _ZOOM)
    zoomed = source.range(promql.total(dimension.activity, dimension.labels, where), start, change.since, fine)
    moments = [at for series in zoomed for at in changes.uses(series.points, start, fine)]
    counted = min(moments, default=change.since)
    called = source.exemplars(promql.exemplars(dimension.activity, where), counted - EXPORT_DELAY_S, counted)
    return min((exemplar.at for exemplar in called), default=counted)


def _read(source: MetricsSource, kpi: Kpi, where: Mapping[Label, str], start: float, end: float) -> Reading:
    def increase(selector: Selector) -> float:
        samples = source.instant(promql.increase(selector, (), where, end - start), end)
        return samples[0].value if samples else 0.0

    return Reading(increase(kpi.numerator), increase(kpi.denominator))


def _examine(source: MetricsSource, window: Window, change: VersionChange) -> _Suspect:
    """Compare every KPI that carries the version's labels: old version before the change, new version after it."""
    # Counters show a use late, so the periods may begin early: the version label keeps the two apart.
    before_start = max(window.start, change.previous_since - window.step)
    comparisons = []
    for kpi in DIAGNOSED:
        if not kpi.sliced_by(change.dimension.labels):
            continue
        old = _read(source, kpi, {**window.where, **change.where(change.previous)}, before_start, window.end)
        new = _read(
            source, kpi, {**window.where, **change.where(change.version)}, change.since - window.step, window.end
        )
        comparison = compare(kpi, old, new)
        if comparison is not None:
            comparisons.append(comparison)
    return _Suspect(change, comparisons)


def _regression(source: MetricsSource, window: Window, guilty: _Suspect, others: list[_Suspect]) -> Diagnosis:
    change = guilty.change
    return Diagnosis(
        verdict=Verdict.REGRESSION,
        culprit=name_culprit(source, change, window.where, window.start, window.end),
        evidence=[evidence_of(c) for c in guilty.regressions[:_MOST_EVIDENCE]],
        impact=_impact(source, _within(window, change), change.since),
        trace=_trace(source, window, guilty),
        other_changes=[_as_change(suspect) for suspect in others],
        window_start=window.start,
        window_end=window.end,
    )


def _within(window: Window, change: VersionChange) -> Window:
    """The window, narrowed to the environment of the change."""
    here = {Label.ENVIRONMENT: change.where(change.version)[Label.ENVIRONMENT]}
    return replace(window, where={**window.where, **here})


def _as_change(suspect: _Suspect) -> Change:
    change = suspect.change
    environment, *entity = change.entity
    return Change(
        environment=environment,
        dimension=change.dimension.key,
        entity=" ".join(dict.fromkeys(entity)),  # a prompt often bears its agent's name
        version=change.version,
        previous=change.previous,
        since=change.since,
        worst=[evidence_of(c) for c in suspect.regressions[:1]],
    )


def _impact(source: MetricsSource, window: Window, since: float) -> list[Evidence]:
    """What users of the whole system noticed: task KPIs before and after the moment of the change."""
    found = []
    for kpi in _IMPACT:
        before = _read(source, kpi, window.where, window.start, since)
        after = _read(source, kpi, window.where, since, window.end)
        comparison = compare(kpi, before, after)
        if comparison is not None:
            found.append(evidence_of(comparison))
    return found


def _trace(source: MetricsSource, window: Window, guilty: _Suspect) -> TraceLink | None:
    change = guilty.change
    where = {**window.where, **change.where(change.version)}
    return _trace_of(source, change.dimension.activity, where, change.since - window.step, window.end)


def _trace_of(
    source: MetricsSource, activity: Selector, where: Mapping[Label, str], start: float, end: float
) -> TraceLink | None:
    """The newest trace of a failed call of `activity`, or of any call where none failed."""
    for selection in ({**where, Label.ERROR_CLASS: f"!{ErrorClass.NONE}"}, where):
        found = source.exemplars(promql.exemplars(activity, selection), start, end)
        if found:
            return TraceLink(trace_id=max(found, key=lambda exemplar: exemplar.at).trace_id)
    return None


def _without_culprit(source: MetricsSource, window: Window, suspects: list[_Suspect]) -> Diagnosis:
    """No version is to blame: say whether something got worse all the same, of which agent or tool, since when."""
    found = _varied(symptoms.find(source, window.where, window.start, window.end))
    tasks = _read(source, TASK_SUCCESS, window.where, window.start, window.end).denominator
    verdict = Verdict.SYMPTOM if found else Verdict.HEALTHY if tasks else Verdict.NO_DATA
    return Diagnosis(
        verdict=verdict,
        culprit=None,
        evidence=[evidence_of(s.comparison, s.subject, s.since) for s in found[:_MOST_EVIDENCE]],
        impact=[],
        trace=_symptom_trace(source, window, found[0]) if found else None,
        other_changes=[_as_change(suspect) for suspect in suspects],
        window_start=window.start,
        window_end=window.end,
    )


def _varied(found: list[Symptom]) -> list[Symptom]:
    """Strongest first, but the strongest of every KPI before a second one: ten slow agents must not hide timeouts."""
    seen: Counter[str] = Counter()
    ranks = []
    for symptom in found:
        ranks.append(seen[symptom.comparison.kpi.key])
        seen[symptom.comparison.kpi.key] += 1
    return [symptom for _, symptom in sorted(zip(ranks, found, strict=True), key=lambda pair: pair[0])]


def _symptom_trace(source: MetricsSource, window: Window, symptom: Symptom) -> TraceLink | None:
    calls = signals.TOOL_CALLS if Label.TOOL in symptom.subject else signals.AGENT_CALLS
    activity = catalogue.activity(calls)
    return _trace_of(source, activity, {**window.where, **symptom.subject}, symptom.since, window.end)
