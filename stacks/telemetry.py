"""`agentobs telemetry check`: what the stores hold, handed to the analysis in `collector.check`.

Not here: what a person sees (`show_check`).
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from agentobs import contract
from agentobs.contract import Attr, Label, Metric
from alerts import promql
from alerts.catalogue import counter
from alerts.source import MetricsSource, Sample
from collector import check
from collector.check import Counted, Finding, Report, Span, Trace, Value
from collector.search import Op, SpanSearch, Term, TraceStore

# One series per call and label set: what makes these many makes all of a family's series many.
_CALLS: Final = (
    contract.TASK_CALLS,
    contract.AGENT_CALLS,
    contract.LLM_CALLS,
    contract.TOOL_CALLS,
    contract.MCP_SERVER_CALLS,
    contract.EVAL_RESULTS,
    contract.POLICY_VIOLATIONS,
    contract.PROCESS_STARTS,
)
# What a service did, by field of `check.Service`.
_ARRIVED: Final[dict[str, Metric]] = {
    "tasks": contract.TASK_CALLS,
    "agent_runs": contract.AGENT_CALLS,
    "model_calls": contract.LLM_CALLS,
    "tool_calls": contract.TOOL_CALLS,
    "served": contract.MCP_SERVER_CALLS,
    "verdicts": contract.EVAL_RESULTS,
    "unread": contract.UNREAD_SPANS,
}
_EVENTS: Final[dict[Label, Metric]] = {
    label: contract.EVAL_RESULTS if label in contract.EVAL_RESULTS.labels else contract.POLICY_VIOLATIONS
    for label in check.EVENT_LABELS
}
_NAME: Final = "__name__"
_READERS: Final = 8
# A trace whose last span is younger may still get spans.
_SETTLED_S: Final = 30
# Stores find a trace by its own clock: one that is ahead is told, and its spans are not called lost.
_AHEAD_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to look at: a period (unix seconds), and optionally one environment and one service."""

    start: float
    end: float
    environment: str = ""
    service: str = ""
    most_traces: int = 200

    @property
    def labels(self) -> dict[Label, str]:
        """The same as labels of series."""
        given = {Label.ENVIRONMENT: self.environment, Label.SERVICE: self.service}
        return {label: value for label, value in given.items() if value}

    def search(self, service: str = "") -> SpanSearch:
        """The same as a search of traces, of one service where one is named."""
        given = {Attr.ENVIRONMENT: self.environment, Attr.SERVICE_NAME: service or self.service}
        return SpanSearch(terms=tuple(Term(key, Op.EQUAL, value) for key, value in given.items() if value))


Progress = Callable[[int, int], None]


def examine(metrics: MetricsSource, store: TraceStore | None, scope: Scope, progress: Progress) -> Report:
    """Ask both stores and return everything found. Without `store` only series are looked at."""
    traces = check.with_aliases(_sample(store, scope, progress)) if store else []
    found = check.twice(traces)
    traces = check.singled(traces)
    found += [*_of_traces(metrics, traces, scope), *_of_series(metrics, scope)]
    if scope.service:
        found = [finding for finding in found if finding.service == scope.service]
        traces = [[span for span in trace if span.service == scope.service] for trace in traces]
    return check.build(traces, found, (scope.start, scope.end), scope.environment, _arrived(metrics, scope))


def senders(metrics: MetricsSource, scope: Scope) -> list[str]:
    """Who counted anything in a period, whatever the scope names: `service of environment`."""
    names = [metric.series for metric in _CALLS]
    query = promql.series_per_value(names, (Label.SERVICE, Label.ENVIRONMENT), {}, scope.end - scope.start)
    rows = metrics.instant(query, scope.end)
    return sorted(f"{row.labels.get(Label.SERVICE, '')} of {row.labels.get(Label.ENVIRONMENT, '')}" for row in rows)


def _arrived(metrics: MetricsSource, scope: Scope) -> dict[str, dict[str, int]]:
    """What each service did in the window, counted exactly."""
    found: dict[str, dict[str, int]] = {}
    for name, metric in _ARRIVED.items():
        query = promql.increase(counter(metric), (Label.SERVICE,), scope.labels, scope.end - scope.start)
        for row in metrics.instant(query, scope.end):
            if (service := row.labels.get(Label.SERVICE, "")) and round(row.value):
                found.setdefault(service, {})[name] = round(row.value)
    return found


