"""Asks the quick checks of one alert: side by side, in the order of the page, and on where a store does not answer."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Final

from alerts.evidence import About, QuickCheck, quick_checks
from alerts.source import MetricsSource
from collector.search import LineSearch, LogStore, SpanSearch, TraceStore
from runbooks.run import judging, labels
from runbooks.run.document import Result, Step, Verdict
from runbooks.run.labels import Named

_MOST: Final = 50
_TRACES_AND_LINES: Final = 20
_AT_ONCE: Final = 4
"""Whoever waits for a store that hangs waits for it once, not once for each check."""
Tell = Callable[[str, int, int], None]
"""Is told what is asked, how many checks are done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The stores that there are, and which errors of theirs mean that they could not be asked."""

    metrics: MetricsSource
    traces: TraceStore | None
    logs: LogStore | None
    errors: tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """When, in unix seconds: the moment, and since when traces and lines count."""

    at: float
    since: float


class _NoStoreError(Exception):
    """There is no store of that kind to ask."""


def ask(named: Named, sources: Sources, when: Asked, tell: Tell) -> list[Step]:
    """Every quick check of the page, with its answer and what that means."""
    checks = [labels.filled(check, named.labels) for check in quick_checks(named.alert)]
    done, lock = 0, Lock()

    def one(check: QuickCheck) -> Step:
        nonlocal done
        with lock:
            tell(check.title, done, len(checks))
        step = _step(check, named, sources, when)
        with lock:
            done += 1
        return step

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        steps = list(pool.map(one, checks))
    return _against_thresholds(checks, steps)


def _step(check: QuickCheck, named: Named, sources: Sources, when: Asked) -> Step:
    def step(verdict: Verdict, said: str, results: Sequence[Result] = (), *, failed: bool = False) -> Step:
        return Step(
            title=check.title, about=check.about, language=check.language, query=check.text, shows=check.shows,
            verdict=verdict, message=said, failed=failed, results=[*results[:_MOST]],
        )  # fmt: skip

    try:
        results = _results(check, sources, when)
    except _NoStoreError as error:
        return step(Verdict.NOT_ASKED, str(error))
    except sources.errors as error:
        return step(Verdict.NOT_ASKED, " ".join(str(error).split()), failed=True)
    verdict, said = judging.judge(check, results, named.labels, when.at, _TRACES_AND_LINES)
    return step(verdict, said, results)


def _results(check: QuickCheck, sources: Sources, when: Asked) -> list[Result]:
    match check.query:
        case SpanSearch():
            if sources.traces is None:
                raise _NoStoreError("there is no store of traces; name one with --tempo or --jaeger URL")
            found = sources.traces.find(check.query, when.since, when.at, _TRACES_AND_LINES)
            return [
                Result(
                    labels={"trace_id": each.trace_id, "service": each.service, "name": each.name},
                    value=each.duration_s,
                )
                for each in found
            ]
        case LineSearch():
            if sources.logs is None:
                raise _NoStoreError("there is no store of logs; name one with --loki or --victorialogs URL")
            lines = sources.logs.lines(check.query, when.since, when.at, _TRACES_AND_LINES)
            return [
                Result(
                    labels={
                        "text": each.text, "severity": each.severity, "service": each.service, "event": each.event,
                        "trace_id": each.trace_id,
                    },
                    value=each.at,
                )
                for each in lines
            ]  # fmt: skip
        case _:
            return [
                Result(labels=dict(each.labels), value=each.value)
                for each in sources.metrics.instant(check.query, when.at)
            ]


def _against_thresholds(checks: Sequence[QuickCheck], steps: list[Step]) -> list[Step]:
    """A value whose threshold had to be asked for too is judged once both are there."""
    judged = list(steps)
    for place, (check, step, threshold) in enumerate(zip(checks, steps, [*steps[1:], None], strict=False)):
        if threshold is None or threshold.about is not About.THRESHOLD or not step.results:
            continue
        thresholds = {result.value for result in threshold.results if result.value is not None}
        if check.operator and len(thresholds) == 1:
            verdict, said = judging.compared(check, step.results, thresholds.pop())
            judged[place] = step.model_copy(update={"verdict": verdict, "message": said})
    return judged
