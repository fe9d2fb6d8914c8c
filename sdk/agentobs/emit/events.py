"""Events of the contract as log records: evaluations, policy violations, process starts.

They are log records because a verdict may come long after its span has ended. Each carries the current trace and span
and what is known of the agent there, whoever has made the provider. Not here: free text logging (`logs`).
"""

import functools
import logging
from collections.abc import Mapping
from typing import Final

from opentelemetry._logs import SeverityNumber, get_logger, get_logger_provider

from agentobs.context.logs import known_within
from agentobs.contract import Attr, EvaluationSource, Event, PolicyAction

_SCOPE: Final = "agentobs.emit"
_NOBODY: Final = "opentelemetry._logs"  # the interface's own provider, which does nothing
_log: Final = logging.getLogger(__name__)
PASS: Final = "pass"  # noqa: S105 a verdict, not a password
FAIL: Final = "fail"


def evaluation(  # noqa: PLR0913 one verdict with the slices it belongs to
    *,
    name: str,
    score: float,
    passed: bool,
    source: EvaluationSource,
    explanation: str | None = None,
    tool_name: str | None = None,
    tool_version: str | None = None,
    model: str | None = None,
) -> None:
    """Record one verdict about the current span. `score` lies in 0..1; raises ValueError otherwise.

    Name the tool or model only when the verdict is about that tool or model: they become slice labels.
    """
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"evaluation {name!r}: score {score} is out of range; expected 0..1, scale it before")
    attributes: dict[str, str | float | None] = {
        Attr.EVALUATION_NAME.value: name,
        Attr.EVALUATION_SCORE.value: float(score),
        Attr.EVALUATION_LABEL.value: PASS if passed else FAIL,
        Attr.EVALUATION_SOURCE.value: EvaluationSource(source).value,
        Attr.EVALUATION_EXPLANATION.value: explanation,
        Attr.TOOL_NAME.value: tool_name,
        Attr.TOOL_VERSION.value: tool_version,
        Attr.REQUEST_MODEL.value: model,
    }
    _emit(Event.EVALUATION, SeverityNumber.INFO, f"{name}: {PASS if passed else FAIL} ({score:.2f})", attributes)


def policy_violation(  # noqa: PLR0913 one violation with the slices it belongs to
    *,
    policy_id: str,
    action: PolicyAction,
    severity: str = "medium",
    tool_name: str | None = None,
    tool_version: str | None = None,
    model: str | None = None,
    count: int = 1,
) -> None:
    """Record that a policy was violated and what was done about it. `policy_id` is a label: keep it to a short list.

    `count` tells how many violations one record stands for, where telling each would flood.
    """
    done = PolicyAction(action)
    attributes: dict[str, str | float | None] = {
        Attr.POLICY_ID.value: policy_id,
        Attr.POLICY_ACTION.value: done.value,
        Attr.POLICY_SEVERITY.value: severity,
        Attr.TOOL_NAME.value: tool_name,
        Attr.TOOL_VERSION.value: tool_version,
        Attr.REQUEST_MODEL.value: model,
        Attr.POLICY_COUNT.value: count if count > 1 else None,
    }
    _emit(Event.POLICY_VIOLATION, SeverityNumber.WARN, f"policy {policy_id} violated: {done.value}", attributes)


def process_start(attributes: Mapping[str, str]) -> None:
    """Record that this process started: many of these from one service are a crash loop."""
    _emit(Event.PROCESS_START, SeverityNumber.INFO, "process started", dict(attributes))


def _emit(event: Event, severity: SeverityNumber, body: str, attributes: Mapping[str, str | float | None]) -> None:
    if type(get_logger_provider()).__module__.startswith(_NOBODY):
        _tell_that_nobody_listens()
        return
    get_logger(_SCOPE).emit(
        event_name=event.value,
        severity_number=severity,
        severity_text=severity.name,
        body=body,
        attributes=known_within() | {str(key): value for key, value in attributes.items() if value is not None},
    )


@functools.cache
def _tell_that_nobody_listens() -> None:
    """Once: a program that set up traces itself may not know that verdicts are log records."""
    _log.warning(
        "agentobs: evaluations and policy violations are log records, and this process sends none. Fix: call "
        "agentobs.emit.configure(...), or set up a LoggerProvider with an OTLP exporter beside the TracerProvider"
    )