def _sample(store: TraceStore, scope: Scope, progress: Progress) -> Iterator[list[Span]]:
    """Traces of every service: a busy one must not hide the others."""
    end = scope.end + _AHEAD_S
    services = [scope.service] if scope.service else store.services(scope.search(), scope.start, end)
    share = max(1, scope.most_traces // (len(services) + 1))
    searches = [scope.search(), *(scope.search(name) for name in services)]
    ids = dict.fromkeys(trace.trace_id for search in searches for trace in store.find(search, scope.start, end, share))
    wanted = list(itertools.islice(ids, scope.most_traces))
    with ThreadPoolExecutor(_READERS) as readers:
        for done, trace in enumerate(readers.map(store.trace, wanted), start=1):
            progress(done, len(wanted))
            if trace:
                yield [Span.of(span) for span in trace]


def _of_traces(metrics: MetricsSource, traces: Sequence[Trace], scope: Scope) -> list[Finding]:
    """Findings about spans. One that needs them only is one more line here."""

    def counted(metric: Metric, *by: Label) -> list[Counted]:
        query = promql.increase(counter(metric), by, scope.labels, scope.end - scope.start)
        return _counted(metrics.instant(query, scope.end))

    return [
        *check.unread(traces, counted(contract.UNREAD_SPANS, Label.SERVICE, Label.SCOPE)),
        *check.doubtful(traces, counted(contract.LLM_DOUBTFUL, Label.SERVICE, Label.AGENT)),
        *check.costs(traces, counted(contract.LLM_COST_DIFFERS, Label.SERVICE, Label.AGENT)),
        *check.beyond(traces),
        *check.clocks(traces, scope.end),
        *check.scattered(traces),
        *check.unnamed(traces),
        *check.missing(traces),
        *check.orphaned(traces, scope.end - _SETTLED_S),
        *check.detached(traces),
        *check.untasked(traces),
    ]


def _of_series(metrics: MetricsSource, scope: Scope) -> list[Finding]:
    window = scope.end - scope.start
    found = check.exploding(_values(metrics, scope))
    who = (Label.SERVICE, Label.AGENT)
    by_model = (*who, Label.MODEL, Label.PROVIDER)
    query = promql.increase(counter(contract.LLM_UNPRICED), by_model, scope.labels, window)
    found += check.unpriced(_counted(metrics.instant(query, scope.end)))
    for label, metric in _EVENTS.items():
        query = promql.increase(counter(metric), (*who, label), scope.labels, window)
        found += check.unnamed_events(label, _counted(metrics.instant(query, scope.end)))
    return [*found, *check.losses(_growth(metrics, scope))]


def _values(metrics: MetricsSource, scope: Scope) -> Iterator[Value]:
    names = [metric.series for metric in _CALLS]
    for label in Label:
        if label in check.BOUNDED:
            continue
        by = tuple(dict.fromkeys((Label.SERVICE, Label.AGENT, label)))
        query = promql.series_per_value(names, by, scope.labels, scope.end - scope.start)
        for row in metrics.instant(query, scope.end):
            yield Value(
                label=label,
                value=row.labels.get(label, ""),
                service=row.labels.get(Label.SERVICE, ""),
                agent=row.labels.get(Label.AGENT, ""),
                series=round(row.value),
            )


def _counted(rows: Iterable[Sample]) -> list[Counted]:
    return [Counted(row.labels.get(_NAME, ""), row.labels, row.value) for row in rows]


def _growth(metrics: MetricsSource, scope: Scope) -> list[Counted]:
    """How much the collector's own counters grew. A counter that appears within the period grew by its value."""
    names = "|".join(f"{start}.*" for start in check.LOSS_COUNTERS)
    window = scope.end - scope.start
    before = {_key(row): row.value for row in metrics.instant(promql.last(names, {}, _SETTLED_S * 10), scope.start)}
    after = metrics.instant(promql.last(names, {}, window), scope.end)
    return [
        # Less than before: the collector has started anew.
        Counted(
            row.labels[_NAME],
            row.labels,
            row.value - old if (old := before.get(_key(row), 0)) <= row.value else row.value,
        )
        for row in after
    ]


def _key(row: Sample) -> frozenset[tuple[str, str]]:
    return frozenset(row.labels.items())
