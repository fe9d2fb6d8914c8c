"""Searches for traces and lines of logs of what made an alert fire, as far as its labels can be found there."""

from collections.abc import Mapping
from dataclasses import replace
from math import floor
from typing import Final

from agentobs.contract import BAGGAGE_KEYS, Attr, ErrorClass, Event, Label, Operation, Outcome
from alerts.alerting import Alert
from alerts.catalogue import AGENT_RUNS_PER_TASK, UNPRICED, Group, Kpi
from alerts.catalogue.model import Objective
from alerts.catalogue.wanted import Wanted
from alerts.evidence import narrow
from alerts.evidence.model import About, QuickCheck
from alerts.evidence.narrow import Mark
from collector import series_key
from collector.search import Attribute, LineSearch, Op, SpanSearch, Term
from collector.search.model import WARNING, of_version

_SAME: Final = {Mark.EXACT: Op.EQUAL, Mark.PATTERN: Op.MATCHES}
_FAILED: Final = SpanSearch(failed=True)


def _with(key: str, op: Op, value: str | float | Attribute) -> SpanSearch:
    return SpanSearch(terms=(Term(key, op, value),))


def _failed_with(pattern: str) -> SpanSearch:
    return SpanSearch(failed=True, terms=(Term(Attr.ERROR_TYPE, Op.MATCHES, pattern),))


# What the numerator of a KPI selects, and how such a span is recognised.
_OF_NUMERATOR: Final[Mapping[tuple[Label, Wanted], SpanSearch]] = {
    (Label.ERROR_CLASS, ErrorClass.NONE): _FAILED,
    (Label.ERROR_CLASS, ErrorClass.TIMEOUT): _failed_with("(?i).*time.?out.*"),
    (Label.ERROR_CLASS, ErrorClass.RATE_LIMITED): _failed_with("(?i).*(429|rate).*"),
    (Label.OUTCOME, Outcome.SUCCESS): _with(Attr.TASK_OUTCOME, Op.UNEQUAL, Outcome.SUCCESS),
    (Label.OUTCOME, Outcome.TIMEOUT): _with(Attr.TASK_OUTCOME, Op.EQUAL, Outcome.TIMEOUT),
    (Label.STATE, "completed"): _with(Attr.PLAN_COMPLETED, Op.BELOW, Attribute(Attr.PLAN_PLANNED)),
    (Label.IS_RETRY, "true"): _with(Attr.RETRY_ATTEMPT, Op.ABOVE, 0),
    (Label.IS_FALLBACK, "true"): _with(Attr.FALLBACK, Op.EQUAL, value=True),
}
_NUMBERS: Final[Mapping[str, Attr]] = {
    "task_cost": Attr.TASK_COST, "model_cost": Attr.COST, "request_tokens": Attr.INPUT_TOKENS,
    "cache_hits": Attr.INPUT_TOKENS,
}  # fmt: skip
_EVENTS: Final = {
    "evaluation_pass": Term(Attr.EVALUATION_LABEL, Op.EQUAL, "fail"),
    "hallucination": Term(Attr.EVALUATION_LABEL, Op.EQUAL, "fail"),
    "human_score": Term(Attr.EVALUATION_SOURCE, Op.EQUAL, "human"),
    "judge_score": Term(Attr.EVALUATION_SOURCE, Op.EQUAL, "llm_judge"),
}


def traces(alert: Alert, mark: Mark = Mark.EXACT) -> QuickCheck | None:
    """A search for spans that are what the alert is about; None where spans say nothing about it."""
    names = narrow.identity(alert.name)
    if Label.ENVIRONMENT not in names or alert.group in {Group.QUALITY, Group.SAFETY, Group.TELEMETRY}:
        return None
    where = tuple(_term(name, mark) for name in names if name in set(Label) and _is_on_spans(alert, Label(name)))
    wanted, shows = _wanted(alert, mark)
    search = replace(wanted, terms=(*where, *wanted.terms))
    kpi, objective = alert.kpi, alert.watches
    if kpi is AGENT_RUNS_PER_TASK and objective is not None:
        search = replace(search, at_least=floor(objective.target) + 1)
    # What a KPI counts is on spans; of a value that only jumped nobody knows which span it was.
    counted = kpi is not None and any(part in _OF_NUMERATOR for part in kpi.numerator.where.items())
    return QuickCheck(title="Its traces", query=search, shows=shows, about=About.TRACES, answers=counted)


