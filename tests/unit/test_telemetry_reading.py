"""How the telemetry check reads the stores: every service is sampled, and restarts of the collector are no growth."""

from dataclasses import dataclass, field

import pytest

from agentobs.contract import Attr
from alerts.source import Sample
from collector.search import Span, SpanSearch, Trace
from stacks.telemetry import Scope, _growth, _sample

REFUSED = "otelcol_receiver_refused_spans"


@dataclass
class Traces:
    """A store in which one service has sent far more than the others."""

    sizes: dict[str, int]
    others: tuple[str, ...] = ()
    asked: list[int] = field(default_factory=list)

    def services(self, _search, _start, _end) -> list[str]:
        return sorted([*self.sizes, *self.others])

    def find(self, search: SpanSearch, _start, _end, limit: int) -> list[Trace]:
        self.asked.append(limit)
        name = next((str(term.value) for term in search.terms if term.key == Attr.SERVICE_NAME), "busy")
        ids = [f"{name}-{number}" for number in range(min(limit, self.sizes.get(name, 0)))]
        return [Trace(trace_id=each, service=name, name="task", start=0, duration_s=1) for each in ids]

    def trace(self, trace_id: str) -> list[Span]:
        service = {Attr.SERVICE_NAME: trace_id.split("-", maxsplit=1)[0]}
        return [
            Span(
                trace_id=trace_id, span_id="1", parent_id="", name="step", kind="internal", failed=False, start=0,
                end=0, attributes={}, resource=service,
            )
        ]  # fmt: skip


def test_programs_that_a_store_names_without_a_span_that_fits_take_nothing_from_the_others():
    """Jaeger names every program that it knows."""
    store = Traces({"busy": 10_000, "rare": 2}, others=("elsewhere", "gone"))
    scope = Scope(start=0, end=1, most_traces=40)
    traces = list(_sample(store, scope, lambda *_: None))  # type: ignore[arg-type]
    assert {span.service for trace in traces for span in trace} == {"busy", "rare"}


@pytest.mark.parametrize("most", [6, 40, 200])
def test_a_busy_service_does_not_hide_the_others_and_the_limit_holds(most):
    store, told = Traces({"busy": 10_000, "rare": 2, "seldom": 3}), []
    scope = Scope(start=0, end=1, most_traces=most)
    traces = list(_sample(store, scope, lambda done, total: told.append((done, total))))  # type: ignore[arg-type]
    assert len(traces) <= most
    assert told[-1] == (len(traces), len(traces))
    assert {span.service for trace in traces for span in trace} == {"busy", "rare", "seldom"}


class Counters:
    """A Prometheus with one counter; `before` is None where the counter was not there yet."""

    def __init__(self, before: float | None, after: float) -> None:
        self._values = {0.0: before, 3600.0: after}

    def instant(self, _query: str, at: float) -> list[Sample]:
        value = self._values[at]
        return [] if value is None else [Sample({"__name__": REFUSED, "receiver": "otlp"}, value)]


@pytest.mark.parametrize(("before", "after", "grown"), [(5, 9, 4), (5, 5, 0), (None, 3, 3), (50, 2, 2)])
def test_a_counter_grew_by_what_is_new_even_after_a_restart(before, after, grown):
    (row,) = _growth(Counters(before, after), Scope(start=0, end=3600))  # type: ignore[arg-type]
    assert (row.name, row.value) == (REFUSED, grown)
