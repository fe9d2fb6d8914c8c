"""Searches for traces and lines of logs of what made an alert fire, as far as its labels can be found there."""

from collections.abc import Mapping
from typing import Final

from alerts.alerting import Alert
from alerts.catalogue import AGENT_RUNS_PER_TASK, UNPRICED, Group, Kpi
from alerts.catalogue.model import Objective
from alerts.evidence import narrow
from alerts.evidence.model import QueryLanguage, QuickCheck
from alerts.evidence.narrow import Mark
from alerts.evidence.subject import kpi_of, objective_of
from alerts.promql import duration
from collector import series_key
from collector.signals import BAGGAGE_KEYS, Attr, ErrorClass, Event, Label, Operation, Outcome

_SAME: Final = {Mark.EXACT: "=", Mark.PATTERN: "=~"}
_FAILED: Final = "status = error"
_WARNING: Final = 13  # OpenTelemetry's severity numbers: 13 is WARN
_VERSIONS: Final = (Attr.PROMPT_VERSION, Attr.TOOL_VERSION, Attr.REQUEST_MODEL, Attr.GRAPH_VERSION)
# What the numerator of a KPI selects, and how such a span is recognised.
_OF_NUMERATOR: Final[Mapping[tuple[Label, str], str]] = {
    (Label.ERROR_CLASS, ErrorClass.NONE): _FAILED,
    (Label.ERROR_CLASS, ErrorClass.TIMEOUT): f'{_FAILED} && span.{Attr.ERROR_TYPE} =~ "(?i).*time.?out.*"',
    (Label.ERROR_CLASS, ErrorClass.RATE_LIMITED): f'{_FAILED} && span.{Attr.ERROR_TYPE} =~ "(?i).*(429|rate).*"',
    (Label.OUTCOME, Outcome.SUCCESS): f'span.{Attr.TASK_OUTCOME} != nil && span.{Attr.TASK_OUTCOME} != "success"',
    (Label.OUTCOME, Outcome.TIMEOUT): f'span.{Attr.TASK_OUTCOME} = "{Outcome.TIMEOUT}"',
    (Label.STATE, "completed"): f"span.{Attr.PLAN_COMPLETED} < span.{Attr.PLAN_PLANNED}",
    (Label.IS_RETRY, "true"): f"span.{Attr.RETRY_ATTEMPT} > 0",
    (Label.IS_FALLBACK, "true"): f"span.{Attr.FALLBACK} = true",
}
_NUMBERS: Final[Mapping[str, Attr]] = {
    "task_cost": Attr.TASK_COST, "model_cost": Attr.COST, "request_tokens": Attr.INPUT_TOKENS,
    "cache_hits": Attr.INPUT_TOKENS,
}  # fmt: skip
_EVENTS: Final = {
    "evaluation_pass": f'{Attr.EVALUATION_LABEL}="fail"',
    "hallucination": f'{Attr.EVALUATION_LABEL}="fail"',
    "human_score": f'{Attr.EVALUATION_SOURCE}="human"',
    "judge_score": f'{Attr.EVALUATION_SOURCE}="llm_judge"',
}


def traces(alert: Alert, mark: Mark = Mark.EXACT) -> QuickCheck | None:
    """A search for spans that are what the alert is about; None where spans say nothing about it."""
    names = narrow.identity(alert.name)
    if Label.ENVIRONMENT not in names or alert.group in {Group.QUALITY, Group.SAFETY, Group.TELEMETRY}:
        return None
    where = [_term(name, mark) for name in names if name in set(Label) and _is_on_spans(alert, Label(name))]
    wanted, shows = _wanted(alert, mark)
    query = f"{{ {' && '.join([*where, *([wanted] if wanted else [])])} }}"
    kpi, objective = kpi_of(alert), objective_of(alert)
    if kpi is AGENT_RUNS_PER_TASK and objective is not None:
        query += f" | count() > {objective.target:g}"
    # What a KPI counts is on spans; of a value that only jumped nobody knows which span it was.
    counted = kpi is not None and any(part in _OF_NUMERATOR for part in kpi.numerator.where.items())
    return QuickCheck(title="Its traces", language=QueryLanguage.TRACEQL, query=query, shows=shows, answers=counted)