def _is_on_spans(alert: Alert, label: Label) -> bool:
    """Of an alert that is about one of several things, only what all have; names of evaluations are on no span."""
    if alert.group is Group.VERSIONS:
        return label in {Label.ENVIRONMENT, Label.TRACK}
    return label is not Label.EVALUATION


def _term(label: str, mark: Mark) -> Term:
    return Term(series_key.source(Label(label))[1], _SAME[mark], f"${label}")


def _wanted(alert: Alert, mark: Mark) -> tuple[SpanSearch, str]:
    """What the span has to be, and what the search then shows."""
    kpi = alert.kpi
    if kpi is None:
        if alert.group is Group.VERSIONS and "version" not in narrow.identity(alert.name):
            return _FAILED, "Traces with a step that failed, the newest first."
        if "version" in narrow.identity(alert.name):
            shows = "Traces of the new version. Open one that failed beside one of the version before."
            return SpanSearch(any_of=(of_version("$version", _SAME[mark]),)), shows
        return SpanSearch(), "Traces of what the alert is about, the newest first."
    return _of_kpi(kpi, alert.watches), "Traces in which it happened. Open one: the step that is marked says what."


def _of_kpi(kpi: Kpi, objective: Objective | None) -> SpanSearch:
    for part in kpi.numerator.where.items():
        if part in _OF_NUMERATOR:
            return _OF_NUMERATOR[part]
    if kpi is UNPRICED:
        return _with(Attr.COST_UNPRICED, Op.EQUAL, value=True)
    if kpi is AGENT_RUNS_PER_TASK:
        return _with(Attr.OPERATION, Op.EQUAL, Operation.INVOKE_AGENT)
    if kpi.key in _NUMBERS:
        return _with(_NUMBERS[kpi.key], Op.ABOVE, objective.target if objective else 0)
    return SpanSearch(slower_than_s=objective.target) if objective else SpanSearch()


def logs(alert: Alert, mark: Mark = Mark.EXACT) -> QuickCheck | None:
    """Lines of the programs, or the events that a KPI counts; None where the labels select no stream."""
    names = narrow.identity(alert.name)
    if Label.ENVIRONMENT not in names or alert.group is Group.VERSIONS:
        return None
    event, kpi = _event(alert), alert.kpi
    streams = [_term(name, mark) for name in names if name in {Label.ENVIRONMENT, Label.SERVICE}]
    about = [_term(name, mark) for name in names if name in set(Label) and _is_on_lines(Label(name), event)]
    if event is None:
        search = LineSearch(severity=WARNING, terms=(*streams, *about))
        shows = "What programs logged as a warning or worse. A line leads to its trace by its trace id."
    else:
        counted = _EVENTS.get(kpi.key if kpi else "")
        search = LineSearch(event=event, terms=(*streams, *([counted] if counted else []), *about))
        shows = "The very events that are counted. A line leads to its trace by its trace id."
    return QuickCheck(title="Its lines", query=search, shows=shows, about=About.LINES, answers=False)


def _event(alert: Alert) -> Event | None:
    match alert.group:
        case Group.QUALITY:
            return Event.EVALUATION
        case Group.SAFETY:
            return Event.POLICY_VIOLATION
        case _:
            return Event.PROCESS_START if alert.name == "ProcessCrashLoop" else None


def _is_on_lines(label: Label, event: Event | None) -> bool:
    scope, attribute = series_key.source(label)
    return scope != "resource" and (attribute in BAGGAGE_KEYS or (event is not None and label is Label.EVALUATION))