def _is_on_spans(alert: Alert, label: Label) -> bool:
    """Of an alert that is about one of several things, only what all have; names of evaluations are on no span."""
    if alert.group is Group.VERSIONS:
        return label in {Label.ENVIRONMENT, Label.TRACK}
    return label is not Label.EVALUATION


def _term(label: str, mark: Mark) -> str:
    scope, attribute = series_key.source(Label(label))
    return f'{scope}.{attribute} {_SAME[mark]} "${label}"'


def _wanted(alert: Alert, mark: Mark) -> tuple[str, str]:
    """What the span has to be, and what the search then shows."""
    kpi = kpi_of(alert)
    if kpi is None:
        if alert.group is Group.VERSIONS and "version" not in narrow.identity(alert.name):
            return _FAILED, "Traces with a step that failed, the newest first."
        if "version" in narrow.identity(alert.name):
            any_of = " || ".join(f'span.{attribute} {_SAME[mark]} "$version"' for attribute in _VERSIONS)
            return f"({any_of})", "Traces of the new version. Open one that failed beside one of the version before."
        return "", "Traces of what the alert is about, the newest first."
    return _of_kpi(
        kpi, objective_of(alert)
    ), "Traces in which it happened. Open one: the step that is marked says what."


def _of_kpi(kpi: Kpi, objective: Objective | None) -> str:
    for part in kpi.numerator.where.items():
        if part in _OF_NUMERATOR:
            return _OF_NUMERATOR[part]
    if kpi is UNPRICED:
        return f"span.{Attr.COST_UNPRICED} = true"
    if kpi is AGENT_RUNS_PER_TASK:
        return f'span.{Attr.OPERATION} = "{Operation.INVOKE_AGENT}"'
    if kpi.key in _NUMBERS:
        return f"span.{_NUMBERS[kpi.key]} > {objective.target if objective else 0:g}"
    return f"duration > {duration(objective.target)}" if objective else ""


def logs(alert: Alert, mark: Mark = Mark.EXACT) -> QuickCheck | None:
    """Lines of the programs, or the events that a KPI counts; None where the labels select no stream."""
    names = narrow.identity(alert.name)
    if Label.ENVIRONMENT not in names or alert.group is Group.VERSIONS:
        return None
    streams = [_stream(Label(name), mark) for name in names if name in {Label.ENVIRONMENT, Label.SERVICE}]
    event, kpi = _event(alert), kpi_of(alert)
    about = [Label(name) for name in names if name in set(Label) and _is_on_lines(Label(name), event)]
    terms = [f'{_key(series_key.source(label)[1])}{_SAME[mark]}"${label}"' for label in about]
    if event is None:
        shows = "What programs logged as a warning or worse. A line leads to its trace by `trace_id`."
        stages = [f"severity_number >= {_WARNING}", *terms]
    else:
        shows = "The very events that are counted. A line leads to its trace by `trace_id`."
        attribute, _, value = _EVENTS.get(kpi.key if kpi else "", "").partition("=")
        stages = [f'event_name="{event}"', *([f"{_key(attribute)}={value}"] if attribute else []), *terms]
    query = "".join([f"{{{','.join(streams)}}}", *(f" | {stage}" for stage in stages)])
    return QuickCheck(title="Its lines", language=QueryLanguage.LOGQL, query=query, shows=shows, answers=False)


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


def _stream(label: Label, mark: Mark) -> str:
    return f'{_key(series_key.source(label)[1])}{_SAME[mark]}"${label}"'


def _key(attribute: str) -> str:
    """The name that Loki gives an attribute."""
    return attribute.replace(".", "_")
